"""A server that repeats tokens, sends too much or lies about it."""

import gc
import json
import pickle
import time
import tracemalloc

import pytest

from oauthmagic.errors import ReplyError
from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import MOST_REMEMBERED, Secret
from oauthmagic.transport.wire import WireRequest
from oauthmagic.views.html import reply_html
from oauthmagic.views.replies import Headers, Reply
from oauthmagic.views.texts import (
    headers_text,
    reply_line,
    request_text,
)
from oauthmagic.views.tokens import token_html, token_text

TOKEN = "canary-" + "Zq9xT7wB3kL5mN8" * 20
PIECE = TOKEN[7:22]


@pytest.fixture
def token():
    """A token that the redactor knows."""
    return Secret(TOKEN)


def a_reply(body=b"", kind="text/plain", headers=(), **changes):
    """Return a reply."""
    return Reply(
        **{
            "status": 200,
            "headers": Headers((("content-type", kind), *headers)),
            "body": body,
            "elapsed": 0.01,
            "method": "GET",
            "url": "https://api.acme.example/items",
        }
        | changes
    )


def shown(reply):
    """Return everything that is shown of a reply."""
    line = reply_line(reply)
    return "\n".join([repr(reply), reply_html(reply), reply.exchange, line])


@pytest.mark.parametrize("before", [3800, 3999, 4000, 16_300, 16_384, 524_200])
@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_a_token_across_a_cut_is_not_shown(token, before, kind):
    """What is cut is the redacted text, so that no half of a token is left."""
    text = "x" * before + TOKEN + "y" * 5000
    body = json.dumps([text] if kind.endswith("json") else text).encode()
    request = WireRequest(
        method="POST",
        url="https://api.acme.example/",
        headers=(("content-type", kind),),
        body=body,
    )

    assert PIECE not in shown(a_reply(body, kind)) + request_text(request)
    assert token


def test_masks_do_not_bring_the_end_into_view(token):
    """A body that is nearly all tokens shrinks; what follows was looked at, too."""
    reply = a_reply(f"{TOKEN} ".encode() * 5000)

    assert PIECE not in shown(reply)
    assert token


def test_a_reply_stays_masked_after_its_token_is_gone():
    """It is shown again whenever the notebook is; the token was renewed since."""
    secret = Secret("canary-of-an-old-reply")
    reply = a_reply(b"got canary-of-an-old-reply", secrets=(secret,))
    forgotten = a_reply(b"got canary-of-a-forgotten-reply")
    Secret("canary-of-a-forgotten-reply")
    del secret
    gc.collect()

    assert "canary" not in shown(forgotten)
    for number in range(MOST_REMEMBERED):
        Secret(f"canary-renewal-{number}")
    assert "canary" not in shown(reply)


@pytest.mark.parametrize(
    "charset", ["utf-16", "utf-16-le", "utf-32", "latin-1", "shift_jis"]
)
def test_a_body_is_redacted_in_its_charset(token, charset):
    """First decoded, then redacted."""
    reply = a_reply(
        f"ä {TOKEN}".encode(charset, "replace"), f"text/x; charset={charset}"
    )

    assert PIECE not in shown(reply)
    assert "[secret]" in repr(reply)
    assert token


@pytest.mark.parametrize(
    "charset",
    [
        *("idna", "undefined", "punycode", "unicode_escape", "raw_unicode_escape"),
        *("rot13", "base64", "zip", "mbcs", "utf-7", "\x00", "x" * 100_000, '"', ""),
    ],
)
def test_a_charset_that_is_none_is_utf_8(charset):
    """Python knows codecs that raise, decompress or are no charsets."""
    reply = a_reply("é\u3002.".encode() + b"\xff..", f"text/plain; charset={charset}")

    assert reply.text == "é\u3002.\ufffd.."
    assert "é" in repr(reply)


def test_headers_and_urls_are_shown_without_secrets(token):
    """Known ones in any header, unknown ones where a name gives them away."""
    location = ("location", "https://x.example/?code=canary-1#access_token=canary-2")
    reply = a_reply(
        headers=(location, ("x-echo", f"a\x1b[31m{TOKEN}"), ("set-cookie", "canary-3")),
        url=f"https://api.acme.example/?q={TOKEN}&Access_Token=canary-4",
    )

    text = shown(reply) + headers_text(reply)

    assert "canary" not in text
    assert PIECE not in text
    assert "\x1b" not in text
    assert token


