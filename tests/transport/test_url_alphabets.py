"""Which characters a URL may have where: all of ASCII is tried in each place."""

import string

import pytest

from oauthmagic.errors import UrlRefused
from oauthmagic.transport.urls import Url, check_host_header, parse_url, resolve

ALNUM = string.ascii_letters + string.digits
ASCII = [chr(code) for code in range(128)]
UNRESERVED = ALNUM + "-._~"
SUB_DELIMS = "!$&'()*+,;="
HEX = "0123456789abcdefABCDEF"


def refusal(text):
    """Return why a URL is refused; an empty text if it is not."""
    try:
        parse_url(text)
    except UrlRefused as error:
        message, hint = str(error), error.hint
    else:
        return ""
    assert message.startswith("The URL ")
    assert message.endswith(". Nothing was sent.")
    assert hint
    return message.removeprefix("The URL ")


@pytest.mark.parametrize(
    ("place", "allowed"),
    [
        ("https://api.example/{}", UNRESERVED.replace(".", "") + SUB_DELIMS + ":@?"),
        ("https://api.example/a{}b", UNRESERVED + SUB_DELIMS + ":@/?"),
        ("https://api.example/a?{}", UNRESERVED + SUB_DELIMS + ":@/?[]|"),
        ("https://{}x.example/", ALNUM),
        ("https://x{}.example/", ALNUM + "/?"),
        ("https://x{}x.example/", ALNUM + "-./?"),
        ("https://api.x{}/", ALNUM + "?"),
        ("https://api.example:{}", "123456789"),
        ("https://api.example:1{}", string.digits + "/?"),
    ],
)
def test_a_place_has_its_alphabet(place, allowed):
    """RFC 3986, section 3; servers put `[`, `]` and `|` into queries unencoded."""
    accepted = {each for each in ASCII if not refusal(place.format(each))}

    assert accepted == set(allowed)


@pytest.mark.parametrize("first", ["", "a"])
def test_a_scheme_has_its_alphabet(first):
    """RFC 3986, section 3.1: it is read as one, and then it is not https."""
    read = {
        each
        for each in ASCII
        if refusal(f"{first}{each}://api.example/").startswith("has the scheme")
    }

    assert read == set(ALNUM + "+-." if first else string.ascii_letters)


@pytest.mark.parametrize("part", ["/", "/a?b="])
def test_an_escape_is_two_hexadecimal_digits(part):
    """Each of the 484 is accepted, but for NUL, CR, LF, a dot alone and the like."""
    base = f"https://api.example{part}x"
    pairs = [high + low for high in HEX for low in HEX]

    refused = {pair.lower() for pair in pairs if refusal(f"{base}%{pair}x")}

    assert refused == {"00", "0a", "0d"}
    for wrong in ("%", "%4", "%4g", "%g4", "%%41", "%-1"):
        assert "must be encoded" in refusal(base + wrong)
    for pair in ("00", "0a", "0A", "0d", "0D"):
        assert "line break or NUL" in refusal(f"{base}%{pair}")


@pytest.mark.parametrize("last", [*string.digits, "10", "0x", *(f"0x{x}" for x in HEX)])
def test_a_host_that_ends_in_a_number_is_an_address(last):
    """Browsers read it as one (WHATWG URL, host parser); then it has to be one."""
    assert "unusual IPv4" in refusal(f"https://api.example.{last}/")
    assert refusal(f"https://{last}.example/") == ""


@pytest.mark.parametrize("last", ["0y", "0xg", "1a", "x1", "0a"])
def test_a_host_that_ends_in_no_number_is_a_name(last):
    """Whatever else is in it."""
    assert refusal(f"https://api.{last}/") == ""


