"""Strong customer authentication: the 401, the code, the second request."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta

import pytest

from oauthmagic.errors import UnknownName
from oauthmagic.oauth import sca

#: The value that the page prints: its JSON lacks the last brace.
PRINTED_PROOF = (
    "ewogICJzY2FEZXRhaWxzIjogewogICAgImV2ZW50SWQiOiAiMDZiZGNkMmMtMGNjZS00YjM2LTk3ZWMt"
    "MjgxYzhmNWQ3NDNjIiwKICAgICJ3YWxsZXRPcGVyYXRpb25JZCI6ICJhNTg2NWZkNi0xOGMyLTQ1YTgt"
    "OTk1My0xYzAwZWFjMzZjMzYiCn0="
)
TRANSFER = "POST /v1/transactions/transfers"
BODY = {
    "sourceAccountId": "300101",
    "destinationAccountId": "300103",
    "amount": 1250,
    "currencyCode": "EUR",
}


def test_a_challenge_looks_as_printed(client, clock):
    """No comma after the realm, indented JSON in base64, 15 minutes."""
    response = client.password()
    value = response.header("WWW-Authenticate")
    found = re.fullmatch(
        r'SCA realm="Authentication" auth-param1="([A-Za-z0-9+/]+=*)"', value
    )
    details = json.loads(base64.b64decode(found[1]))["scaDetails"]

    assert response.status == 401
    assert found[1].startswith("ewogICJzY2FEZXRhaWxzIjogewogICAgImV2ZW50SWQiOiAi")
    assert list(details) == [
        "eventId",
        "walletOperationId",
        "authenticationMode",
        "availableVerifications",
        "creationTime",
        "expirationTime",
    ]
    assert details["availableVerifications"][:2] == [
        {"method": "PIN"},
        {"method": "OTP", "channel": "SMS"},
    ]
    assert details["creationTime"] == "2030-01-01T09:00:00Z"
    assert client.event(response).expiration_time == clock() + timedelta(minutes=15)


def test_a_challenge_can_have_its_comma_and_base64url(client, simulator):
    """As RFC 9110 wants it; a client reads both."""
    simulator.use_sca("HYBRID", comma=True, base64url=True)
    response = client.password()

    assert response.header("WWW-Authenticate").startswith(
        'SCA realm="Authentication", auth-param1="'
    )
    assert client.event(response).mode == "HYBRID"


def test_the_one_time_code_opens_the_same_request_once(client, access_token, answers):
    """Challenge, attempt, the request again; a second time there is a new challenge."""
    event = client.event(client.password())
    sent = answers.members(client.challenge(access_token, event), 201)
    given = answers.members(client.attempt(access_token, event), 201)
    proof = sca.authorization(event)

    assert (sent["currentChallenges"], sent["allowableChallenges"]) == (1, 3)
    assert given["status"] == "VERIFIED"
    assert given["eventId"] == event.event_id
    assert client.password(proof=proof).status == 200
    again = answers.members(client.password(proof=proof), 401)
    assert again["error_description"] == "The SCA event has been used."


def test_a_pin_needs_no_challenge(client, access_token, answers):
    """Nothing has to be sent to anybody."""
    event = client.event(client.password())
    given = client.attempt(access_token, event, method="PIN", channel="")

    assert answers.members(given, 201)["status"] == "VERIFIED"


def test_a_code_that_was_not_sent_cannot_be_right(client, access_token, answers):
    """A one-time code needs a challenge of its own channel."""
    event = client.event(client.password())
    assert answers.error(client.attempt(access_token, event)) == (
        "DW-SCA-CHALLENGE-REQUIRED"
    )

    client.challenge(access_token, event, channel="EMAIL")
    assert answers.error(client.attempt(access_token, event)) == (
        "DW-SCA-CHALLENGE-REQUIRED"
    )


def test_three_wrong_codes_need_a_new_challenge(client, access_token, answers, clock):
    """REJECTED, REJECTED, FAILED; the right code is not heard any more."""
    event = client.event(client.password())
    client.challenge(access_token, event)
    wrong = [client.attempt(access_token, event, "000000") for _ in range(3)]

    assert [answers.members(each, 201)["status"] for each in wrong] == [
        "REJECTED",
        "REJECTED",
        "FAILED",
    ]
    assert answers.error(client.attempt(access_token, event)) == (
        "DW-SCA-ATTEMPTS-EXHAUSTED"
    )
    refused = answers.members(client.password(proof=sca.authorization(event)), 401)
    assert refused["error_description"] == "The SCA event is not verified."

    clock.advance(30)
    assert client.challenge(access_token, event).status == 201
    assert answers.members(client.attempt(access_token, event), 201)["status"] == (
        "VERIFIED"
    )


def test_challenges_have_a_cooldown_and_an_end(client, access_token, answers, clock):
    """30 seconds and three of them: our numbers."""
    event = client.event(client.password())
    client.challenge(access_token, event)
    clock.advance(20)
    early = client.challenge(access_token, event)

    assert early.status == 429
    assert early.header("Retry-After") == "10"

    for _ in range(2):
        clock.advance(30)
        assert client.challenge(access_token, event).status == 201
    clock.advance(30)
    assert answers.error(client.challenge(access_token, event)) == (
        "DW-SCA-CHALLENGES-EXHAUSTED"
    )
    for _ in range(3):
        client.attempt(access_token, event, "000000")
    assert answers.error(client.attempt(access_token, event)) == "DW-SCA-EVENT-FAILED"


def test_an_event_ends_after_fifteen_minutes(client, access_token, answers, clock):
    """Verified or not."""
    event = client.event(client.password())
    client.challenge(access_token, event)
    client.attempt(access_token, event)
    clock.advance(900)

    refused = answers.members(client.password(proof=sca.authorization(event)), 401)
    assert refused["error_description"] == "The SCA event has expired."
    event = client.event(client.password())
    clock.advance(900)
    for response in (
        client.challenge(access_token, event),
        client.attempt(access_token, event),
    ):
        assert answers.error(response) == "DW-SCA-EVENT-EXPIRED"


def test_a_verified_event_is_not_verified_again(client, access_token, answers):
    """409: our invention."""
    event = client.event(client.password())
    client.challenge(access_token, event)
    client.attempt(access_token, event)

    assert answers.error(client.attempt(access_token, event), 409) == (
        "DW-SCA-EVENT-VERIFIED"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"scope": "whitelabelWallet"},
        {"brand": "aurora"},
        {"username": "demo-bruno"},
    ],
)
def test_a_proof_is_for_one_request(client, access_token, answers, other):
    """Another parameter, brand or user makes another request of it."""
    proof = client.proof(access_token, client.password())
    refused = answers.members(client.password(proof=proof, **other), 401)

    assert refused["error_description"] == "The SCA event belongs to another request."
    assert client.password(proof=proof).status == 200


@pytest.mark.parametrize(
    "proof",
    [
        PRINTED_PROOF,
        "not base64",
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"scaDetails":{"eventId":1}}').decode(),
        base64.b64encode(b"[" * 3000).decode(),
    ],
    ids=["as printed", "no base64", "a list", "a number", "deep"],
)
def test_a_proof_that_is_no_json_is_refused(client, answers, proof):
    """The page's own sample lacks a brace: whoever copies it is told."""
    answer = answers.members(client.password(proof=proof), 400)

    assert answer["error"] == "invalid_request"
    assert "SCA-Authorization" in answer["error_description"]


