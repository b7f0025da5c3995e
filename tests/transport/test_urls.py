from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oauthmagic.errors import UrlRefused
from oauthmagic.transport.urls import Url, check_host_header, parse_url, resolve

CASES = tomllib.loads(
    Path(__file__).with_name("url_cases.toml").read_text(encoding="utf-8")
)
BASE = "https://api.example/v1"
ENDPOINTS = ("https://id.example:8443/token", "https://upload.example")


@pytest.mark.parametrize("case", CASES["accepted"], ids=lambda case: case["url"])
def test_a_plain_url_is_accepted(case):
    """Scheme and host are in lower case, and nothing else is changed."""
    url = parse_url(case["url"])

    assert str(url) == case["sent"]
    assert parse_url(str(url)) == url


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: ascii(case["url"]))
def test_a_doubtful_url_is_refused(case):
    """The message says why, and quotes nothing that could be a secret."""
    with pytest.raises(UrlRefused) as refused:
        parse_url(case["url"], what="token_endpoint")

    assert case["why"] in str(refused.value)
    assert str(refused.value).startswith("The token_endpoint ")
    assert "plainly-fake" not in f"{refused.value}{refused.value.hint}"
    assert refused.value.hint


def test_a_url_that_the_http_library_would_not_take_is_refused():
    """Its limit is 65,536 characters."""
    with pytest.raises(UrlRefused, match="longer than 65536"):
        parse_url("https://api.example/" + "a" * 65536)


@pytest.mark.parametrize("length", [63, 64])
def test_a_label_has_at_most_63_characters(length):
    """RFC 1035, section 2.3.4."""
    text = f"https://{'a' * length}.example/"
    if length > 63:
        with pytest.raises(UrlRefused):
            parse_url(text)
    else:
        assert str(parse_url(text)) == text


def test_a_url_has_an_origin():
    """The scheme's own port is left out; IPv6 addresses have brackets."""
    assert parse_url("https://api.example:443/a?b").origin == "https://api.example"
    assert parse_url("https://[::1]:8443/a").origin == "https://[::1]:8443"
    assert parse_url("http://localhost:443").origin == "http://localhost:443"


def test_a_url_is_a_value():
    """Its parts are what they are called in RFC 3986."""
    assert parse_url("https://[::1]:8443/a?b=c") == Url(
        scheme="https", host="::1", port=8443, path="/a", query="b=c"
    )


@pytest.mark.parametrize(
    ("text", "is_loopback"),
    [
        ("https://127.0.0.1/", True),
        ("https://127.255.0.1/", True),
        ("https://[::1]/", True),
        ("https://localhost/", True),
        ("https://126.0.0.1/", False),
        ("https://[::2]/", False),
        ("https://localhost.example/", False),
    ],
)
def test_loopback_is_a_short_list(text, is_loopback):
    """127.0.0.0/8, ::1 and `localhost` (RFC 8252, section 7.3)."""
    assert parse_url(text).is_loopback is is_loopback


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/accounts", "https://api.example/v1/accounts"),
        ("/accounts?a=1", "https://api.example/v1/accounts?a=1"),
        ("/", "https://api.example/v1/"),
        ("https://api.example/v1/accounts", "https://api.example/v1/accounts"),
        ("https://api.example/other", "https://api.example/other"),
        ("HTTPS://API.EXAMPLE:443/other", "https://api.example/other"),
        ("https://id.example:8443/userinfo", "https://id.example:8443/userinfo"),
        ("https://upload.example/a", "https://upload.example/a"),
    ],
)
def test_a_token_goes_to_the_providers_origins(target, sent):
    """A path is joined behind the base's path; a whole URL needs a known origin."""
    assert str(resolve(target, api_base=BASE, origins=ENDPOINTS)) == sent


@pytest.mark.parametrize("base", ["https://api.example", "https://api.example/"])
def test_a_base_without_a_path_adds_none(base):
    """However the base ends, there is one slash between base and path."""
    url = resolve("/a", api_base=base, origins=())

    assert str(url) == "https://api.example/a"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "https://evil.example/?https://api.example/",
        "https://api.example.evil.example/",
        "https://api.example:8443/",
        "https://id.example/",
        "https://localhost/",
    ],
)
def test_a_token_goes_nowhere_else(target):
    """The refusal names the origin asked for and the allowed ones."""
    with pytest.raises(UrlRefused) as refused:
        resolve(target, api_base=BASE, origins=ENDPOINTS)

    message = str(refused.value)
    assert parse_url(target).origin in message
    assert "https://api.example, https://id.example:8443" in message
    assert message.endswith("Nothing was sent.")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "accounts",
        "?a=1",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/../other",
        "/a/%2e%2e/%2e%2e/other",
        "/a#b",
        "/a b",
        "api.example/a",
        "@evil.example/",
        ":8443/",
        ".evil.example/",
        "http://api.example/v1/accounts",
        "https://api.example@evil.example/",
        "https:evil.example",
    ],
)
def test_a_target_that_could_lead_elsewhere_is_refused(target):
    """No joining makes a host out of a path."""
    with pytest.raises(UrlRefused, match="Nothing was sent"):
        resolve(target, api_base=BASE, origins=ENDPOINTS)


