"""Text with a secret in it can be cleaned, however the secret is written there."""

import base64
import hashlib
import html
import io
import json
import logging
import re
import threading
import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.redaction import (
    MASK,
    RedactingFilter,
    Secret,
    holds_secret,
    quote,
    redact,
)
from oauthmagic.redaction.folding import fold
from oauthmagic.redaction.values import register_lock

CANARY = "canary-7f3a9 +é/\"%&'<b>"


MIDDLE = len(CANARY) // 2


def percent(value):
    """Return a text with every character percent-encoded, in lower case."""
    return "".join(f"%{octet:02x}" for octet in value.encode())


def php(value):
    """Return a text as PHP writes it in JSON, with its options for HTML."""
    text = json.dumps(value)[1:-1].replace("/", "\\/").replace('\\"', "\\u0022")
    return re.sub("[&'<>+]", lambda found: f"\\u{ord(found[0]):04X}", text)


WAYS = {
    "plain": lambda value: value,
    "percent": lambda value: urllib.parse.quote(value, safe=""),
    "percent, slashes kept": urllib.parse.quote,
    "percent, lower case": percent,
    "percent, twice": lambda value: urllib.parse.quote(percent(value)),
    "percent, three times": lambda value: urllib.parse.quote(
        urllib.parse.quote(percent(value))
    ),
    "percent, Latin-1": lambda value: urllib.parse.quote(value.encode("latin-1")),
    "form": urllib.parse.quote_plus,
    "JSON": json.dumps,
    "JSON, not ASCII": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "JSON in percent": lambda value: urllib.parse.quote(json.dumps(value)),
    "PHP": php,
    "PHP, lower case": lambda value: re.sub(
        r"\\u[0-9A-F]{4}", lambda found: found[0].lower(), php(value)
    ),
    "JavaScript": lambda value: "".join(f"\\u{{{ord(each):x}}}" for each in value),
    "HTML": html.escape,
    "HTML, twice": lambda value: html.escape(html.escape(value)),
    "HTML, PHP": lambda value: html.escape(value).replace("&#x27;", "&#039;"),
    "HTML, decimal": lambda value: "".join(f"&#{ord(each)};" for each in value),
    "HTML, hexadecimal": lambda value: "".join(f"&#x{ord(each):X};" for each in value),
    "repr": repr,
    "repr of bytes": lambda value: repr(value.encode()),
    "ascii": ascii,
    "pieces": lambda value: f"('{value[:MIDDLE]}'\n '{value[MIDDLE:]}')",
    "reversed": lambda value: value[::-1],
    "hex": lambda value: value.encode().hex(),
    "hex, upper case": lambda value: value.encode().hex().upper(),
    "hex with colons": lambda value: value.encode().hex(":"),
    "hex with blanks": lambda value: value.encode().hex(" "),
    "base32": lambda value: base64.b32encode(value.encode()).decode(),
    "base32, lower case": lambda value: (
        base64.b32encode(value.encode()).decode().lower()
    ),
    **{
        f"base32, after {shift}": lambda value, shift=shift: base64.b32encode(
            b"a" * shift + value.encode()
        ).decode()
        for shift in range(1, 5)
    },
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "base64 in percent": lambda value: percent(
        base64.b64encode(value.encode()).decode()
    ),
    "base64 in lines": lambda value: "\n  ".join(
        re.findall(".{1,9}", base64.b64encode(value.encode()).decode())
    ),
    **{
        f"Basic, {name}, after {shift}": lambda value, shift=shift, write=write: (
            base64.b64encode(f"{'i' * shift}:{write(value)}".encode()).decode()
        )
        for name, write in {
            "raw": str,
            "form": urllib.parse.quote_plus,
            "percent": lambda value: urllib.parse.quote(value, safe=""),
            "JSON": lambda value: json.dumps(value)[1:-1],
        }.items()
        for shift in range(3)
    },
    "UTF-16 as UTF-8": lambda value: value.encode("utf-16-le").decode(
        "utf-8", "replace"
    ),
    "UTF-16BE as UTF-8": lambda value: value.encode("utf-16-be").decode(
        "utf-8", "replace"
    ),
    "UTF-16 as Latin-1": lambda value: value.encode("utf-16").decode("latin-1"),
    "repr of UTF-16": lambda value: repr(value.encode("utf-16-le")),
    "UTF-8 as Latin-1": lambda value: value.encode().decode("latin-1"),
    "UTF-8 as ASCII": lambda value: value.encode().decode("ascii", "replace"),
    "wrapped": lambda value: f"{value[:MIDDLE]}\r\n    {value[MIDDLE:]}",
    "continued": lambda value: f"{value[:MIDDLE]}\\\n{value[MIDDLE:]}",
    "coloured": lambda value: f"{value[:MIDDLE]}\x1b[1;31m{value[MIDDLE:]}",
    "coloured, in JSON": lambda value: json.dumps(
        f"{value[:MIDDLE]}\x1b[1;31m{value[MIDDLE:]}"
    ),
    "with what does not show": "\u200b".join,
}


