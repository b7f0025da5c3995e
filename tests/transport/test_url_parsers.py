"""Four parsers read what the gate lets through; none may see another host."""

from __future__ import annotations

import ipaddress
import json
import random
import subprocess
from urllib.parse import urlsplit

import httpx
import pytest
import urllib3
from scales import scaled

from oauthmagic.errors import UrlRefused
from oauthmagic.transport.urls import parse_url

#: Reads a list of texts; answers, for each, [scheme, host, port] or null.
WHATWG = """
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const read = (text) => {
  try {
    const url = new URL(text);
    return [url.protocol.slice(0, -1), url.hostname, url.port];
  } catch { return null; }
};
process.stdout.write(JSON.stringify(texts.map(read)));
"""
PORTS = {"https": 443, "http": 80}
SCHEMES = ("https://", "https://", "https://", "HTTPS://", "http://", "https:/", "//")
HOSTS = (
    "api.example", "API.Example", "evil.example", "localhost", "127.0.0.1", "[::1]",
    "[2001:DB8:0:0::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[1:2:3:4:5:6:7::]",
    "xn--bcher-kva.example", "xn--80ak6aa92e.example", "xn--a.example", "xn--.example",
    "xn--zzzzzzz.example", "xn--fa-hia.example", "ab--cd.example", "127.1", "0x7f.1",
    "0x7f000001", "2130706433", "1.2.3.4", "01.2.3.4", "1.2.3.4.5", "4.3.2.1.example",
    "1.example", "example.1", "example.0x1", "a_b.example", "-a.example", "a-.example",
    "example.", "a..b", "", "%61pi.example", "api%2eexample", "bücher.example",
    "\uff41pi.example", "api\u3002example", "faß.example", "\u200dapi.example",
)  # fmt: skip
PIECES = (
    "@", ":", "/", "\\", "#", "?", ";", "&", "=", "%40", "%2f", "%5c", "%00", "%0a",
    "\t", "\n", "\r", " ", "\x00", "\x7f", "[", "]", "//", ":443", ":80", ":8443",
    ":0443", ":+1", ":", ":65536", "user:pw@", "evil.example", "@evil.example", ".",
    "..", "/..", "/./", "%2e%2e", "\u3002", "\uff0f", "\u2100", "\u00ad", "\u202e",
    "-", "'", '"', "|", "^", "`", "{", "}", "~", "%ZZ", "a", "1", "*", "<", ">", ",",
    "!", "$", "(", ")", "+", "\ufeff", "\ud800",
)  # fmt: skip
PATHS = ("", "/", "/a", "/a//b", "/a@b:c", "?a=1", "/a?u=https://evil.example/@")


def generated(count):
    """Yield URLs: half of them well-formed but for a touch, half of them rubble."""
    chance = random.Random(20260101)  # noqa: S311 - the same in every run
    letters = "abcxn019-.:[]%@/"
    for _ in range(count):
        kind = chance.random()
        text = chance.choice(SCHEMES)
        if kind < 0.2:
            labels = chance.randrange(1, 5)
            text += ".".join(
                "".join(chance.choices("abcxn019-", k=chance.randrange(1, 7)))
                for _ in range(labels)
            )
            text += chance.choice(("", ":443", ":8443", ":1")) + chance.choice(PATHS)
        elif kind < 0.6:
            text += chance.choice(HOSTS) + chance.choice(("", ":443", ":8443"))
            text += chance.choice(PATHS)
            for _ in range(chance.randrange(3)):
                at = chance.randrange(len(text) + 1)
                piece = chance.choice((chance.choice(PIECES), chance.choice(letters)))
                text = text[:at] + piece + text[at + chance.randrange(2) :]
        else:
            text += "".join(
                chance.choice(chance.choice((HOSTS, PIECES)))
                for _ in range(chance.randrange(1, 7))
            )
        yield text


def by_urllib(text):
    """Read as the standard library does."""
    url = urlsplit(text)
    return url.scheme, url.hostname, url.port


def by_httpx(text):
    """Read as httpx does."""
    url = httpx.URL(text)
    return url.scheme, url.raw_host.decode("ascii"), url.port


def by_urllib3(text):
    """Read as urllib3, and with it requests, does."""
    url = urllib3.util.parse_url(text)
    return url.scheme, url.host, url.port


def alike(read):
    """Return what a parser read in one spelling, or None."""
    if read is None:
        return None
    scheme, host, port = read
    host = (host or "").strip("[]")
    if ":" in host:
        host = ipaddress.IPv6Address(host).compressed
    return scheme, host, int(port or PORTS.get(scheme, 0))


def attempt(parser, text):
    """Return what a parser of Python reads, or None where it refuses."""
    try:
        return alike(parser(text))
    except (ValueError, httpx.InvalidURL, urllib3.exceptions.LocationParseError):
        return None


@pytest.mark.needs("node")
def test_no_token_is_sent_where_parsers_disagree(component, figure):
    """As given and as sent: urllib, httpx, urllib3 and WHATWG read the same origin."""
    count = scaled(8_000, 200_000)
    let_through = []
    for text in generated(count):
        try:
            let_through.append((text, parse_url(text)))
        except UrlRefused:
            continue

    texts = [form for text, url in let_through for form in (text, str(url))]
    done = subprocess.run(
        [component("node"), "-e", WHATWG],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
    )
    whatwg = dict(zip(texts, map(alike, json.loads(done.stdout)), strict=True))
    disagreed = [
        (form, read)
        for text, url in let_through
        for form in (text, str(url))
        for read in (
            whatwg[form],
            *(attempt(parser, form) for parser in (by_urllib, by_httpx, by_urllib3)),
        )
        if read != (url.scheme, url.host, url.port)
    ]

    assert disagreed == []
    # Enough get through for this to say something, and enough do not.
    assert count / 20 < len(let_through) < count / 2
    figure(
        f"{count} generated URLs, four parsers: sent where they disagree",
        f"0 of {len(let_through)} let through",
    )
