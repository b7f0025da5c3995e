from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oauthmagic.errors import OAuthMagicError, RequestSyntaxError, UnknownName
from oauthmagic.http_request import HttpRequest, parse

WHOLE = """\
@account = 4711
# The first request of the tour.
# @name transactions
// @timeout 10
get /accounts/{{account}}/transactions
    ?from=2026-01-01
    // only what is booked
    &status=booked HTTP/1.1
Accept: application/json
# why this header is here
X-Request-ID: {{$guid}}

"""


def test_the_whole_of_a_request_is_read(fill):
    """Variables, directives, comments, target and headers make one request."""
    request = fill(WHOLE)

    assert request == HttpRequest(
        method="GET",
        target="/accounts/4711/transactions?from=2026-01-01&status=booked",
        headers=(("Accept", "application/json"), ("X-Request-ID", "guid-1")),
        body=None,
        name="transactions",
        timeout=10.0,
        line=5,
    )


@pytest.mark.parametrize(
    ("text", "method", "target"),
    [
        ("/accounts", "GET", "/accounts"),
        ("GET /accounts", "GET", "/accounts"),
        ("patch\t/accounts/1", "PATCH", "/accounts/1"),
        ("/accounts HTTP/2", "GET", "/accounts"),
        ("https://api.example/a", "GET", "https://api.example/a"),
        ("DELETE https://api.example", "DELETE", "https://api.example"),
        ("https://api.example?a=1", "GET", "https://api.example?a=1"),
        ("GET /a\n /b\n ?c=1", "GET", "/a/b?c=1"),
        ("GET /a\n?c=1\n&d=2", "GET", "/a?c=1&d=2"),
        ("GET /a\r\nAccept: text/csv\r\n", "GET", "/a"),
        ("\ufeffGET /a", "GET", "/a"),
        ("GET /a b/é?q=ü ö", "GET", "/a%20b/%C3%A9?q=%C3%BC%20%C3%B6"),
        ("GET /a%2Fb?c=%41", "GET", "/a%2Fb?c=%41"),
        ('GET /a?filter[x]="1|2"', "GET", "/a?filter%5Bx%5D=%221%7C2%22"),
        ("GET /a?", "GET", "/a?"),
        ("\n    GET /a\n      ?b=1\n    Accept: text/csv\n", "GET", "/a?b=1"),
    ],
)
def test_a_request_line_has_get_as_its_default(fill, text, method, target):
    """What is typed literally is percent-encoded as UTF-8; escapes are kept."""
    request = fill(text)

    assert (request.method, request.target) == (method, target)


def test_requests_are_separated_and_titled():
    """`###` separates; blocks without a request are no requests."""
    text = "# a file\n### first\nGET /a\n\n###\n# nothing here\n### second\n/b\n"

    first, second = parse(text)

    assert (first.title, first.line) == ("first", 3)
    assert (second.title, second.line) == ("second", 8)


def test_a_variable_holds_from_its_line_on(fill_all):
    """A later definition is for later requests only."""
    text = "@a = 1\nGET /{{a}}\n###\n@a = {{a}}2\nGET /{{a}}\n###\nGET /{{a}}/x"

    assert [one.target for one in fill_all(text)] == ["/1", "/12", "/12/x"]


def test_a_body_is_kept_as_it_is_written(fill):
    """Comment signs are text in a body; blank lines around it are not part of it."""
    request = fill("POST /a\nContent-Type: text/plain\n\n\n# one\n\n// two\n  \n\n")

    assert request.body == b"# one\n\n// two"


def test_a_json_body_says_that_it_is_json(fill):
    """Without a Content-Type, a body that begins with a brace is sent as JSON."""
    assert fill('POST /a\n\n{"b": 1}').headers == (
        ("Content-Type", "application/json"),
    )
    assert fill("POST /a\n\nb").headers == ()
    assert fill("POST /a\nContent-Type: x/y\n\n{}").headers == (
        ("Content-Type", "x/y"),
    )


def test_a_form_body_may_have_a_field_per_line(fill):
    """The lines are one line when they are sent."""
    text = "POST /a\nContent-Type: application/x-www-form-urlencoded\n\na=1\n  &b={{b}}"

    assert fill(text, b="2 & 3=é").body == b"a=1&b=2+%26+3%3D%C3%A9"


