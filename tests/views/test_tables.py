"""The table of tokens says of each what the token says, however many there are."""

import time
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scales import scaled

from oauthmagic.oauth.tokens import Token
from oauthmagic.redaction import Secret
from oauthmagic.views.tables import status, token_table

NOW = datetime(2030, 1, 1, 9, tzinfo=UTC)
SECRET = Secret("canary-of-the-token-table")


def a_token(*, now=NOW, expires=None, access=True, **changes):
    """Return a token that goes by a clock of its own."""
    return Token(
        target=changes.pop("target", "acme@sandbox"),
        access_token=SECRET if access else None,
        issued_at=NOW,
        expires_at=expires,
        clock=lambda: now,
        **changes,
    )


MOMENTS = st.integers(-(10**10), 10**10).map(
    lambda microseconds: NOW + timedelta(microseconds=microseconds)
)


@settings(max_examples=scaled(30, 2000))
@given(
    st.lists(
        st.builds(
            a_token,
            now=MOMENTS,
            expires=st.none() | MOMENTS,
            access=st.booleans(),
            refresh_token=st.sampled_from([None, SECRET]),
        ),
        min_size=1,
    )
)
def test_each_row_says_what_its_token_says(tokens):
    """By its own clock: status, and what is left in whole seconds."""
    table = token_table(tokens)

    assert list(table["status"]) == [status(token) for token in tokens]
    assert list(table["refreshable"]) == [bool(token.refresh_token) for token in tokens]
    for token, left in zip(tokens, table["remaining"], strict=True):
        expected = token.remaining()
        assert pd.isna(left) if expected is None else left <= expected
        assert expected is None or expected - left < timedelta(seconds=1)
        assert pd.isna(left) or left.microseconds == 0


def test_a_clock_is_asked_once(figure):
    """A hundred thousand tokens are one look at it, and a table in no time."""
    asked = []

    def clock():
        asked.append(NOW)
        return NOW

    tokens = [
        a_token(
            target=f"acme/t{number % 50}@sandbox",
            scopes=frozenset({"write", "read"}),
            expires=NOW + timedelta(seconds=number),
            subject=f"user-{number}",
        ).replace(clock=clock)
        for number in range(scaled(5_000, 100_000))
    ]

    began = time.process_time()
    table = token_table(tokens)
    spent = time.process_time() - began

    assert len(asked) == 1
    assert table["scopes"].unique().tolist() == ["read write"]
    assert len(table) == len(tokens)
    figure("tokens in a table", f"{len(tokens) / spent:,.0f} a second")


@pytest.mark.parametrize("target", ["acme@sandbox", "acme@production"])
def test_production_has_a_column(target):
    """Elsewhere there is none."""
    table = token_table([a_token(), a_token(target=target)])

    assert ("environment" in table) is target.endswith("production")
