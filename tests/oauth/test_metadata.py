"""Server metadata: where they are, and what is believed of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthmagic.oauth.metadata import (
    ENDPOINTS,
    MAX_BYTES,
    read_metadata,
    well_known_urls,
)

ISSUER = "https://id.acme.example"
LEAST = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"}
LISTS = (
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
    "scopes_supported",
    "code_challenge_methods_supported",
)


def read(**members):
    """Read a document with these members beside the least that there must be."""
    return read_metadata(json.dumps(LEAST | members).encode(), issuer=ISSUER)


@pytest.mark.parametrize(
    ("issuer", "path"),
    [
        (ISSUER, ""),
        (f"{ISSUER}/", ""),
        (f"{ISSUER}/o/", "/o"),
        (f"{ISSUER}/realms/a", "/realms/a"),
    ],
)
def test_one_is_appended_and_the_other_put_between(issuer, path):
    """OpenID Connect Discovery, section 4; RFC 8414, section 3.1."""
    assert well_known_urls(issuer) == (
        f"{ISSUER}{path}/.well-known/openid-configuration",
        f"{ISSUER}/.well-known/oauth-authorization-server{path}",
    )


def test_a_port_stays_where_it_is():
    """Both are asked of the same origin."""
    urls = well_known_urls("http://127.0.0.1:8000/o")

    assert {url.partition("/.well-known")[0] for url in urls} == {
        "http://127.0.0.1:8000/o",
        "http://127.0.0.1:8000",
    }


def test_what_is_not_said_is_not_known():
    """None is not an empty list: RFC 8414, section 2, has defaults for it."""
    metadata = read()

    assert metadata.endpoints == {"token_endpoint": f"{ISSUER}/token"}
    assert [getattr(metadata, name) for name in LISTS] == [None] * 4
    assert metadata.iss_in_response is False


def test_what_is_said_is_kept_in_order():
    """The lists, and whether authorization responses have `iss` (RFC 9207)."""
    metadata = read(
        grant_types_supported=["password", "client_credentials"],
        scopes_supported=[],
        authorization_response_iss_parameter_supported=True,
        revocation_endpoint=f"{ISSUER}/revoke",
        end_session_endpoint=7,
    )

    assert metadata.grant_types_supported == ("password", "client_credentials")
    assert metadata.scopes_supported == ()
    assert metadata.iss_in_response is True
    assert set(metadata.endpoints) == {"token_endpoint", "revocation_endpoint"}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        ("openid", None),
        ({"openid": True}, None),
        (7, None),
        (["openid", 7, None, ["x"], "a b", "\u202eevil", "x" * 300], ("openid",)),
    ],
)
def test_a_list_that_cannot_be_understood_is_as_if_it_were_not_there(
    name, value, read_as
):
    """They are advice: a login does not fail for them."""
    assert getattr(read(**{name: value}), name) == read_as


@pytest.mark.parametrize("value", ["true", 1, None, ["x"]])
def test_iss_is_required_only_where_that_is_said_plainly(value):
    """Anything but `true` is not that."""
    members = {"authorization_response_iss_parameter_supported": value}

    assert read(**members).iss_in_response is False


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("value", [7, ["https://id.acme.example"], {"url": ISSUER}])
def test_an_endpoint_is_a_text(name, value):
    """They are not advice."""
    with pytest.raises(ValueError, match=f"its {name} is not a text"):
        read(**{name: value})


@pytest.mark.parametrize(
    "issuer",
    [
        f"{ISSUER}/",
        ISSUER.upper(),
        "http://id.acme.example",
        f"{ISSUER}:443",
        f"{ISSUER}.evil.example",
        "https://ID.acme.example",
        f" {ISSUER}",
    ],
)
def test_the_issuer_is_the_same_to_the_letter(issuer):
    """RFC 8414, section 3.3; it is not made comparable first."""
    with pytest.raises(ValueError, match="it is about another issuer"):
        read(issuer=issuer)


def test_a_document_has_a_size():
    """64 KiB: real ones have a sixth of it."""
    padding = "x" * (MAX_BYTES - len(json.dumps(LEAST | {"padding": ""})))

    assert read(padding=padding)
    with pytest.raises(ValueError, match="larger than 64 KiB"):
        read(padding=f"{padding}x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*ENDPOINTS, *LISTS, "issuer"]), json_values))
def test_any_document_is_read_or_refused(members):
    """Whatever stands in it, there is metadata or a `ValueError`."""
    try:
        metadata = read(**members)
    except ValueError:
        return

    assert metadata.issuer == ISSUER
    assert all(isinstance(url, str) for url in metadata.endpoints.values())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body):
    """They are a stranger's."""
    with pytest.raises(ValueError, match="it "):
        read_metadata(body, issuer=ISSUER)
