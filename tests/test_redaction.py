"""Secrets do not show, and text with one in it can be cleaned."""

import base64
import copy
import html
import io
import json
import logging
import pickle
import pprint
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import OAuthMagicError, SecretRefused
from oauthmagic.redaction import MASK, RedactingFilter, Secret, quote, redact


def numbered(*ways):
    """Functions have no names to tell them apart in a report."""
    return [pytest.param(way, id=f"way-{number}") for number, way in enumerate(ways)]


CANARY = "canary-7f3a9 +é/\"%&'<b>"


@pytest.mark.parametrize(
    "show",
    numbered(
        repr,
        str,
        format,
        "{}".format,
        "{!r:>40}".format,
        lambda secret: f"{secret}{secret!r}{secret!s}",
        lambda secret: "%s" % secret,  # noqa: UP031 - one of the ways
        ascii,
        pprint.pformat,
        lambda secret: str([secret]) + str({"a": secret}) + str((secret,)),
        lambda secret: json.dumps({"a": secret}, default=str),
        dir,
        lambda secret: secret.reveal.__doc__,
        lambda secret: str(secret._open),
    ),
)
def test_a_secret_does_not_show(show):
    """Whatever turns it into text shows a mask."""
    assert CANARY not in str(show(Secret(CANARY)))


@pytest.mark.parametrize(
    "use",
    numbered(
        lambda secret: secret == CANARY,
        lambda secret: secret != CANARY,
        lambda secret: secret == secret,  # noqa: PLR0124 - even that
        hash,
        len,
        iter,
        list,
        lambda secret: secret[0],
        lambda secret: "c" in secret,
        lambda secret: secret + "x",
        lambda secret: "x" + secret,
        bytes,
        lambda secret: setattr(secret, "_open", None),
        *[
            lambda secret, protocol=protocol: pickle.dumps(secret, protocol)
            for protocol in range(6)
        ],
    ),
)
def test_a_secret_refuses_to_be_used_by_accident(use):
    """Comparing, measuring, joining and pickling raise, and say what to do."""
    with pytest.raises(SecretRefused) as caught:
        use(Secret(CANARY))

    assert CANARY not in str(caught.value)
    assert caught.value.hint


def test_a_secret_has_no_attributes_to_list():
    """`vars` has nothing to show."""
    with pytest.raises(TypeError):
        vars(Secret(CANARY))


def test_a_secret_is_true_and_reveals_itself_when_asked():
    """`if token.refresh_token` works; the value needs a word of its own."""
    secret = Secret(CANARY)

    assert secret
    assert secret.reveal() == CANARY


def test_copies_share_the_handle():
    """A deep copy of what holds a secret does not multiply the value."""
    secret = Secret(CANARY)

    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": secret})["a"] is secret


def test_a_secret_is_a_text():
    """Anything else is refused without being repeated."""
    with pytest.raises(SecretRefused, match="not bytes"):
        Secret(b"canary")


@pytest.mark.parametrize(
    "encode",
    numbered(
        lambda value: value,
        urllib.parse.quote,
        lambda value: urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus,
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False),
        html.escape,
        repr,
        lambda value: value[::-1],
        lambda value: value.encode().hex(),
        lambda value: value.encode().hex().upper(),
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
        lambda value: base64.b64encode(f"id:{value}".encode()).decode(),
        lambda value: base64.b64encode(f"i:{value}:".encode()).decode(),
        lambda value: base64.b64encode(f"{value}:secret".encode()).decode(),
    ),
)
def test_the_redactor_knows_a_secret_in_every_form(encode):
    """However a server echoes it, the text is clean afterwards."""
    secret = Secret(CANARY)
    text = f"before {encode(secret.reveal())} after"

    cleaned = redact(text)

    assert MASK in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    assert encode(secret.reveal())[4:-4] not in cleaned


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


def test_a_secret_that_is_gone_is_forgotten():
    """The redactor keeps no secret alive."""
    secret = Secret("gone-and-forgotten")
    del secret

    assert redact("gone-and-forgotten") == "gone-and-forgotten"


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


def test_refusals_are_errors_of_ours_and_type_errors():
    """`except TypeError` around a foreign serializer still works."""
    assert issubclass(SecretRefused, OAuthMagicError)
    assert issubclass(SecretRefused, TypeError)
