"""The SCA step-up: what is asked, and what is answered."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.errors import InvalidChallenge
from oauthmagic.oauth import sca
from oauthmagic.oauth.challenges import parse_challenges
from oauthmagic.oauth.sca import ScaEvent, Verification, read_challenge

#: The challenge that the provider page prints; its JSON is written out below.
PRINTED = (
    'SCA realm="Authentication" auth-param1="ewogICJzY2FEZXRhaWxzIjogewogICAgImV2ZW50S'
    "WQiOiAiMDZiZGMyYzAtY2NlLTRiMzYtOTdlYy0yODFjOGY1ZDc0M2MiLAogICAgIndhbGxldE9wZXJhdG"
    "lvbklkIjogImE1ODY1ZmQ2LTE4YzItNDVhOC05OTUzLTFjMDBlYWMzNmMzNiIsCiAgICAiYXV0aGVudGl"
    "jYXRpb25Nb2RlIjogIk9VVFNPVVJDRUQiLAogICAgImF2YWlsYWJsZVZlcmlmaWNhdGlvbnMiOiBbCiAg"
    "ICAgIHsKICAgICAgICAibWV0aG9kIjogIlBJTiIKICAgICAgfSwKICAgICAgewogICAgICAgICJtZXRob"
    "2QiOiAiT1RQIiwKICAgICAgICAiY2hhbm5lbCI6ICJTTVMiCiAgICAgIH0KICAgIF0sCiAgICAiY3JlYX"
    "Rpb25UaW1lIjogIjIwMjEtMDctMTVUMTc6NTQ6MTJaIiwKICAgICJleHBpcmF0aW9uVGltZSI6ICIyMDI"
    'xLTA3LTE1VDE4OjA5OjEyWiIKICB9Cn0="'
)
EVENT = ScaEvent(
    # One group of it has three digits: it is no UUID.
    event_id="06bdc2c0-cce-4b36-97ec-281c8f5d743c",
    wallet_operation_id="a5865fd6-18c2-45a8-9953-1c00eac36c36",
    mode="OUTSOURCED",
    available_verifications=(
        Verification(method="PIN"),
        Verification(method="OTP", channel="SMS"),
    ),
    creation_time=datetime(2021, 7, 15, 17, 54, 12, tzinfo=UTC),
    expiration_time=datetime(2021, 7, 15, 18, 9, 12, tzinfo=UTC),
)
DETAILS = {
    "eventId": "event-1",
    "walletOperationId": "operation-1",
    "authenticationMode": "HYBRID",
}


def header(details, encode=base64.b64encode):
    """Return a challenge with these details."""
    text = json.dumps({"scaDetails": details}).encode()
    return f'SCA realm="x", auth-param1="{encode(text).decode()}"'


def test_the_printed_challenge_is_read():
    """Its comma is missing and its `eventId` is no UUID."""
    assert read_challenge(PRINTED) == EVENT
    assert read_challenge(parse_challenges(PRINTED)) == EVENT


@pytest.mark.parametrize(
    "encode",
    [
        base64.b64encode,
        base64.urlsafe_b64encode,
        lambda text: base64.urlsafe_b64encode(text).rstrip(b"="),
        lambda text: base64.b64encode(text).rstrip(b"="),
    ],
    ids=["base64", "base64url", "base64url, bare", "base64, bare"],
)
@pytest.mark.parametrize("target", ["", "j", "jo", "jo?", "jo>>???", "é***@demo"])
def test_base64_and_base64url_are_read_padded_or_not(encode, target):
    """Which of them the server means is not documented."""
    verification = {"method": "OTP", "channel": "EMAIL", "target": target}
    details = {**DETAILS, "availableVerifications": [verification]}

    event = read_challenge(header(details, encode))

    assert event is not None
    assert event.available_verifications == (
        Verification(method="OTP", channel="EMAIL", target=target),
    )


@pytest.mark.parametrize(
    "value", ["", 'Bearer error="invalid_token"', 'Basic realm="SCA"', "x" * 5000]
)
def test_another_401_is_no_challenge(value):
    """Then the token is expired, or the client is unknown."""
    assert read_challenge(value) is None


def test_the_challenge_may_stand_beside_others():
    """A field holds several; only one of them is ours."""
    event = read_challenge(f'Bearer realm="x", {PRINTED}')

    assert event == EVENT


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ('SCA realm="x"', "it has no auth-param1"),
        ('SCA auth-param1="!"', "its auth-param1 is not base64"),
        ('SCA auth-param1="ewogI"', "its auth-param1 is not base64"),
        ('SCA auth-param1="e30="', "it has no scaDetails"),
        ('SCA auth-param1="W10="', "it is a list, not an object"),
        ('SCA auth-param1="ewo="', "it is not JSON"),
        (f"{PRINTED}, {PRINTED}", "there are two of them"),
        ('SCA auth-param1="' + "A" * 5000 + '"', "it is longer than 4 KiB"),
        (header("x"), "it has no scaDetails"),
        (header({**DETAILS, "eventId": 7}), "its eventId is missing"),
        (header({**DETAILS, "eventId": ".."}), "its eventId is missing"),
        (header({**DETAILS, "eventId": "a\nb"}), "its eventId is missing"),
        (header({**DETAILS, "walletOperationId": ""}), "its walletOperationId"),
        (header({**DETAILS, "authenticationMode": "X"}), "its authenticationMode"),
        (header({**DETAILS, "authenticationMode": []}), "its authenticationMode"),
        (header({**DETAILS, "availableVerifications": {}}), "are no list"),
        (header({**DETAILS, "availableVerifications": [1]}), "is not an object"),
        (header({**DETAILS, "availableVerifications": [{}]}), "has no method"),
        (
            header(
                {
                    **DETAILS,
                    "availableVerifications": [{"method": "OTP", "channel": [1]}],
                }
            ),
            "a channel that is no word",
        ),
    ],
)
def test_a_malformed_challenge_is_a_typed_error(value, why):
    """It says why, quotes nothing and what to do next."""
    with pytest.raises(InvalidChallenge) as caught:
        read_challenge(value)

    assert why in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-01-01T09:15:00Z", datetime(2030, 1, 1, 9, 15, tzinfo=UTC)),
        ("2030-01-01T10:15:00+01:00", datetime(2030, 1, 1, 9, 15, tzinfo=UTC)),
        ("2030-01-01T09:15:00", None),
        ("tomorrow", None),
        (1893489300, None),
        (None, None),
    ],
)
def test_the_end_is_a_time_or_not_known(text, moment):
    """The server keeps the time: what cannot be read stops nobody."""
    event = read_challenge(header({**DETAILS, "expirationTime": text}))

    assert event is not None
    assert event.expiration_time == moment
    assert event.is_expired(datetime(2030, 1, 1, 9, 15, tzinfo=UTC)) is (
        None if moment is None else True
    )


def test_an_event_is_over_at_its_end():
    """Not a second before."""
    assert EVENT.is_expired(datetime(2021, 7, 15, 18, 9, 11, tzinfo=UTC)) is False
    assert EVENT.is_expired(datetime(2021, 7, 15, 18, 9, 12, tzinfo=UTC)) is True


def test_the_proof_is_whole_json():
    """The page's sample lacks the last brace; ours has the same members and it."""
    value = sca.authorization(EVENT)

    assert json.loads(base64.b64decode(value, validate=True)) == {
        "scaDetails": {
            "eventId": "06bdc2c0-cce-4b36-97ec-281c8f5d743c",
            "walletOperationId": "a5865fd6-18c2-45a8-9953-1c00eac36c36",
        }
    }