@pytest.mark.parametrize(
    ("port", "accepted"),
    [("1", True), ("9", True), ("10000", True), ("65535", True), ("65536", False),
     ("99999", False), ("100000", False), ("080", False), ("0", False)],
)  # fmt: skip
def test_a_port_is_a_number_up_to_65535(port, accepted):
    """Without zeros in front: not every parser ignores them."""
    text = f"https://api.example:{port}/"

    assert (refusal(text) == "") is accepted
    assert accepted or "has no valid port" in refusal(text)
    assert not accepted or parse_url(text).port == int(port)


@pytest.mark.parametrize("host", ["a[b", "a]b", "[a", "a]", "[::1]a", "[[::1]]"])
def test_a_bracket_belongs_to_an_ipv6_address(host):
    """A host with one elsewhere is not read at all."""
    assert "has a host that cannot be read" in refusal(f"https://{host}/")


@pytest.mark.parametrize("address", ["::1.2.3.4", "fe80::1%a", "1.2.3.4", "g::", ""])
def test_an_ipv6_address_is_of_hexadecimal_digits(address):
    """Not every parser knows the other forms."""
    assert "IPv6 address that cannot be used" in refusal(f"https://[{address}]/")


@pytest.mark.parametrize("length", [1, 61, 62, 63, 64])
def test_a_label_is_bounded(length):
    """RFC 1035, section 2.3.4."""
    assert bool(refusal(f"https://{'a' * length}.example/")) is (length > 63)


def test_a_name_is_bounded():
    """253 characters, and not one more (RFC 1035, section 2.3.4)."""
    labels = ".".join(["a" * 63] * 3)

    assert refusal(f"https://{labels}.{'a' * 61}/") == ""
    assert "host that is no name" in refusal(f"https://{labels}.{'a' * 62}/")


def test_a_url_is_bounded():
    """65,536 characters are what the HTTP library takes."""
    start = "https://api.example/"

    assert refusal(start + "a" * (65536 - len(start))) == ""
    assert "longer than 65536" in refusal(start + "a" * (65537 - len(start)))


def test_a_url_is_frozen():
    """What was let through stays what it was."""
    url = Url(scheme="https", host="api.example", port=443)

    assert (url.path, url.query, str(url)) == ("/", "", "https://api.example/")
    assert not hasattr(url, "__dict__")
    with pytest.raises(AttributeError):
        url.host = "evil.example"
    with pytest.raises(TypeError):
        Url("https", "api.example", 443)


@pytest.mark.parametrize(
    ("target", "base", "says", "hint"),
    [
        ("/a", "https://x/?b", "API base has a query", "scheme, host and path"),
        ("/a", "http://x/", "API base sends to x without", "Write https"),
        ("//a", "https://x/", "request target begins with two", "with one"),
        ("a", "https://x/", "request target begins neither", "for example /accounts"),
        ("/a b", "https://x/", "request target holds a blank", "Percent-encode"),
        ("https://x/ ", "https://x/", "request target holds a blank", "Percent-encode"),
        ("https://y/", "https://x/", "token may not be sent to https://y", "the path"),
    ],
)
def test_a_refusal_says_what_and_what_to_do(target, base, says, hint):
    """What is refused by its name, and the way on in the hint."""
    with pytest.raises(UrlRefused) as refused:
        resolve(target, api_base=base, origins=())

    assert f"The {says}" in str(refused.value)
    assert hint in refused.value.hint


@pytest.mark.parametrize("value", ["a/b", "a?b", "a#b", "b", "a b"])
def test_a_refused_host_header_is_to_be_left_out(value):
    """It is no URL, and nothing of one is in it."""
    with pytest.raises(UrlRefused, match="Host header") as refused:
        check_host_header(value, parse_url("https://a/"))

    assert str(refused.value).endswith("Nothing was sent.")
    assert refused.value.hint


def test_a_refusal_has_nothing_of_the_url_behind_it():
    """Python's own error would quote the address, and a traceback would show it."""
    for text in ("https://127.1/", "https://[plainly-fake]/", "https://[::1%25a]/"):
        with pytest.raises(UrlRefused) as refused:
            parse_url(text)
        assert refused.value.__suppress_context__ or not refused.value.__context__
