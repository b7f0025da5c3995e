"""What league/oauth2-server answers when it refuses.

Source: answers recorded from versions 8.5.5 and 9.4.1, and the library's change
log. Three families, because it is not documented which one Revsto runs:

    league7   7.4 to 8.1: a wrong user is 401 `invalid_credentials`
    league8   8.5: a wrong user is 400 `invalid_grant`
    league9   9.x: a bad refresh token is 400 `invalid_grant`; no `message`

Only `league8` and `league9` were recorded; `league7` is `league8` with the one
difference that the change log names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from oauthmagic.errors import UnknownName
from oauthmagic.sandbox.answers import Refusal, json_answer


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorFamily:
    """What differs between versions of the library.

    Attributes:
        wrong_user: Status and `error` for a wrong user name or password.
        bad_refresh_token: Status and `error` for a refresh token that is refused.
        message: Whether `message` repeats `error_description`.
        any_case: Whether `bearer` is accepted for `Bearer`.
    """

    wrong_user: tuple[int, str]
    bad_refresh_token: tuple[int, str]
    message: bool
    any_case: bool

    def refusal(
        self,
        status: int,
        error: str,
        description: str,
        hint: str = "",
        challenge: str = "",
    ) -> Refusal:
        """Return a refusal in this family's shape, ready to be raised."""
        members = {"error": error, "error_description": description}
        if hint:
            members["hint"] = hint
        if self.message:
            members["message"] = description
        headers = (("WWW-Authenticate", challenge),) if challenge else ()
        return Refusal(json_answer(status, members, *headers))

    def unsupported_grant_type(self) -> Refusal:
        """Refuse a grant that is unknown, or a body that is not a form."""
        return self.refusal(
            400,
            "unsupported_grant_type",
            "The authorization grant type is not supported by the authorization "
            "server.",
            "Check that all required parameters have been provided",
        )

    def invalid_request(self, parameter: str) -> Refusal:
        """Refuse a request that lacks a parameter."""
        return self.refusal(
            400,
            "invalid_request",
            "The request is missing a required parameter, includes an invalid "
            "parameter value, includes a parameter more than once, or is otherwise "
            "malformed.",
            f"Check the `{parameter}` parameter",
        )

    def invalid_client(self, authorization: str | None) -> Refusal:
        """Refuse a client; challenge it only if it sent an Authorization header."""
        scheme = "Bearer" if (authorization or "").startswith("Bearer") else "Basic"
        return self.refusal(
            401,
            "invalid_client",
            "Client authentication failed",
            challenge=f'{scheme} realm="OAuth"' if authorization else "",
        )

    def invalid_scope(self, scope: str) -> Refusal:
        """Refuse a scope that is unknown or was not granted."""
        return self.refusal(
            400,
            "invalid_scope",
            "The requested scope is invalid, unknown, or malformed",
            f"Check the `{_escape(scope)}` scope",
        )

    def invalid_user(self) -> Refusal:
        """Refuse a user name or password."""
        return self.refusal(*self.wrong_user, "The user credentials were incorrect.")

    def invalid_refresh_token(self, hint: str) -> Refusal:
        """Refuse a refresh token."""
        return self.refusal(
            *self.bad_refresh_token, "The refresh token is invalid.", hint
        )

    def access_denied(self, hint: str) -> Refusal:
        """Refuse an access token: not `invalid_token`, and no Bearer challenge."""
        return self.refusal(
            401,
            "access_denied",
            "The resource owner or authorization server denied the request.",
            hint,
        )


FAMILIES: Final = {
    "league7": ErrorFamily(
        wrong_user=(401, "invalid_credentials"),
        bad_refresh_token=(401, "invalid_request"),
        message=True,
        any_case=False,
    ),
    "league8": ErrorFamily(
        wrong_user=(400, "invalid_grant"),
        bad_refresh_token=(401, "invalid_request"),
        message=True,
        any_case=False,
    ),
    "league9": ErrorFamily(
        wrong_user=(400, "invalid_grant"),
        bad_refresh_token=(400, "invalid_grant"),
        message=False,
        any_case=True,
    ),
}


def family(name: str) -> ErrorFamily:
    """Return an error family.

    Raises:
        UnknownName: There is no such family.
    """
    try:
        return FAMILIES[name]
    except KeyError:
        kind = "error family"
        raise UnknownName(kind, name, FAMILIES) from None


def _escape(text: str) -> str:
    # PHP's htmlspecialchars with ENT_QUOTES, what is an entity already left alone.
    text = re.sub(r"&(?!#?\w+;)", "&amp;", text)
    for character, entity in (
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
        ("'", "&#039;"),
    ):
        text = text.replace(character, entity)
    return text