def test_an_attempt_says_which_way_and_the_answer():
    """`walletOperationId` and `method` are documented, the answer's name is ours."""
    assert sca.attempt_body(EVENT, "OTP", "SMS", "123456") == {
        "walletOperationId": "a5865fd6-18c2-45a8-9953-1c00eac36c36",
        "verification": {"method": "OTP", "channel": "SMS", "value": "123456"},
    }
    assert sca.challenge_body(EVENT, "PIN") == {
        "walletOperationId": "a5865fd6-18c2-45a8-9953-1c00eac36c36",
        "verification": {"method": "PIN"},
    }


@pytest.mark.parametrize(
    ("verified", "status"), [(True, "VERIFIED"), (False, "REJECTED")]
)
def test_a_partner_reports_its_verdict(verified, status):
    """An outsourced event is judged by the partner; the verdict's name is ours."""
    body = sca.outsourced_attempt_body(EVENT, "PIN", "", verified=verified)

    assert body["verification"] == {"method": "PIN", "status": status}


@pytest.mark.parametrize(
    ("event_id", "segment"), [("a?b;c", "a%3Fb%3Bc"), ("06bd-1", "06bd-1")]
)
def test_an_event_stays_in_its_path_segment(event_id, segment):
    """It is opaque: nothing in it leads elsewhere."""
    event = read_challenge(header({**DETAILS, "eventId": event_id}))

    assert event is not None
    assert event.path_segment == segment


def test_an_event_does_not_show_its_identifiers():
    """With the token they are what the second request needs."""
    assert EVENT.event_id not in repr(EVENT)
    assert EVENT.wallet_operation_id not in repr(EVENT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*DETAILS, "availableVerifications", "method", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.binary(max_size=120) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_octets_give_an_event_or_our_error(octets):
    """Property: nothing else comes out, whatever was encoded."""
    value = f'SCA auth-param1="{base64.b64encode(octets).decode()}"'
    try:
        event = read_challenge(value)
    except InvalidChallenge:
        return
    assert isinstance(event, ScaEvent)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "eventId": JSON | st.just("e"),
            "walletOperationId": JSON | st.just("w"),
            "authenticationMode": JSON | st.sampled_from(sca.MODES),
            "availableVerifications": JSON
            | st.lists(
                st.fixed_dictionaries(
                    {"method": st.just("PIN")}, optional={"target": JSON}
                ),
                max_size=3,
            ),
            "expirationTime": JSON | st.datetimes().map(str),
        },
    )
)
def test_any_details_give_an_event_or_our_error(details):
    """Property: and what is accepted can be answered."""
    try:
        event = read_challenge(header(details))
    except InvalidChallenge:
        return
    assert event is not None
    proof = json.loads(base64.b64decode(sca.authorization(event)))
    assert proof["scaDetails"]["eventId"] == details["eventId"]