def test_a_base_with_a_query_is_refused():
    """There would be no place to join a path."""
    with pytest.raises(UrlRefused, match="The API base has a query"):
        resolve("/a", api_base=BASE + "?a=1", origins=())


@pytest.mark.parametrize(
    "value", ["api.example:8443", "API.example:8443"], ids=["same", "case"]
)
def test_a_host_header_may_say_what_the_url_says(value):
    """RFC 9110, section 7.2."""
    check_host_header(value, parse_url("https://api.example:8443/a"))


@pytest.mark.parametrize(
    "value",
    ["", "evil.example", "api.example", "api.example:443", "api.example:8443/a",
     "x@api.example:8443", "api.example:8443, evil.example", "api.example:8443#"],
)  # fmt: skip
def test_a_host_header_may_say_nothing_else(value):
    """A front-end that routes by Host would give the token to another."""
    with pytest.raises(UrlRefused, match="Host header"):
        check_host_header(value, parse_url("https://api.example:8443/a"))


HOSTS = st.sampled_from(
    ["api.example", "evil.example", "API.Example", "127.0.0.1", "127.1", "[::1]",
     "[::ffff:127.0.0.1]", "[2001:DB8:0:0::1]", "localhost", "xn--bcher-kva.example",
     "0x7f.1", "1.2.3.4", "01.2.3.4", "bücher.example", "\uff41pi.example",
     "api。example", "[fe80::1%25lo]", "a_b.example", "example.", "a..b", ""]
)  # fmt: skip
GLUE = st.sampled_from(
    ["@", ":", "/", "\\", "#", "?", ";", "&", "%40", "%2f", "%5c", "%00", "\t", "\n",
     "\r", " ", "\x00", "[", "]", "//", ":443", ":80", "user:pw@", ".", "..", "/..",
     "%2e", "。", "\uff0f", "℀", "\u00ad", "-", "'", "|", "^", "`", "{", "~", "%ZZ",
     "a"]
)  # fmt: skip
SCHEMES = st.sampled_from(
    ["https://", "http://", "HTTPS://", "https:/", "https:\\\\", "https:", "//",
     " https://", "ht\ttps://", "https:///"]
)  # fmt: skip
HOSTILE = st.tuples(
    SCHEMES, st.lists(HOSTS | GLUE | st.text(max_size=2), min_size=1, max_size=7)
).map(lambda parts: parts[0] + "".join(parts[1]))


@example("https://api.example/\x00")
@given(HOSTILE)
def test_what_is_accepted_is_read_alike_by_every_parser(text):
    """The text as given and the text as sent have one host in all parsers."""
    try:
        url = parse_url(text)
    except UrlRefused:
        return

    assert parse_url(str(url)) == url
    host = url.origin.partition("://")[2].removesuffix(f":{url.port}")
    target = url.path + (f"?{url.query}" if url.query else "")
    sent = httpx.URL(str(url))
    assert sent.raw_host.decode("ascii") == url.host
    assert (sent.port or {"https": 443, "http": 80}[sent.scheme]) == url.port
    assert sent.raw_path.decode("ascii") == target
    assert urlsplit(str(url)).netloc.removesuffix(f":{url.port}") == host
    if ":" not in url.host:  # IPv6 is sent in its short form, however it was given
        assert urlsplit(text).hostname == url.host
        assert httpx.URL(text).raw_host.decode("ascii") == url.host


PATHS = st.text(st.sampled_from("abzAZ09-._~!$&'()*+,;=:@/%?[]|2eE5cCfF"), max_size=20)


@given(PATHS)
def test_path_and_query_are_sent_byte_for_byte(path):
    """The HTTP library neither encodes nor shortens what the gate let through."""
    try:
        url = parse_url(f"https://api.example/{path}")
    except UrlRefused:
        return

    # A '?' with nothing behind it is no query and is not sent.
    assert str(url).rstrip("?") == f"https://api.example/{path}".rstrip("?")
    target = url.path + (f"?{url.query}" if url.query else "")
    assert httpx.URL(str(url)).raw_path == target.encode("ascii")


@given(HOSTILE | PATHS.map("/{}".format) | GLUE)
def test_what_resolves_has_an_origin_of_the_provider(target):
    """Whatever the target is, the token stays where it belongs."""
    try:
        url = resolve(target, api_base=BASE, origins=ENDPOINTS)
    except UrlRefused:
        return

    allowed = {"api.example", "id.example", "upload.example"}
    assert httpx.URL(str(url)).host in allowed
    assert url.scheme == "https"
    if not target.lower().startswith("https"):
        assert str(url).startswith("https://api.example/v1/")
