"""The peers' clients, each as its own documentation sets it up, and ours.

`SYNC[name](setting, expired)` gives a function that sends one authorized GET and
returns the body; `expired` has it begin with a token that is over.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import sys
import time
from pathlib import Path

from servers import TOKEN

OURS = "oauthmagic session.client()"


def context(setting):
    """Return a TLS context that trusts the bench's authority."""
    if not setting["ca"]:
        return True
    return ssl.create_default_context(cafile=setting["ca"])


def token(*, expired):
    """Return a token as clients keep it."""
    left = -10 if expired else 36_000
    return {
        "access_token": f"{TOKEN}-old" if expired else TOKEN,
        "refresh_token": "bench-refresh",
        "token_type": "Bearer",
        "expires_in": left,
        "expires_at": int(time.time()) + left,
    }


def our_session(setting, *, expired, client_id="bench"):
    """Return a session that holds such a token for the target `bench`."""
    import oauthmagic

    session = oauthmagic.Session(environ={})
    session.add(Path(setting["folder"]) / f"{setting['scheme']}.toml")
    session.adopt(
        "bench",
        {
            "access_token": f"{TOKEN}-old",
            "refresh_token": "bench-refresh-token",
            "expires_in": 0 if expired else 36_000,
        },
        credentials={"client_id": client_id, "client_secret": "bench-secret-of-client"},
    )
    return session


def _httpx(module):
    def ready(setting, *, expired=False):
        assert not expired, "it has no token that it could renew"
        import importlib

        library = importlib.import_module(module)
        client = library.Client(
            verify=context(setting), headers={"Authorization": f"Bearer {TOKEN}"}
        )
        url = setting["base"] + "/api"
        return lambda: client.get(url).content

    return ready


def _authlib(*, with_httpx):
    def ready(setting, *, expired=False):
        if with_httpx:
            sys.modules["httpx2"] = None
        from authlib.integrations.httpx_client import OAuth2Client

        client = OAuth2Client(
            "bench",
            "bench-secret",
            token=token(expired=expired),
            token_endpoint=setting["base"] + "/token",
            verify=context(setting),
            timeout=60,
        )
        url = setting["base"] + "/api"
        return lambda: client.get(url).content

    return ready


def _requests_oauthlib(setting, *, expired=False):
    from requests_oauthlib import OAuth2Session

    session = OAuth2Session(
        "bench",
        token=token(expired=expired),
        auto_refresh_url=setting["base"] + "/token",
        auto_refresh_kwargs={"client_id": "bench", "client_secret": "bench-secret"},
        token_updater=lambda new: setattr(session, "token", new),
    )
    session.verify = setting["ca"] or True
    url = setting["base"] + "/api"
    return lambda: session.get(url).content


def _requests_oauth2client(setting, *, expired=False):
    import requests
    from requests_oauth2client import BearerToken, OAuth2AccessTokenAuth, OAuth2Client

    asking = requests.Session()
    asking.verify = setting["ca"] or True
    client = OAuth2Client(
        setting["base"] + "/token",
        client_id="bench",
        client_secret="bench-secret",
        session=asking,
        testing=True,
    )
    held = token(expired=expired)
    session = requests.Session()
    session.verify = setting["ca"] or True
    session.auth = OAuth2AccessTokenAuth(
        client,
        BearerToken(
            held["access_token"],
            expires_in=held["expires_in"],
            refresh_token=held["refresh_token"],
        ),
    )
    url = setting["base"] + "/api"
    return lambda: session.get(url).content


def _google_auth(setting, *, expired=False):
    import requests
    from google.auth.transport.requests import AuthorizedSession, Request
    from google.oauth2.credentials import Credentials

    # It compares with a naive time in UTC.
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    asking = requests.Session()
    asking.verify = setting["ca"] or True
    session = AuthorizedSession(
        Credentials(
            token(expired=expired)["access_token"],
            refresh_token="bench-refresh",
            token_uri=setting["base"] + "/token",
            client_id="bench",
            client_secret="bench-secret",
            expiry=now + dt.timedelta(hours=-1 if expired else 5),
        ),
        auth_request=Request(asking),
    )
    session.verify = setting["ca"] or True
    url = setting["base"] + "/api"
    return lambda: session.get(url).content


def _ours(setting, *, expired=False):
    client = our_session(setting, expired=expired).client("bench")
    return lambda: client.get("/api").content


SYNC = {
    "httpx": _httpx("httpx"),
    "httpx2": _httpx("httpx2"),
    "Authlib on httpx2": _authlib(with_httpx=False),
    "Authlib on httpx": _authlib(with_httpx=True),
    "requests-oauthlib": _requests_oauthlib,
    "requests_oauth2client": _requests_oauth2client,
    "google-auth": _google_auth,
    OURS: _ours,
}


async def at_once(count, together, one):
    """Send so many requests, so many of them at a time; return the bodies."""
    bodies, places = [b""] * count, iter(range(count))

    async def work():
        for place in places:
            bodies[place] = await one()

    await asyncio.gather(*[work() for _ in range(together)])
    return bodies


def authlib_async(setting, *, with_httpx, expired):
    """Return a coroutine function that sends many with Authlib's async client."""
    if with_httpx:
        # Authlib takes httpx where it finds no httpx2.
        sys.modules["httpx2"] = None
    import httpx

    library = httpx
    if not with_httpx:
        import httpx2 as library
    from authlib.integrations.httpx_client import AsyncOAuth2Client

    limits = library.Limits(max_connections=64, max_keepalive_connections=64)

    async def many(count):
        async with AsyncOAuth2Client(
            "bench",
            "bench-secret",
            token=token(expired=expired),
            token_endpoint=setting["base"] + "/token",
            verify=context(setting),
            timeout=60,
            limits=limits,
        ) as client:

            async def one():
                return (await client.get(setting["base"] + "/api")).content

            return await at_once(count, 64, one)

    return many


def httpx_async(module):
    """Return a way that sends many with the async client of httpx or httpx2."""

    def ready(setting):
        import importlib

        library = importlib.import_module(module)
        limits = library.Limits(max_connections=64, max_keepalive_connections=64)

        async def many(count):
            async with library.AsyncClient(
                headers={"Authorization": f"Bearer {TOKEN}"},
                verify=context(setting),
                timeout=60,
                limits=limits,
            ) as client:

                async def one():
                    return (await client.get(setting["base"] + "/api")).content

                return await at_once(count, 64, one)

        return many

    return ready


def aiohttp_async(setting, *, expired=False):
    """Return a coroutine function that sends many with aiohttp, token by hand."""
    import aiohttp

    secure = context(setting)

    async def many(count):
        connector = aiohttp.TCPConnector(ssl=secure, limit=64)
        async with aiohttp.ClientSession(connector=connector) as session:
            access = TOKEN
            if expired:
                form = {"grant_type": "refresh_token", "refresh_token": "bench-refresh"}
                url = setting["base"] + "/token"
                async with session.post(url, data=form) as response:
                    access = (await response.json())["access_token"]
            headers = {"Authorization": f"Bearer {access}"}

            async def one():
                async with session.get(
                    setting["base"] + "/api", headers=headers
                ) as got:
                    return await got.read()

            return await at_once(count, 64, one)

    return many
