"""A provider in a file: what is accepted, and what is said of what is not."""

from pathlib import Path

import pytest

from oauthmagic.errors import ProviderFileError
from oauthmagic.providers.file import read_provider

WHOLE = """
[provider]
name = "acme"
title = "Acme Bank"
default_grant = "client_credentials"
grants = ["client_credentials", "authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
basic_encoding = "form"
idempotency_header = "X-Request-Key"

[scopes]
accounts = "View accounts"

[environments.sandbox]
issuer = "https://id.sandbox.acme.example"
token_endpoint = "https://id.sandbox.acme.example/token"
api_base = "https://api.sandbox.acme.example/v1/"
ca_file = "acme-ca.pem"
"""
SHORT = """
[provider]
name = "acme"
[environments.sandbox]
token_endpoint = "http://127.0.0.1:8000/token"
api_base = "http://127.0.0.1:8000"
"""


def read(text, folder=Path()):
    """Read a file of this text."""
    return read_provider(text, source="acme.toml", folder=folder)


def test_a_whole_file_is_a_provider(tmp_path):
    """Relative file names are relative to the file."""
    (tmp_path / "acme-ca.pem").touch()

    provider = read(WHOLE, tmp_path)

    sandbox = provider.environment("sandbox")
    assert provider.title == "Acme Bank"
    assert provider.scopes == {"accounts": "View accounts"}
    assert sandbox.ca_file == str((tmp_path / "acme-ca.pem").resolve())
    assert sandbox.api_base == "https://api.sandbox.acme.example/v1"
    assert sandbox.token_origins == {
        "https://api.sandbox.acme.example",
        "https://id.sandbox.acme.example",
    }


def test_little_is_needed():
    """A name, a token endpoint, an API base; http is for loopback hosts."""
    provider = read(SHORT)

    assert provider.title == "acme"
    assert provider.default_grant == "client_credentials"
    assert provider.check_scopes(("anything",)) == ("anything",)


def test_a_file_may_only_renew():
    """`grants = ["refresh_token"]` alone is for adopted tokens."""
    provider = read(
        SHORT.replace('name = "acme"', 'name="acme"\ngrants=["refresh_token"]')
    )

    assert provider.default_grant == "refresh_token"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title", "titel", "Unknown key 'titel' in [provider]. Did you mean 'title'?"),
        ("api_base", "api_bas", "Did you mean 'api_base'?"),
        ("[scopes]", "[scope]", "Unknown key 'scope'. Did you mean 'scopes'?"),
        (".sandbox]", ".sandbx]", "Did you mean 'sandbox'?"),
        ('"acme"', '"show"', "it is a verb of %token"),
        ('"acme"', '"Ac Me"', "'Ac Me' is not a provider name."),
        ('"acme"', "7", "[provider]: name must be a text"),
        ("title =", 'probe = "accounts"\ntitle =', "probe must be a path"),
        ('"View accounts"', "7", "[scopes]: accounts must be a text"),
        ("accounts =", '"a b" =', "which RFC 6749 does not allow"),
        ('_basic"', '_basc"', "Did you mean 'client_secret_basic'?"),
        ("X-Request-Key", "X Key: 1", "not the name of a header"),
        ('"form"', '"from"', "Unknown basic_encoding 'from'. Did you mean 'form'?"),
        (
            '["client_credentials", ',
            '["client_credential", ',
            "Did you mean 'client_cr",
        ),
        (
            'default_grant = "client_credentials"',
            'default_grant = "password"',
            "default_grant 'password' is not one of grants",
        ),
        (
            "https://id.sandbox.acme.example/token",
            "http://id.sandbox.acme.example/token",
            "token_endpoint",
        ),
        ("https://id.sandbox.acme.example/token", "ftp://x/", "token_endpoint"),
        (
            "https://id.sandbox.acme.example/token",
            "https://me:pw@id.acme.example/token",
            "token_endpoint",
        ),
        ("acme-ca.pem", "missing.pem", "a ca_file that does not exist: missing.pem"),
        ("[scopes]", "[scopes", "acme.toml is not TOML"),
        ('.example/v1/"', '.example/{version}/"', "api_base has a character"),
        ('issuer = "https://', 'issuer = "', "issuer is not an absolute URL"),
        ('.acme.example"\ntoken', '.acme.example/?a=b"\ntoken', "issuer has a query"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, old, new, said):
    """With the place, and a suggestion where there is a near name."""
    (tmp_path / "acme-ca.pem").touch()
    assert old in WHOLE

    with pytest.raises(ProviderFileError) as caught:
        read(WHOLE.replace(old, new, 1), tmp_path)

    assert str(caught.value).startswith("acme.toml")
    assert said in str(caught.value)
    assert "pw@" not in str(caught.value)


@pytest.mark.parametrize("missing", ["token_endpoint", "api_base"])
def test_without_an_issuer_both_places_are_needed(missing):
    """There would be nobody to ask."""
    with pytest.raises(ProviderFileError, match=f"has no {missing}"):
        read(SHORT.replace(missing, "authorization_endpoint"))


def test_an_issuer_is_enough():
    """It is asked when it is first needed; its origin is the API base."""
    text = WHOLE.replace("token_endpoint = ", "authorization_endpoint = ")
    lines = [line for line in text.splitlines() if "api_b" not in line]

    sandbox = read("\n".join(lines).replace('ca_file = "acme-ca.pem"', "")).environment(
        "sandbox"
    )

    assert sandbox.is_to_be_discovered
    assert sandbox.api_base == "https://id.sandbox.acme.example"
    assert sandbox.token_origins == {"https://id.sandbox.acme.example"}


def test_a_file_without_environments_is_no_provider():
    """There would be nowhere to go."""
    with pytest.raises(ProviderFileError, match=r"no \[environments"):
        read('[provider]\nname = "acme"')