@pytest.mark.parametrize("way", WAYS)
def test_the_redactor_knows_a_secret_in_every_form(way):
    """However a server echoes it, the text is clean, and the rest of it is kept."""
    secret = Secret(CANARY)
    written = WAYS[way](secret.reveal())

    cleaned = redact(f"before {written} after")

    assert MASK in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    assert len(cleaned) < len(f"before {MASK} after") + 18
    assert holds_secret(written)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("token", ["abc_DEF-ghi.0123456789~xyz", "pässwörd-€-42"])
def test_other_secrets_are_known_in_these_forms_too(way, token):
    """A token of the usual alphabet, and a password beyond Latin-1."""
    if not token.isascii() and "Latin-1" in way:
        return
    secret = Secret(token)

    assert MASK in redact(f"<{WAYS[way](token)}>")
    assert secret


@given(
    st.text(min_size=12, max_size=40).filter(lambda text: text.isprintable()),
    st.lists(
        st.sampled_from(
            [
                percent,
                urllib.parse.quote_plus,
                json.dumps,
                html.escape,
                ascii,
                lambda value: json.dumps(value).replace("/", "\\/"),
                lambda value: value[:5] + "\n" + value[5:],
            ]
        ),
        max_size=2,
    ),
)
def test_a_secret_is_known_under_two_layers(value, ways):
    """Whatever value, whatever two ways one over the other (property)."""
    if len(fold(value)) < 12:
        return
    secret = Secret(value)
    written = value
    for way in ways:
        written = way(written)

    assert holds_secret(f"({written})")
    assert secret


@given(
    st.text(min_size=6, max_size=40).filter(lambda text: text.strip() == text),
    st.text(max_size=3),
    st.text(max_size=3),
)
def test_no_live_secret_survives(value, before, after):
    """Any text around any value: the value is gone (property)."""
    secret = Secret(value)
    encoded = base64.b64encode((before + value + after).encode("utf-8", "replace"))
    if "\ufffd" in value or not value.isprintable() or set(value) <= set(MASK):
        return

    assert value not in redact(f"{before} {value} {after}")
    assert secret
    if value.encode("utf-8", "replace") in (before + value + after).encode():
        inner = base64.b64encode(value.encode()).decode().rstrip("=")
        assert len(inner) < 12 or inner[3:-3] not in redact(encoded.decode())


def test_a_short_secret_is_masked_only_where_it_stands_alone():
    """A password of four letters does not blank out words."""
    secret = Secret("cat")

    assert redact("the cat sat in the catalogue") == f"the {MASK} sat in the catalogue"
    assert secret


def test_an_authorization_header_is_masked_even_if_unknown():
    """A token that is not ours does not belong into a log either."""
    assert redact("Authorization: Bearer abcdefghij0123456789") == (
        f"Authorization: Bearer {MASK}"
    )
    assert (
        redact("Basic authentication is required") == "Basic authentication is required"
    )


def test_server_text_is_made_visible_and_cut():
    """Control and direction characters go, and so does what is too long."""
    assert quote("a\x1b[31m\u202eb\nc") == "a [31m b c"
    assert len(quote("x" * 1000)) == 300
    assert quote({"not": "a text"}) == ""


