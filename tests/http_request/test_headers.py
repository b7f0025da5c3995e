from __future__ import annotations

import pytest

from oauthmagic.errors import RequestSyntaxError
from oauthmagic.http_request import parse


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "authorization", "DPoP", "Cookie", "Content-Length",
        "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Authorization",
        "Proxy-Connection", "TE", "Trailer", "Upgrade", "Expect", "Accept-Encoding",
    ],
)  # fmt: skip
def test_a_header_that_is_not_the_cells_to_set_is_refused(name):
    """The refusal names the header and its line, never its value."""
    with pytest.raises(RequestSyntaxError) as refused:
        parse(f"GET /a\n{name}: plainly-fake-value")

    assert f"{name} in line 2" in str(refused.value)
    assert "plainly-fake-value" not in f"{refused.value}{refused.value.hint}"


def test_the_refusal_of_authorization_says_who_adds_the_token():
    """Whoever pastes a request with a token learns that none is needed."""
    with pytest.raises(RequestSyntaxError) as refused:
        parse("GET /a\nAuthorization: Bearer plainly-fake")

    assert "token is added by itself" in refused.value.hint


def test_a_host_header_is_handed_on(fill):
    """Whether it fits the URL is decided where the URL is known."""
    assert fill("GET /a\nHost: api.example").headers == (("Host", "api.example"),)


def test_headers_keep_their_order_and_their_duplicates(fill):
    """Blanks around a value are not part of it; an empty value is one."""
    request = fill("GET /a\nX-A:  1 \nX-B:\nX-A: 2")

    assert request.headers == (("X-A", "1"), ("X-B", ""), ("X-A", "2"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("X Y: 1", "header name in line 2"),
        ("X : 1", "header name in line 2"),
        (": 1", "header name in line 2"),
        ("{{x}}: 1", "Line 2 is not a header"),
        ("X-{{x}}: 1", "header name in line 2"),
        ("Ü: 1", "header name in line 2"),
        ("X: é", "non-ASCII"),
        ("X: " + "y" * 8192, "longer than 8192"),
        ("Host: a.example\nhost: b.example", "more than one header Host"),
        ("Content-Type: a/b\nContent-Type: c/d", "more than one header Content-Type"),
        ("Content-Type: {{x}}", "Content-Type in line 2 must be written out"),
    ],
)
def test_a_header_that_is_none_is_refused(lines, message):
    """Names are tokens and values one line of ASCII (RFC 9110, section 5)."""
    with pytest.raises(RequestSyntaxError, match=message):
        parse(f"GET /a\n{lines}")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "a\x7f", "é"])
def test_a_value_does_not_leave_its_header(fill, value):
    """The refusal names the header and does not quote the value."""
    with pytest.raises(RequestSyntaxError, match=r"header X in line 3") as refused:
        fill("GET /a\nY: 1\nX: {{value}}", value=value)

    assert "Evil" not in str(refused.value)


def test_a_value_may_fill_a_header_up_to_its_limit(fill):
    """Eight KiB are the most that servers are known to take."""
    assert fill("GET /a\nX: {{value}}", value="v" * 8191).headers[0][1] == "v" * 8191
    with pytest.raises(RequestSyntaxError, match="longer than"):
        fill("GET /a\nX: {{value}}", value="v" * 8192)
