"""From a target and the text of a cell to a program in another language."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError
from oauthmagic.http_request.multipart import File
from oauthmagic.oauth import clients, grants
from oauthmagic.oauth.credentials import variable_names
from oauthmagic.oauth.scopes import format_scope
from oauthmagic.transport.urls import parse_url
from oauthmagic.views.masking import SECRET_HEADERS
from oauthmagic.views.programs import (
    SANDBOX_CA,
    SANDBOX_PAGES,
    SANDBOX_URL,
    Call,
    Env,
    Local,
    Login,
    Program,
    TokenStep,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauthmagic.runtime.world import World
    from oauthmagic.session.requests import Prepared
    from oauthmagic.views.programs import Text

_SERVE = (
    "A demo runs inside a notebook. Serve its simulator: oauthmagic sandbox {name}\n"
    "It prints the address, the authority and the credentials for these variables."
)
_ANEW = "Made anew for each request by oauthmagic, and as they were just now here: {}."
_SIGNED = "Where a signing key is held, oauthmagic signs the request; this does not."


def program_for(
    world: World,
    *,
    grant: str,
    scopes: Iterable[str],
    prepared: tuple[Prepared, ...] = (),
) -> Program:
    """Return the program that gets a token and sends requests with it.

    Args:
        world: The target's.
        grant: The grant to perform.
        scopes: The scopes to ask for.
        prepared: The requests, which passed the gate.

    Raises:
        CommandError: The grant has no program.
    """
    writer = _Writer(world)
    return Program(
        title=f"{world.provider.title} ({world.target}): {grant}.",
        notes=tuple(writer.notes(prepared)),
        token=writer.token(grant, format_scope(scopes)),
        login=writer.login(format_scope(scopes))
        if grant == "authorization_code"
        else None,
        calls=tuple(writer.call(each) for each in prepared),
        certificate=writer.certificate(),
        authority=writer.authority(),
    )


class _Writer:
    """Says of one target where its values come from."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._provider = world.provider
        self._is_demo = world.target.environment == "demo"
        self._method = world.provider.token_endpoint_auth_method

    def notes(self, prepared: tuple[Prepared, ...]) -> list[str]:
        """Return what the program's user must know."""
        notes = []
        if self._is_demo:
            notes.append(_SERVE.format(name=self._world.target.provider))
        added = [name for each in prepared for name, _ in self._added(each)]
        if added:
            notes.append(_ANEW.format(", ".join(dict.fromkeys(added))))
        if self._provider.prepare is not None and prepared:
            notes.append(_SIGNED)
        return notes

    def token(self, grant: str, scope: str) -> TokenStep:
        """Return the token request."""
        if grant not in grants.FIELDS or grant == "refresh_token":
            msg = f"There is no program for the grant {grant!r}."
            raise CommandError(msg, hint="Choose another one with --grant.")
        form: list[tuple[str, str | Env | Local]] = [("grant_type", grant)]
        if grant == "authorization_code":
            form.append(("code", Local("code")))
            form.append(("redirect_uri", self._redirect_uri()))
            if self._provider.pkce:
                form.append(("code_verifier", Local("code_verifier")))
        else:
            form += [(name, self._env(name)) for name in grants.FIELDS[grant]]
            if grant == grants.TOKEN_EXCHANGE:
                form.append(("subject_token_type", grants.ACCESS_TOKEN_TYPE))
            if scope:
                form.append(("scope", scope))
        basic = None
        if self._method == "client_secret_basic":
            basic = self._env("client_id"), self._env("client_secret")
        else:
            form.append(("client_id", self._env("client_id")))
        if self._method == "client_secret_post":
            form.append(("client_secret", self._env("client_secret")))
        return TokenStep(
            url=self._url(self._world.environment.token_endpoint),
            parameters=tuple(form),
            basic=basic,
            basic_encoding=self._provider.basic_encoding,
        )

    def login(self, scope: str) -> Login:
        """Return the redirect login."""
        endpoint = self._world.environment.endpoints.get("authorization_endpoint")
        if endpoint is None:
            msg = f"{self._provider.title} has no authorization_endpoint."
            raise CommandError(msg, hint="Add it to the provider.")
        form: list[tuple[str, str | Env]] = [
            ("client_id", self._env("client_id")),
            ("redirect_uri", self._redirect_uri()),
        ]
        if scope:
            form.append(("scope", scope))
        variable = SANDBOX_PAGES if self.certificate() else SANDBOX_URL
        return Login(
            url=self._url(endpoint, variable),
            parameters=tuple(form),
            use_pkce=self._provider.pkce,
        )

    def call(self, prepared: Prepared) -> Call:
        """Return an API request."""
        wire = prepared.wire
        headers: list[tuple[str, Text]] = [
            (name, self._header(name, value))
            for name, value in (*wire.headers, *self._added(prepared))
        ]
        pieces = tuple(map(_expanded, prepared.pieces))
        return Call(
            method=wire.method,
            url=self._url(wire.url),
            headers=tuple(headers),
            body=pieces if wire.body is not None else None,
        )

    def certificate(self) -> tuple[Env, Env] | None:
        """Return the files of the client's certificate and key."""
        if self._method not in clients.BY_CERTIFICATE:
            return None
        return self._env("certificate"), self._env("private_key")

    def authority(self) -> Text:
        """Return the file of the only authority to trust."""
        if self._is_demo:
            return (Env(SANDBOX_CA),)
        ca_file = self._world.environment.ca_file
        return (ca_file,) if ca_file else ()

    def _env(self, field: str) -> Env:
        return Env(variable_names(self._world.target, field)[0])

    def _redirect_uri(self) -> str | Env:
        return self._provider.redirect_uri or self._env("redirect_uri")

    def _url(self, url: str, variable: str = SANDBOX_URL) -> Text:
        if not self._is_demo:
            return (url,)
        return Env(variable), url.removeprefix(parse_url(url).origin)

    def _header(self, name: str, value: str) -> Text:
        if name.lower() in SECRET_HEADERS and value:
            return (Env(name.upper().replace("-", "_")),)
        return (value,)

    def _added(self, prepared: Prepared) -> tuple[tuple[str, str], ...]:
        """Return the headers that the provider adds, without a signature."""
        if self._world.prepare is None:
            return ()
        return self._world.prepare(prepared.wire).headers[len(prepared.wire.headers) :]


def _expanded(piece: bytes | File) -> bytes | File:
    if isinstance(piece, File) and piece.name.startswith("~"):
        return File(name=str(Path(piece.name).expanduser()), line=piece.line)
    return piece
