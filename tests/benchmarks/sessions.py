"""Sessions that talk to the server of the benchmarks."""

from __future__ import annotations

from loopback import TOKEN

from oauthmagic import Session

_PROVIDER = """
[provider]
name = "bench"
grants = ["client_credentials", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
[environments.sandbox]
token_endpoint = "{base}/token"
api_base = "{base}"
{ca_file}
"""


def session_at(base, folder, ca_file=None):
    """Return a session with the provider `bench`, and a token for it."""
    file = folder / "bench.toml"
    line = f'ca_file = "{ca_file}"' if ca_file else ""
    file.write_text(_PROVIDER.format(base=base, ca_file=line))
    session = Session(environ={})
    session.add(str(file))
    session.adopt("bench@sandbox", {"access_token": TOKEN, "expires_in": 3600})
    return session