def test_the_log_filter_cleans_messages_arguments_and_tracebacks():
    """Whatever a library logs, the secret is masked."""
    secret = Secret("logged-canary-1")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("tests.redaction")
    logger.propagate = False
    logger.addHandler(handler)

    logger.warning("token %s and %r", "logged-canary-1", {"a": "logged-canary-1"})
    try:
        int("logged-canary-1")
    except ValueError:
        logger.exception("failed")
    logger.warning("%d", "not a number")
    logger.removeHandler(handler)

    assert "logged-canary-1" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert secret


def test_words_do_not_make_up_a_short_secret():
    """Blanks are ignored where a long value is looked for, not in prose."""
    secret = Secret("themonday")

    assert redact("on them on day one, themonday") == f"on them on day one, {MASK}"
    assert secret


def test_a_secret_across_the_end_is_masked():
    """A text of which only the beginning is wanted shows no half of a secret."""
    secret = Secret("canary-across-the-end")

    assert redact("0123 canary-across-the-end 4567", upto=12) == f"0123 {MASK}"
    assert redact(f"0123 {percent(secret.reveal())} 4567", upto=12) == f"0123 {MASK}"
    assert redact("0123 4567", upto=4) == "0123"


@pytest.mark.parametrize(
    "text",
    [
        "x" * 290 + " canary-in-the-quote",
        "x" * 5990 + "canary-in-the-quote",
        "\u200b" * 5990 + "canary-in-the-quote",
        "canary\u200b-in-\u2060the-quote",
        "canary-\x1b[31min-the-quote",
    ],
)
def test_no_part_of_a_secret_is_quoted(text):
    """Cutting comes last, and characters that do not show hide nothing."""
    secret = Secret("canary-in-the-quote")

    assert "canary" not in quote(text)
    assert "quote" not in quote(text)
    assert secret


def test_tokens_that_end_alike_are_told_apart():
    """Each of many tokens is found, whatever they have in common."""
    secrets = [Secret(f"canary-{number}-{'same-end-' * 5}") for number in range(50)]

    for number in (0, 7, 49):
        text = f"<canary-{number}-{'same-end-' * 5}>"
        assert redact(text) == f"<{MASK}>"
    assert secrets


HOSTILE = {
    "prose": "lorem ipsum dolor sit amet " * 20_000,
    "percent": "%" + "25" * 250_000,
    "percents": "%" * 500_000,
    "backslashes": "\\" * 500_000,
    "entities": "&amp;" * 100_000,
    "quotes": '"' + "\n" * 500_000,
    "colours": "\x1b[" + "0" * 500_000,
    "blanks": "bearer" + " " * 500_000,
    "repeated": "ab" * 250_000,
}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_takes_time_in_proportion(text):
    """Half a megabyte of anything, 200 long tokens: far from a quadratic time."""
    secrets = [
        Secret(hashlib.sha512(number.to_bytes()).hexdigest() * 8)
        for number in range(200)
    ]
    redact("")

    started = time.process_time()
    redact(HOSTILE[text])

    assert time.process_time() - started < 5
    assert secrets


def test_a_finalizer_may_log_while_a_secret_is_registered():
    """Memory is allocated under the lock, so anything may run there."""

    def log():
        with register_lock:
            done.append(redact(Secret("canary-under-lock").reveal()))

    done = []
    thread = threading.Thread(target=log, daemon=True)
    thread.start()
    thread.join(30)

    assert done == [MASK]


def test_a_secret_is_masked_wherever_it_stands():
    """The first, the last, and those between."""
    secret = Secret(value := "fake-value-that-comes-again")

    assert redact(f"{value}, {value}; {value} {value}") == (
        f"{MASK}, {MASK}; {MASK} {MASK}"
    )
    assert secret


def test_a_value_that_could_be_a_word_is_one_where_the_caller_says_so():
    """A line that says "demo" is not refused because a password is "demo"."""
    secret = Secret("demo")

    assert holds_secret("%token demo")
    assert not holds_secret("%token demo", short=False)
    assert secret
