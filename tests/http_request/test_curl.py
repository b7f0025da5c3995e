from __future__ import annotations

import shlex
import subprocess
import urllib.parse
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scales import scaled

from oauthmagic.errors import OAuthMagicError, RequestSyntaxError, SecretOnLine
from oauthmagic.http_request import parse
from oauthmagic.http_request.curl import is_curl, read_curl
from oauthmagic.http_request.shell_words import read_words
from oauthmagic.views import curl
from oauthmagic.views.programs import Call

CHROME = r"""curl 'https://api.example/v1/orders?limit=5' \
  -X 'POST' \
  -H 'accept: application/json' \
  -H 'accept-language: en-US,en;q=0.9' \
  -H 'content-type: application/json' \
  -H 'sec-ch-ua: "Chromium";v="1"' \
  -H 'user-agent: Mozilla/5.0 (X11)' \
  --data-raw $'{"name":"it\'s","note":"a\\nb \u00e9"}' \
  --compressed
"""


def meant(text, **values):
    """Return the request that a command was turned into."""
    (template,) = parse(read_curl(text).text)
    return template.fill(
        values.__getitem__,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        guid=str,
        files=lambda name: name.encode(),
        known_names=values,
    )


def test_a_browsers_command_becomes_a_cell():
    """`Copy as cURL (bash)`, with ANSI-C quotes and the browser's own headers."""
    pasted = read_curl(CHROME)

    assert pasted.text == (
        "POST https://api.example/v1/orders?limit=5\n"
        "accept: application/json\n"
        "accept-language: en-US,en;q=0.9\n"
        "content-type: application/json\n"
        "user-agent: Mozilla/5.0 (X11)\n"
        '\n{"name":"it\'s","note":"a\\nb é"}\n'
    )
    assert pasted.notes == ()


@pytest.mark.parametrize(
    ("command", "method", "target", "headers", "body"),
    [
        ("curl example.com/a", "GET", "https://example.com/a", {}, None),
        ("curl -XDELETE https://e.x/a", "DELETE", "https://e.x/a", {}, None),
        ("curl -sSI https://e.x/a", "HEAD", "https://e.x/a", {}, None),
        (
            "curl https://e.x/a -d a=1 -d b=2",
            "POST",
            "https://e.x/a",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"a=1&b=2",
        ),
        (
            "curl -G https://e.x/a?z=0 -d a=1 --data-urlencode 'b=x y&'",
            "GET",
            "https://e.x/a?z=0&a=1&b=x%20y%26",
            {},
            None,
        ),
        (
            """curl --json '{"a": 1}' https://e.x/a""",
            "POST",
            "https://e.x/a",
            {"Content-Type": "application/json", "Accept": "application/json"},
            b'{"a": 1}',
        ),
        (
            "curl -H 'Content-Type: text/csv' --data-binary @./rows.csv https://e.x/a",
            "POST",
            "https://e.x/a",
            {"Content-Type": "text/csv"},
            b"./rows.csv",
        ),
        (
            "curl -T ./photo.png https://e.x/a",
            "PUT",
            "https://e.x/a",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"./photo.png",
        ),
        (
            'curl -A me -e "https://r.x/" --url https://e.x/a',
            "GET",
            "https://e.x/a",
            {"User-Agent": "me", "Referer": "https://r.x/"},
            None,
        ),
    ],
)
def test_what_curl_would_send_is_what_the_cell_sends(
    command, method, target, headers, body
):
    """Methods, joined data, queries, JSON and files are curl's."""
    request = meant(command)

    assert (request.method, request.target) == (method, target)
    if "-T" not in command:
        assert dict(request.headers) == headers
    assert request.body == body


def test_a_form_with_a_file_becomes_parts():
    """`-F` is a multipart body in the cell's own syntax."""
    request = meant(
        "curl https://e.x/documents -F type=PASSPORT "
        "-F 'file=@./it'\\''s.png;type=image/png;filename=p\".png'"
    )

    assert request.body == (
        b'--part\r\nContent-Disposition: form-data; name="type"\r\n\r\nPASSPORT\r\n'
        b'--part\r\nContent-Disposition: form-data; name="file"; '
        b'filename="p%22.png"\r\nContent-Type: image/png\r\n\r\n./it\'s.png\r\n'
        b"--part--\r\n"
    )


def test_a_variable_of_the_shell_becomes_one_of_the_notebook():
    """`$NAME` between double quotes is `{{NAME}}`; in single quotes it is text."""
    request = meant('curl -d "a=$A" -d \'b=$B\' "https://e.x/${C}"', A="1 &", C="x/y")

    assert request.body == b"a=1+%26&b=$B"
    assert request.target == "https://e.x/x%2Fy"


@pytest.mark.parametrize(
    "command",
    [
        "curl -H 'Authorization: Bearer fake-token' https://e.x/",
        "curl -H 'authorization: Basic ZmFrZQ==' https://e.x/",
        "curl -H 'Cookie: sid=fake' https://e.x/",
        "curl -b 'sid=fake' https://e.x/",
        "curl -u jane:fake https://e.x/",
        "curl -ujane:fake https://e.x/",
        "curl -sujane:fake https://e.x/",
        "curl --user jane https://e.x/",
        "curl --oauth2-bearer fake https://e.x/",
        "curl -H 'X-API-Key: fake' https://e.x/",
        "curl 'https://e.x/?access_token=fake'",
        "curl -d client_secret=fake https://e.x/",
        "curl -d a=b -d 'password=fake' https://e.x/",
        "curl --data-urlencode 'password=fake' https://e.x/",
        "curl -G -d api_key=fake https://e.x/",
        "curl -F 'client_secret=fake' https://e.x/",
        """curl --json '{"password": "fake"}' https://e.x/""",
        "curl -H $'Authorization: Bearer fake\\u002dtoken' https://e.x/",
    ],
)
def test_a_secret_is_refused_and_not_repeated(command):
    """The sentence says where it stood, and that the token comes by itself."""
    with pytest.raises(SecretOnLine) as refused:
        read_curl(command)

    assert "fake" not in f"{refused.value} {refused.value.hint}"
    assert "Nothing was sent" in str(refused.value)