def test_a_file_can_be_the_body(fill):
    """The given reader decides which files there are."""
    request = fill("POST /a\n\n< ./order.json\n")

    assert request.body == b'{"product": "235"}'
    with pytest.raises(RequestSyntaxError, match=r"'\./other\.json' in line 3 cannot"):
        fill("POST /a\n\n< ./other.json")


@pytest.mark.parametrize(
    ("directive", "seconds"),
    [
        ("10", 10.0),
        ("10 s", 10.0),
        ("500ms", 0.5),
        ("= 2.5", 2.5),
        ("1440 m", 86_400.0),
    ],
)
def test_a_timeout_is_in_seconds_unless_it_says_otherwise(directive, seconds):
    """The units of the JetBrains HTTP Client are understood."""
    (request,) = parse(f"# @timeout {directive}\nGET /a")

    assert request.timeout == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "tool", "line"),
    [
        ("GET /a\n\n> {% client.log(1) %}", "JetBrains", 3),
        ("GET /a\n\n> ./handler.js", "JetBrains", 3),
        ("< {% request.variables.set('a', 1) %}\nGET /a", "JetBrains", 1),
        ("GET /a\n\n>> ./reply.json", "JetBrains", 3),
        ("GET /a\n\n>>! ./reply.json", "JetBrains", 3),
        ("GET /a\n\n<> ./recorded.json", "JetBrains", 3),
        ("GET /a\n?? status == 200", "httpyac", 2),
        ("GET /a\n\n?? status == 200", "httpyac", 3),
        ("POST /a\n\n<@ ./order.json", "VS Code REST Client", 3),
        ("import other.http", "JetBrains", 1),
        ("run #first", "JetBrains", 1),
        ("GRAPHQL /a", "JetBrains", 1),
        ("GRPC localhost/x", "JetBrains", 1),
        ("WEBSOCKET wss://a.example", "JetBrains", 1),
        ("@a := 1\nGET /a", "httpyac", 1),
        ("# @prompt code\nGET /a", "VS Code REST Client", 1),
        ("# @ref login\nGET /a", "httpyac", 1),
        ("GET /{{ a() }}", "httpyac", 1),
        ("GET /{{a + 1}}", "httpyac", 1),
        ("GET /{{a.__class__}}", "httpyac", 1),
        ("GET /{{a[0]}}", "httpyac", 1),
        ("GET /{{a!r:>10}}", "httpyac", 1),
        ("GET /{{login.response.body.id}}", "VS Code REST Client", 1),
        ("GET /{{$timestamp -1 d}}", "VS Code REST Client", 1),
        ("GET /a\nX-Request-Type: GraphQL", "VS Code REST Client", 2),
    ],
)
def test_what_belongs_to_another_tool_is_refused_by_its_name(text, tool, line):
    """The refusal names the line and, in the message or the hint, the tool."""
    with pytest.raises(RequestSyntaxError) as refused:
        parse(text)

    assert tool in f"{refused.value} {refused.value.hint}"
    assert f"in line {line}" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is no request"),
        ("# only a comment\n@a = 1", "There is no request"),
        ("GET", "line 1 has a method and no target"),
        ("GET accounts", "line 1 begins neither with '/'"),
        ("GET www.example.com/a", "line 1 begins neither with '/'"),
        ("OPTIONS *", r"'\*' in line 1"),
        ("accounts/4711", "Line 1 is not a request"),
        ("GET /a HTTP/9", "HTTP version in line 1"),
        ("GET /a#b", "line 1 has a fragment"),
        ("GET /a\\b", "line 1 holds a backslash"),
        ("GET /a?b=5%", "'%' in the target in line 1"),
        ("GET /a%4{{b}}", "'%' in the target in line 1"),
        ("GET /a\x00", "Line 1 holds a control character"),
        ("GET /a\nX: b\rY: c", "Line 2 holds a control character"),
        ('POST /a\n{"b": 1}', "Line 2 is not a header"),
        ("GET /a\nPOST /b", "Line 2 begins another request"),
        ("GET /a\n  Accept: b", "Line 2 is indented"),
        ("GET /a\nAccept: b\n  ?c=1", "Line 3 continues the target behind a header"),
        ("GET /a\n@b = 1", "variable in line 2 stands behind"),
        ("@b\nGET /a", "variable in line 1 is not written"),
        ("@1b = 2\nGET /a", "variable in line 1 is not written"),
        ("GET /{{a", "braces {{ in line 1 are not closed"),
        ("GET /{{ }}", "braces {{}} in line 1 hold no name"),
        ("# @timeout soon\nGET /a", "@timeout in line 1"),
        ("# @timeout 0\nGET /a", "@timeout in line 1"),
        ("# @timeout 1441m\nGET /a", "@timeout in line 1 is longer than a day"),
        ("# @timeout 999999999m\nGET /a", "longer than a day"),
        ("# @name two words\nGET /a", "@name in line 1"),
        (
            "# @name a\nGET /a\n###\n# @name a\nGET /b",
            "line 5 has the name of .* line 2",
        ),
        ("POST /a\nContent-Type: multipart/form-data\n\nx", "line 4 names no boundary"),
        (
            "POST /a\nContent-Type: text/xml; charset=latin-1\n\nx",
            "line 4 is sent in UTF",
        ),
        ('POST /a\nContent-Type: a/b; x=y;charset="EBCDIC"\n\nx', "not in EBCDIC"),
        ("POST /a\n\n< ./{{b}}", "file in line 3 must be named without"),
        ("POST /a\n\n< ./b\nc", "Line 4 stands behind the file"),
        ("POST /a\n\nc\n< ./b", "file in line 4 is only a part"),
        ('GET /{{$auth.token("x")}}', "in line 1 asks for a token"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_line(text, message):
    """Every refusal says what to do."""
    with pytest.raises(RequestSyntaxError, match=message) as refused:
        parse(text)

    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("GET distributor/v1/x", "with '/': GET /distributor/v1/x;"),
        ("GET accounts/{{id}}/x?a=1", "with '/': GET /accounts/{{id}}/x?a=1;"),
        ("accounts/4711", "with '/': GET /accounts/4711;"),
        ("GET www.example.com/a", "or a whole URL with 'https://'"),
        ("GET {{base}}/x?a=1", "known from the target: GET /x?a=1."),
        ("GET {{base}}", "known from the target: GET /accounts."),
        ("GET: /a", "for example:\nGET /accounts"),
        ("- GET /a", "for example:\nGET /accounts"),
        ("POST /a\nContent-Type: multipart/form-data\n\nx", "; boundary=part"),
    ],
)
def test_a_refused_line_is_answered_with_the_line_to_write(text, advice):
    """The example is made of what was written, where that is short."""
    with pytest.raises(RequestSyntaxError) as refused:
        parse(text)

    assert advice in refused.value.hint


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("GTE /a", "in line 1. Did you mean 'GET'?"),
        ("\nPSOT /a", "in line 2. Did you mean 'POST'?"),
        ("GET /{{$guidd}}", "Did you mean '$guid'?"),
        ("# @nmae a\nGET /a", "Did you mean 'name'?"),
        ("# @timeuot 3\nGET /a", "Did you mean 'timeout'?"),
    ],
)
def test_a_near_miss_gets_a_suggestion(text, suggestion):
    """Methods, built-ins and directives are compared with the known ones."""
    with pytest.raises(UnknownName) as unknown:
        parse(text)

    assert suggestion in str(unknown.value)