def test_a_grant_without_user_needs_no_authentication(client):
    """The header is not looked at."""
    assert client.token(proof=PRINTED_PROOF).status == 200


def test_a_transfer_needs_authentication(client, access_token, answers):
    """For a partner's token as well; the event is in the body too."""
    refused = client.api(access_token, TRANSFER, BODY)
    members = answers.members(refused, 401)

    assert members["error"]["code"] == "DW-SCA-REQUIRED"
    assert members["scaDetails"]["eventId"] == client.event(refused).event_id

    proof = client.proof(access_token, refused)
    other = client.api(access_token, TRANSFER, {**BODY, "amount": 9999}, proof)
    assert "another request" in answers.members(other, 401)["error"]["message"]
    done = answers.members(client.api(access_token, TRANSFER, BODY, proof), 201)
    assert (done["amount"], done["direction"]) == (1250, "DEBIT")


def test_a_user_authenticates_with_its_own_token(client, user):
    """A configuration or a user's token, says the page; ours allows an admin's too."""
    refused = client.api(user["access_token"], TRANSFER, BODY)
    proof = client.proof(user["access_token"], refused)

    assert client.api(user["access_token"], TRANSFER, BODY, proof).status == 201


def test_an_event_is_nobody_elses(client, answers, access_token, user):
    """Neither another brand's nor another user's."""
    other_brand = answers.members(client.token(brand="aurora"))["access_token"]
    event = client.event(client.password(username="demo-bruno"))

    for token in (other_brand, user["access_token"]):
        assert answers.error(client.challenge(token, event), 404) == (
            "DW-SCA-EVENT-NOT-FOUND"
        )
    assert client.challenge(access_token, event).status == 201
    assert client.challenge("unknown", event).status == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "walletOperationId"),
        ({"walletOperationId": "another"}, "walletOperationId"),
        ({"verification": None}, "verification"),
        ({"verification": {"method": "BIOMETRIC"}}, "verification.method"),
        ({"verification": {"method": ["PIN"]}}, "verification.method"),
        ({"verification": {"method": "PIN"}}, "verification.value"),
        ({"verification": {"method": "PIN", "value": 123456}}, "verification.value"),
    ],
)
def test_a_wrong_attempt_names_its_field(client, answers, access_token, body, field):
    """400 with `fieldErrors`; it does not count as an attempt."""
    event = client.event(client.password())
    if body:
        body = {"walletOperationId": event.wallet_operation_id, **body}
    line = f"POST /v1/auth/sca/events/{event.path_segment}/attempts"
    answer = answers.members(client.api(access_token, line, body), 400)

    assert [each["field"] for each in answer["error"]["fieldErrors"]] == [field]