def test_credentials_that_are_variables_are_left_out_with_a_note():
    """What documentation writes for a token is no secret, and not needed."""
    pasted = read_curl('curl -H "Authorization: Bearer $TOKEN" -b "$JAR" https://e.x/a')

    assert pasted.text == "GET https://e.x/a\n"
    assert [note.partition(" is")[0] for note in pasted.notes] == [
        "The header Authorization",
        "-b",
    ]


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ("-L", "redirects are not followed"),
        ("-k", "always verified"),
        ("-o out.json", "--save FILE"),
        ("-x http://proxy", "HTTPS_PROXY"),
        ("--cert c.pem --key k.pem", "come"),
    ],
)
def test_what_does_not_fit_is_left_out_with_a_note(options, note):
    """The request is the same without it, and the note says why."""
    pasted = read_curl(f"curl {options} https://e.x/a")

    assert pasted.text == "GET https://e.x/a\n"
    assert note in pasted.notes[0]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("curl", "no URL"),
        ("curl https://a.x https://b.x", "several URLs"),
        ("curl --requst POST https://e.x", "Did you mean '--request'"),
        ("curl -Z https://e.x", "Unknown cURL option '-Z'"),
        ("curl -X", "has no value"),
        ("curl 'https://e.x", "not closed"),
        ('curl "https://e.x', "not closed"),
        ("curl $'https://e.x", "not closed"),
        ("curl https://e.x | jq .", "a pipe"),
        ("curl https://e.x; rm x", "a second command"),
        ("curl https://e.x\nrm x", "A second command"),
        ("curl https://e.x > out", "a redirection"),
        ("curl $(cat url)", "a command inside"),
        ('curl "`cat url`"', "a command inside"),
        ("curl -H Accept https://e.x", "no colon"),
        ("curl -d a -d @b https://e.x", "joins a file"),
        ("curl -d $'a\\x01b' -H 'Content-Type: text/plain' https://e.x", "control"),
        ("curl -d $'\\xff' https://e.x", "no UTF-8"),
        ('curl ^"https://e.x^"', "Windows"),
        ("curl -X BREW https://e.x", "HTTP method"),
    ],
)
def test_what_cannot_be_a_cell_is_refused(command, message):
    """Every refusal says what to do; nothing is guessed."""
    with pytest.raises(OAuthMagicError, match=message) as refused:
        read_curl(command)

    assert refused.value.hint


def test_only_a_command_is_one():
    """A request whose path begins so is a request."""
    assert is_curl("\n curl https://e.x")
    assert not is_curl("GET /curl x")
    assert not is_curl("curler /x")


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(words=st.lists(TEXT.filter(lambda text: "\0" not in text), min_size=1))
def test_quoted_words_are_read_as_the_shell_reads_them(words):
    """What `shlex` quotes is read back, whatever it is."""
    if any("\r\n" in word for word in words):
        return
    read = read_words(" ".join(map(shlex.quote, words)))

    assert [word.text for word in read] == words


@given(text=st.text(st.sampled_from("ab'\"\\ \n\t#{}=-@%"), max_size=20))
@settings(max_examples=scaled(150, 2000), deadline=None)
def test_whatever_is_read_is_what_a_shell_would_read(text):
    """Compared with a real shell; what it refuses, or we do, does not count."""
    if text.rstrip().endswith("\\"):
        return  # what was cut off behind it is not missed here
    try:
        words = [word.text for word in read_words(f"echo {text}")]
    except RequestSyntaxError:
        return
    done = subprocess.run(
        ["sh", "-c", f"set -f; printf '%s\\0' {text.strip()}"],  # noqa: S607 - the shell of this machine
        capture_output=True,
        check=False,
    )
    if done.returncode == 0 and "{" not in text and text.strip():
        assert done.stdout.decode().split("\0")[:-1] == (words[1:] or [""])


@given(command=st.text(max_size=60))
def test_nothing_breaks_the_reader(command):
    """Any text is a cell or a refusal of ours."""
    try:
        parse(read_curl(f"curl {command}").text)
    except OAuthMagicError:
        return


SHOWN = st.text(
    st.characters(exclude_categories=("Cs", "Cc")).filter(lambda c: c not in "{}"),
    max_size=30,
)
LINE = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="{}"),
    max_size=20,
).map(str.strip)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    path=SHOWN.map(lambda text: urllib.parse.quote(text.strip("."), safe="!$&'()*+,;")),
    accept=LINE.filter(bool),
    body=st.none() | SHOWN.map(str.strip).filter(bool),
)
def test_our_own_curl_comes_back_as_the_same_request(method, path, accept, body):
    """From a request to a command and back: nothing is lost, nothing is added."""
    call = Call(
        method=method,
        url=(f"https://api.example/{path}",),
        headers=(("Accept", (accept,)), ("Content-Type", ("text/plain",))),
        body=(body.encode(),) if body is not None else None,
    )

    try:
        request = meant(curl.call(call))
    except RequestSyntaxError:
        # A body that is another tool's syntax, or a separator, has no place in a cell.
        assert body is not None
        assert body.startswith(("#", "<", ">", "?"))
        return

    assert request.method == method
    assert request.target == f"https://api.example/{path}"
    assert dict(request.headers) == {"Accept": accept, "Content-Type": "text/plain"}
    assert (request.body or b"").decode() == (body or "")