def test_a_comment_that_mentions_somebody_is_a_comment():
    """Only what looks like a directive of this language is one."""
    (request,) = parse("# @alice asked for this\n# @no-log\nGET /a")

    assert request.name is None


def test_an_empty_text_is_answered_with_an_example():
    """The hint can be pasted as it is."""
    with pytest.raises(RequestSyntaxError) as refused:
        parse("  \n")

    (request,) = parse(refused.value.hint.partition("\n")[2])
    assert request.method == "GET"


FRAGMENTS = st.sampled_from(
    [
        "GET ", "post ", "/a", "https://h.example", " ", "\n", "\n\n", "\r\n", "###",
        "# ", "// ", "@name", " = ", "@timeout 3", "{{", "}}", "{{x}}", "$guid", "?a=",
        "&", "Accept: ", "Content-Type: application/json", "{", '"', "\\", "%", "< ./f",
        "> {%", "??", ":", "..", ";", "\t", "\x00", "\u2028", "é", "\ud800", "*", "@",
    ]
)  # fmt: skip


@example("/a\ud800")
@given(st.lists(FRAGMENTS | st.text(max_size=3), max_size=25).map("".join))
def test_any_text_is_read_or_refused(text):
    """Nothing but this package's own errors leaves the parser."""
    try:
        requests = parse(text)
    except OAuthMagicError:
        return

    assert requests