def test_errors_about_a_reply_show_no_token(token):
    """Its media type, URL and members are the server's words."""
    url = f"https://api.acme.example/?q={TOKEN}"
    reply = a_reply(b"<p>", f"text/{TOKEN}", url=url, status=200)
    members = {TOKEN: 1, "\x1b]0;title\x07": 2, "\u202eevil": 3}

    errors = []
    for each, path in [
        (reply, None),
        (a_reply(b"{}", url=url, status=500), None),
        (a_reply(json.dumps(members).encode(), "application/json"), f"{TOKEN}x"),
    ]:
        with pytest.raises(ReplyError) as caught:
            each.frame(path)
        errors += [str(caught.value), caught.value.hint]

    assert PIECE not in "".join(errors)
    assert {"\x1b", "\u202e"}.isdisjoint("".join(errors))
    assert token


def test_a_hint_names_some_members_of_many():
    """A hundred thousand names make no hint of two megabytes."""
    body = json.dumps({f"member-{number}": 1 for number in range(100_000)}).encode()

    with pytest.raises(ReplyError) as caught:
        a_reply(body, "application/json").frame("membr-7")

    assert "Did you mean 'member-7'?" in str(caught.value)
    assert caught.value.hint.endswith("member-11 and 99988 more.")


def test_a_large_reply_is_shown_at_the_price_of_a_small_one():
    """Of 20 MiB the beginning is looked at; nothing is made before it is asked for."""
    body = json.dumps([{"id": 1, "name": "x" * 50}]).encode()[1:-1]
    body = b"[" + b",".join([body] * (20 * 2**20 // len(body))) + b"]"

    tracemalloc.start()
    started = time.process_time()
    reply = a_reply(body, "application/json")
    text = shown(reply)
    took, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert took < 2
    assert peak < 16 * 2**20
    assert f"... and more, of {len(body):,} bytes" in text
    assert len(text) < 30_000


def test_unknown_tokens_in_a_large_or_broken_body_are_not_shown():
    """Where JSON is not read, the names still give them away."""
    member = '"access_token" : "canary-1", "Password":"canary-2", '
    nested = json.dumps(json.dumps({"refresh_token": "canary-3"}))
    broken = a_reply(f"{{{member}{nested}".encode(), "application/json")
    large = a_reply(f"[{{{member}".encode() + b" " * 2**20, "application/json")

    assert "canary" not in shown(broken) + shown(large)


def test_half_a_surrogate_pair_can_be_printed():
    """JSON may hold what no output can write."""
    reply = a_reply(b'["\\ud800 a"]', "application/json")

    shown(reply).encode()
    assert "� a" in repr(reply)


def test_a_token_with_endless_scopes_is_shown_in_a_few_lines(demo_clock):
    """Some are named, the others counted."""
    scopes = frozenset(f"scope-{number}" for number in range(100_000))
    token = Token(
        target="acme",
        access_token=None,
        scopes=scopes,
        scopes_requested=frozenset({"x" * 100_000}),
        issued_at=demo_clock(),
        clock=demo_clock,
    )

    assert len(token_text(token) + token_html(token)) < 5000
    assert "and 99960 more" in token_text(token)


def test_a_reply_can_be_pickled_without_its_secrets(token):
    """What was received is data; what it was sent with is not."""
    reply = a_reply(b"[1]", "application/json", secrets=(token,))

    copy = pickle.loads(pickle.dumps(reply))  # noqa: S301 - our own

    assert copy.json() == [1]
    assert copy.secrets == ()


def test_the_line_of_a_reply_shows_no_secret(token):
    """What `--out` prints."""
    reply = a_reply(url=f"https://x.example/?a={TOKEN}", note="waited", hint="Wait.")

    assert reply_line(reply) == (
        "GET https://x.example/?a=[secret]: 200 OK (waited)\nHint: Wait."
    )
    assert token
