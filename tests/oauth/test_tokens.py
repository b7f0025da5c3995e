"""Tokens as the user holds them, credentials, and tokens from elsewhere."""

import copy
import dataclasses
import pickle
from datetime import UTC, datetime, timedelta

import pytest

from oauthmagic.errors import CommandError, SecretRefused, UnknownName
from oauthmagic.oauth.adoption import read_adopted as adopter
from oauthmagic.oauth.credentials import Credentials
from oauthmagic.oauth.credentials import read_credentials as reader
from oauthmagic.oauth.outcomes import settled
from oauthmagic.oauth.tokens import Token, fingerprint
from oauthmagic.redaction import Secret

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def read_credentials(values):
    """Read credentials, or raise."""
    return settled(reader(values))


def read_adopted(tokens):
    """Read tokens to adopt, or raise."""
    return settled(adopter(tokens))


def a_token(**changes):
    """Return a token of 300 s that began now."""
    return Token(
        **{
            "target": "acme@sandbox",
            "access_token": Secret("canary-access"),
            "refresh_token": Secret("canary-refresh"),
            "issued_at": NOW,
            "expires_at": NOW + timedelta(seconds=300),
            "clock": lambda: NOW,
        }
        | changes
    )


@pytest.mark.parametrize(
    ("seconds_later", "leeway", "expired"),
    [(0, 0, False), (299, 0, False), (300, 0, True), (270, 30, True), (269, 30, False)],
)
def test_a_token_is_over_at_its_end_or_a_leeway_before(seconds_later, leeway, expired):
    """The end itself is already too late."""
    token = a_token(clock=lambda: NOW + timedelta(seconds=seconds_later))

    assert token.is_expired(leeway) is expired


def test_a_token_of_unknown_life_is_neither_valid_nor_expired():
    """Three answers: True, False, None."""
    token = a_token(expires_at=None)

    assert token.is_expired() is None
    assert token.remaining() is None


def test_a_token_without_access_token_is_over():
    """Only its refresh token was adopted: the first use must renew it."""
    assert a_token(access_token=None, expires_at=None).is_expired() is True


def test_what_remains_is_never_negative():
    """An hour after the end nothing remains."""
    assert a_token(clock=lambda: NOW + timedelta(hours=1)).remaining() == timedelta(0)


def test_a_token_is_frozen_and_shows_no_secret():
    """`repr`, `asdict` and attribute lists are safe to print."""
    token = a_token()

    assert "canary" not in repr(token) + str(dataclasses.asdict(token))
    with pytest.raises(dataclasses.FrozenInstanceError):
        token.grant = "password"


@pytest.mark.parametrize("protocol", range(6))
def test_a_token_refuses_pickling_with_advice(protocol):
    """The advice names the target to pass instead."""
    with pytest.raises(SecretRefused, match="cannot be pickled") as caught:
        pickle.dumps(a_token(), protocol)

    assert "'acme@sandbox'" in caught.value.hint


def test_a_copied_token_is_the_token():
    """It is a snapshot; there is nothing to copy."""
    token = a_token()

    assert copy.copy(token) is token
    assert copy.deepcopy([token])[0] is token


def test_fingerprints_tell_tokens_apart_and_depend_on_the_key():
    """Eight hexadecimal digits; another session has others."""
    first = fingerprint(Secret("one"), b"k")

    assert len(first) == 8
    assert int(first, 16) >= 0
    assert first == fingerprint(Secret("one"), b"k")
    assert first != fingerprint(Secret("two"), b"k")
    assert first != fingerprint(Secret("one"), b"another")
    assert fingerprint(None, b"k") == ""


def test_credentials_come_from_a_mapping_in_lower_case():
    """Secrets are hidden at once; nothing is kept of empty values."""
    found = read_credentials({"client_id": "me", "client_secret": "s3", "password": ""})

    assert found.client_id == "me"
    assert found.client_secret.reveal() == "s3"
    assert found.missing(["client_id", "password", "username"]) == (
        "password",
        "username",
    )
    assert "s3" not in repr(found)
    assert read_credentials(None).missing(["client_id"]) == ("client_id",)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("client_id=me", "Credentials are a mapping, not str."),
        ({"clientid": "me"}, "Did you mean 'client_id'?"),
        ({"password": 1234}, "The credential 'password' is not a text but int."),
        ({"username": "\ud800"}, "has characters that UTF-8 cannot write"),
    ],
)
def test_what_are_no_credentials_is_refused_without_quoting_values(values, said):
    """The sentence names the field, never the value."""
    with pytest.raises(CommandError) as caught:
        read_credentials(values)

    assert said in str(caught.value)
    assert "1234" not in str(caught.value)


def test_credentials_complete_each_other():
    """What comes first wins, field by field; nothing comes from another client."""
    held = Credentials(client_id="a", username="u", password=Secret("fake-password"))

    assert Credentials(client_id="a").over(held).username == "u"
    assert Credentials(username="v").over(held).client_id == "a"
    assert Credentials(username="v").over(held).password is None
    assert not Credentials(client_id="b").over(held).username


def test_an_adopted_token_begins_now():
    """`expires_in: 0` is expired, fractions are floored, scope is split."""
    token = read_adopted(
        {
            "access_token": "at",
            "refresh_token": "rt",
            "expires_in": 12.9,
            "scope": "a b",
        }
    ).token(target="acme@sandbox", client_id="", alias="", clock=lambda: NOW)

    assert token.expires_at == NOW + timedelta(seconds=12)
    assert token.scopes == {"a", "b"}
    assert token.grant == "adopted"
    gone = read_adopted({"access_token": "at", "expires_in": 0})
    assert gone.token(
        target="t", client_id="", alias="", clock=lambda: NOW
    ).is_expired()


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ("at", "Tokens to adopt are a mapping, not str."),
        ({"acces_token": "at"}, "Did you mean 'access_token'?"),
        ({}, "neither an access_token nor a refresh_token"),
        ({"access_token": 7}, "The access_token is not a text"),
        (
            {"access_token": "a\nb"},
            "The access_token is not a text that can be a token",
        ),
        ({"access_token": "at", "expires_in": "soon"}, "not a number of seconds"),
        ({"access_token": "at", "expires_in": True}, "not a number of seconds"),
        ({"access_token": "at", "expires_in": float("nan")}, "not a number of seconds"),
        ({"access_token": "at", "scope": 'a"b'}, "Not a scope"),
    ],
)
def test_what_cannot_be_adopted_is_refused(tokens, said):
    """One sentence, with a suggestion for a misspelt member."""
    with pytest.raises(CommandError) as caught:
        read_adopted(tokens)

    assert said in str(caught.value)


def test_an_unknown_credential_is_an_unknown_name():
    """So that the hint can list the known ones."""
    with pytest.raises(UnknownName) as caught:
        read_credentials({"user": "me"})

    assert "username" in caught.value.hint
