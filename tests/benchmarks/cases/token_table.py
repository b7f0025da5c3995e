"""100,000 tokens to the table of what is known of them."""

import base64
import json
from datetime import UTC, datetime, timedelta

from measuring import Table, ratio, shown, spread

PYJWT = "pyjwt: decode without verification, DataFrame"
OURS = "oauthmagic: session.tokens()"


def pyjwt(setting):
    """Return what programs do that hold tokens as JWTs."""
    import jwt
    import pandas as pd

    def part(value):
        return (
            base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
        )

    header = part({"alg": "none", "typ": "JWT", "kid": "bench"})
    begin = 1_890_000_000
    tokens = [
        ".".join(
            (
                header,
                part(
                    {
                        "iss": "https://issuer.example/tenant",
                        "sub": f"user-{number}",
                        "aud": ["api://one", "api://two"],
                        "scope": "read write offline_access",
                        "iat": begin + number,
                        "exp": begin + 3600 + number,
                        "jti": f"{number:032x}",
                    }
                ),
                "A" * 342,
            )
        )
        for number in range(setting["tokens"])
    ]
    options = {"verify_signature": False}

    def go():
        frame = pd.DataFrame([jwt.decode(token, options=options) for token in tokens])
        for name in ("iat", "exp"):
            frame[name] = pd.to_datetime(frame[name], unit="s", utc=True)
        frame["expired"] = frame["exp"] < pd.Timestamp.now("UTC")
        return {"rows": len(frame)}

    return go


def ours(setting):
    """Return our table of as many tokens in a session's memory."""
    import pandas as pd

    import oauthmagic
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.redaction import Secret
    from oauthmagic.store.memory import MemoryStore

    begin = datetime(2030, 1, 1, tzinfo=UTC)
    secret = Secret("bench-token-" + "x" * 300)
    store = MemoryStore()
    session = oauthmagic.Session(store, environ={})
    for number in range(setting["tokens"]):
        token = Token(
            target="bench@sandbox",
            access_token=secret,
            scopes=frozenset({"read", "write"}),
            scopes_requested=frozenset({"read", "write"}),
            grant="client_credentials",
            client_id="bench",
            subject=f"user-{number}",
            issued_at=begin + timedelta(seconds=number),
            expires_at=begin + timedelta(seconds=3600 + number),
            fingerprint=f"{number:08x}",
            clock=lambda: begin,
        )
        store._tokens[token.key] = token  # obtaining each is not what is measured
    pd.DataFrame({"a": ["b"]}, dtype="string")
    return lambda: {"rows": len(session.tokens())}


WAYS = {PYJWT: pyjwt, OURS: ours}


def measure(bench):
    """Return the table."""
    count = bench.size(100_000)
    found = bench.ways("token_table", WAYS, {"tokens": count})
    rows = [
        (
            name,
            spread([1000 * each["cpu"] for each in measured], "{:.0f}"),
            shown(ratio(found, PYJWT, name), "{:.1f} x"),
        )
        for name, measured in found.items()
    ]
    return [Table(f"A table of {count:,} tokens", ("way", "CPU ms", "faster"), rows)]
