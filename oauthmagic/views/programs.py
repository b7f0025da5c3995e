"""A request as a program in another language: what it does, before it is written.

A secret is never part of one: it is the name of an environment variable.
The writers are `oauthmagic.views.curl`, `.python` and `.javascript`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from oauthmagic.errors import UnknownName
from oauthmagic.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauthmagic.http_request.multipart import Piece

#: The languages, and who writes them.
LANGUAGES = {
    "curl": "curl",
    "python": "python",
    "python-requests": "python",
    "javascript": "javascript",
}
#: What a program says where its user must log in.
LOG_IN = "Open this in a browser, log in, and paste the address that you come to:"
#: What holds the address and the authority of a simulator that is served.
SANDBOX_URL = "OAUTHMAGIC_SANDBOX_URL"
SANDBOX_PAGES = "OAUTHMAGIC_SANDBOX_PAGES_URL"
SANDBOX_CA = "OAUTHMAGIC_SANDBOX_CA"


class Env(NamedTuple):
    """A value that the program takes from its environment."""

    name: str


class Local(NamedTuple):
    """A value that the program has by then: `access_token`, `code`, ..."""

    name: str


#: A text in the program: literals and references, one after the other.
Text = tuple[str | Env | Local, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """A redirect login: RFC 6749, section 4.1; RFC 7636.

    Attributes:
        url: The authorization endpoint.
        parameters: Those of the request that need no secret and no randomness.
        use_pkce: Whether there is a code challenge.
    """

    url: Text
    parameters: tuple[tuple[str, str | Env], ...]
    use_pkce: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenStep:
    """A token request: RFC 6749, section 3.2.

    Attributes:
        url: The token endpoint.
        parameters: The form, in order.
        basic: `client_id` and `client_secret` for `client_secret_basic`, or None.
        basic_encoding: "form" or "raw", see `oauthmagic.oauth.clients`.
    """

    url: Text
    parameters: tuple[tuple[str, str | Env | Local], ...]
    basic: tuple[Env, Env] | None = None
    basic_encoding: str = "form"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """An API request; the token goes on by itself.

    Attributes:
        method: Upper-case method.
        url: Where it goes.
        headers: Names and values, in order, without Authorization.
        body: What it is made of, or None.
    """

    method: str
    url: Text
    headers: tuple[tuple[str, Text], ...] = ()
    body: tuple[Piece, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A token step and the requests that follow.

    Attributes:
        title: What it does, in a line.
        notes: What its user must know, a sentence each.
        token: How it gets its token.
        login: What comes before, where the user must log in.
        calls: The requests, in order.
        certificate: Files of the client's certificate and key (mutual TLS), or None.
        authority: File of the only certificate authority to trust; empty for the
            system's.
    """

    title: str
    token: TokenStep
    notes: tuple[str, ...] = ()
    login: Login | None = None
    calls: tuple[Call, ...] = ()
    certificate: tuple[Env, Env] | None = None
    authority: Text = ()

    def variables(self) -> list[str]:
        """Return the environment variables that it reads, each once."""
        return list(dict.fromkeys(each.name for each in self._references()))

    def _references(self) -> Iterator[Env]:
        texts: list[Text] = [self.token.url, self.authority]
        texts += [(value,) for _, value in self.token.parameters]
        if self.login is not None:
            texts.append(self.login.url)
            texts += [(value,) for _, value in self.login.parameters]
        texts += [self.token.basic or (), self.certificate or ()]
        for call in self.calls:
            texts += [call.url, *(value for _, value in call.headers)]
        yield from (each for text in texts for each in text if isinstance(each, Env))


def check_language(name: str) -> str:
    """Return a language, if it is one.

    Raises:
        UnknownName: It is not.
    """
    if name not in LANGUAGES:
        kind = "language"
        raise UnknownName(kind, name, LANGUAGES)
    return name


def write_program(program: Program, language: str) -> str:
    """Return a program as text.

    Raises:
        UnknownName: The language is not known.
        CommandError: A request cannot be sent in that language.
    """
    writer = LANGUAGES[check_language(language)]
    module = importlib.import_module(f"oauthmagic.views.{writer}")
    # A value of the notebook may be a secret that was put into a request.
    return redact(module.write(program, language))


def comments(program: Program, mark: str) -> list[str]:
    """Return what stands above a program."""
    lines = [program.title, *program.notes]
    lines.append("From the environment:")
    lines += [f"  {name}" for name in program.variables()]
    return [f"{mark} {line}" for text in lines for line in text.splitlines()]


def plain(text: Text) -> str | None:
    """Return a text that has no references, else None."""
    parts = [each for each in text if isinstance(each, str)]
    return "".join(parts) if len(parts) == len(text) else None