def test_a_challenge_without_body_sends_a_text_message(client, answers, access_token):
    """The body of a challenge is not documented."""
    event = client.event(client.password())
    line = f"POST /v1/auth/sca/events/{event.path_segment}/challenges"
    answer = answers.members(client.api(access_token, line), 201)

    assert answer["verification"] == {"method": "OTP", "channel": "SMS"}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_outsourced_event_has_its_own_path(
    client, simulator, answers, access_token, version
):
    """The partner reports its verdict; Paysafe sends and judges nothing."""
    simulator.use_sca("OUTSOURCED")
    event = client.event(client.password())
    for response in (
        client.challenge(access_token, event),
        client.attempt(access_token, event),
    ):
        assert answers.error(response) == "DW-SCA-WRONG-MODE"

    line = f"POST /{version}/sca/events/{event.path_segment}/attempts"
    body = sca.outsourced_attempt_body(event, "PIN", "", verified=True)
    told = answers.members(client.api(access_token, line, body), 201)

    assert told["status"] == "VERIFIED"
    assert client.password(proof=sca.authorization(event)).status == 200


def test_an_outsourced_event_fails_for_good(client, simulator, answers, access_token):
    """When the limit is reached the whole process has to begin anew."""
    simulator.use_sca("OUTSOURCED")
    event = client.event(client.password())
    line = f"POST /v2/sca/events/{event.path_segment}/attempts"
    refused = sca.outsourced_attempt_body(event, "OTP", "SMS", verified=False)
    told = [client.api(access_token, line, refused) for _ in range(3)]

    assert answers.members(told[-1], 201)["status"] == "FAILED"
    assert answers.error(client.api(access_token, line, refused)) == (
        "DW-SCA-EVENT-FAILED"
    )


def test_the_demo_can_judge_for_the_partner(client, simulator, answers, access_token):
    """The code instead of a verdict: our invention, so that one answer fits all."""
    simulator.use_sca("OUTSOURCED")
    event = client.event(client.password())
    line = f"POST /v2/sca/events/{event.path_segment}/attempts"
    told = [
        answers.members(
            client.api(
                access_token, line, sca.attempt_body(event, "OTP", "SMS", answer)
            ),
            201,
        )["status"]
        for answer in ("000000", "123456")
    ]

    assert told == ["REJECTED", "VERIFIED"]


def test_an_embedded_event_goes_as_a_hybrid_one(client, simulator, access_token):
    """Who talks to the user makes no difference to the server."""
    simulator.use_sca("EMBEDDED")
    proof = client.proof(access_token, client.password())

    assert client.password(proof=proof).status == 200


def test_it_can_be_switched_off(client, simulator, access_token):
    """Where PSD2 does not apply."""
    simulator.use_sca("OFF")

    assert client.password().status == 200
    assert client.api(access_token, TRANSFER, BODY).status == 201
    with pytest.raises(UnknownName):
        simulator.use_sca("PARTLY")


def test_a_challenge_in_the_wrapper_is_the_same_challenge(client, simulator, answers):
    """The header says it; the body's shape is the family's."""
    simulator.use_errors("wrapper")
    response = client.password()

    assert answers.error(response, 401) == "DW-SCA-REQUIRED"
    assert client.event(response).event_id
