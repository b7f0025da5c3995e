"""What a server says of a token, beside what is held here; never token text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING

from oauthmagic.errors import listed
from oauthmagic.oauth.introspection import LONGEST
from oauthmagic.redaction import quote
from oauthmagic.views.markup import CELL
from oauthmagic.views.tables import introspection_table
from oauthmagic.views.texts import shown_scopes, token_facts

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from oauthmagic.oauth.introspection import Introspection
    from oauthmagic.oauth.tokens import Token

#: Ends that differ by less are the same: an answer takes its time to arrive.
TOLERANCE = timedelta(seconds=60)

SERVER = "at the server"
#: Longer texts push what stands beside them out of its column.
WIDEST = 48


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Introspected:
    """A server's answer about a token, with the token that was asked about.

    Attributes:
        said: What the server says.
        token: What is held here.
        kind: Which of the two was asked about: "access_token", "refresh_token".
    """

    said: Introspection
    token: Token
    kind: str = "access_token"

    @property
    def active(self) -> bool:
        """Whether the token is good, as far as the server tells this client."""
        return self.said.active

    def frame(self) -> pd.DataFrame:
        """Return one row for each thing that the server says."""
        return introspection_table(self.facts())

    def facts(self) -> list[tuple[str, str, str]]:
        """Return what there is to say, in order: name, at the server, here."""
        said, token = self.said, self.token
        known = dict(token_facts(token))
        is_access = self.kind == "access_token"
        own_subject = {"password": "username", "client_credentials": "sub"}
        held = {
            "active": known.get("status" if is_access else "refresh", ""),
            "scope": known.get("scopes", ""),
            "client_id": quote(token.client_id),
            "token_type": token.token_type if is_access else "",
            "exp": _moment(self._end()),
            "iat": _moment(token.issued_at) if is_access else "",
            own_subject.get(token.grant, ""): quote(token.subject),
        }
        rows = {
            "active": "yes" if said.active else "no",
            "scope": shown_scopes(said.scopes or ()),
            "client_id": said.client_id,
            "username": said.username,
            "token_type": said.token_type,
            "exp": _moment(said.expires_at),
            "iat": _moment(said.issued_at),
            "nbf": _moment(said.not_before),
            "sub": said.sub,
            "aud": listed(said.aud),
            "iss": said.iss,
            "jti": said.jti,
        }
        return [
            (name, value, held.get(name, "")) for name, value in rows.items() if value
        ]

    def advice(self) -> str:
        """Return what to make of it and what to do next, or ""."""
        return " ".join(self._remarks() if self.active else [self._way_on()])

    def _end(self) -> datetime | None:
        token = self.token
        is_access = self.kind == "access_token"
        return token.expires_at if is_access else token.refresh_expires_at

    def _name(self) -> str:
        return quote(self.token.alias or self.token.target)

    def _way_on(self) -> str:
        """Return what to make of a token that is not active, and what to do next."""
        name, token = self._name(), self.token
        again = f"Next: %token {name} --fresh."
        if token.refresh_token is not None:
            again = f"Next: %token refresh {name}."
        if self.kind == "refresh_token":
            # django-oauth-toolkit looks for access tokens only.
            return (
                "The server no longer takes it, does not tell this client, or tells of "
                f"access tokens only, as some do; a refresh shows which. {again}"
            )
        if token.is_expired():
            return f"It is over, as is known here. {again}"
        return (
            "The server no longer takes it, or does not tell this client about it "
            f"(RFC 7662, section 2.2). {again}"
        )

    def _remarks(self) -> list[str]:
        """Return how an active token differs from what is held here."""
        said, token, end = self.said, self.token, self._end()
        now = token.clock()
        found = []
        if said.client_id and token.client_id not in ("", said.client_id):
            found.append("It was issued to another client.")
        if said.not_before is not None and said.not_before > now + TOLERANCE:
            found.append(f"It is not good before {_moment(said.not_before)}.")
        if end is not None and end <= now:
            found.append("Here it counts as over: the next use renews it.")
        elif said.expires_at is not None and (
            end is None or said.expires_at < end - TOLERANCE
        ):
            found.append(
                "It ends sooner than is known here; a 401 then renews it."
                if end
                else "Its end was not known here."
            )
        if said.scopes is not None and self.kind == "access_token":
            has = set(said.scopes)
            missing = [each for each in token.scopes if quote(each, LONGEST) not in has]
            if missing:
                names = shown_scopes(missing)
                found.append(f"It lacks scopes that are counted on here: {names}.")
        return found

    def __repr__(self) -> str:
        facts = self.facts()
        width = min(max(len(value) for _, value, _ in facts), WIDEST)
        width = max(width, len(SERVER))
        lines = [f"{name:<12}{value:<{width}}  {held}" for name, value, held in facts]
        head = f"{'':<12}{SERVER:<{width}}  here"
        rows = [f"  {line}".rstrip() for line in (head, *lines)]
        return "\n".join(filter(None, [self._title(), *rows, self.advice()]))

    def _repr_html_(self) -> str:
        header = "".join(
            f'<th scope="col" style="{CELL}">{name}</th>'
            for name in ("", SERVER, "here")
        )
        rows = "".join(
            f'<tr><th scope="row" style="{CELL};font-weight:normal;opacity:.8">'
            f'{escape(name)}</th><td style="{CELL}">{escape(value)}</td>'
            f'<td style="{CELL}">{escape(held)}</td></tr>'
            for name, value, held in self.facts()
        )
        advice = self.advice()
        return (
            '<table style="border-collapse:collapse">'
            '<caption style="text-align:left;font-weight:bold;padding:2px 0">'
            f"{escape(self._title())}</caption><thead><tr>{header}</tr></thead>"
            f"<tbody>{rows}</tbody></table>"
            + (f"<div>{escape(advice)}</div>" if advice else "")
        )

    def _title(self) -> str:
        state = "active" if self.active else "not active"
        return f"The {self.kind.replace('_', ' ')} of {self._name()} is {state}"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
