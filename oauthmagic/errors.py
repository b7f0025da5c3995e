"""Every error of this package, in one tree.

    OAuthMagicError                      .hint says what to do next
    ├── CommandError                     what was asked cannot be understood; nothing was sent
    │   ├── UnknownName                  a provider, environment, scope, option, variable, key ...
    │   ├── SecretOnLine                 a secret was about to be typed where it would be kept
    │   ├── WrongAnswer                  a code that was not accepted; it may be tried again
    │   ├── WrongState                   a redirected URL that answers another login
    │   ├── RequestSyntaxError           an `.http` request that cannot be read
    │   ├── ExtraMissing                 a package that only some need is not installed
    │   └── UrlRefused                   a URL that the token may not be sent to
    ├── ProviderFileError                a provider description that cannot be used
    ├── DiscoveryFailed                  no metadata of an issuer, or none to believe
    ├── PreflightFailed                  certificates that the server would refuse; nothing was sent
    ├── MissingCredentials               no credentials found, with every way to give them
    ├── EnvironmentRefused               credentials or tokens of another environment
    ├── SecretRefused (TypeError)        a `Secret` was about to be shown, compared or copied out
    ├── StoreError                       tokens cannot be kept where they should be
    │   ├── StoreUnavailable             no place, no key or no keyring; the hint names another
    │   │   └── KeyringMissing           no keyring, or none that keeps secrets
    │   ├── StoreDamaged                 what is stored was changed, cut or sealed with another key
    │   ├── StoreWriteFailed             not saved; the token lives on in memory
    │   └── StoreBusy                    another kernel holds the token's lock
    ├── LoginRequired                    the authorization is over; log in again
    ├── RevocationFailed                 forgotten here, but not all of it revoked at the server
    ├── ListenerUnavailable              a port that a login would come back to is somebody else's
    ├── UserActionRequired               the user must act; .pending says how
    ├── StepUpRequired                   a server asks for a second factor; becomes the one above
    ├── StepUpFailed                     the second factor was refused for good
    ├── ReplyError                       a reply that has no such data
    ├── UnreadableFile                   a file that could not be searched for secrets, or not all of it
    ├── ProtocolError                    an answer that the standard does not allow
    │   ├── InvalidTokenResponse
    │   ├── InvalidDeviceResponse
    │   ├── InvalidIntrospectionResponse
    │   ├── InvalidChallenge             a step-up challenge that cannot be read
    │   ├── SignatureRefused             a JWT that no key of the provider is known to have signed
    │   └── UnexpectedRedirect
    ├── OAuthError                       the server refused; one class per `error` code
    │   ├── InvalidRequest, InvalidClient, InvalidGrant, UnauthorizedClient,
    │   │   UnsupportedGrantType, InvalidScope                            RFC 6749, 5.2
    │   ├── AccessDenied, UnsupportedResponseType, ServerError,
    │   │   TemporarilyUnavailable                                        RFC 6749, 4.1.2.1
    │   ├── InvalidToken, InsufficientScope                               RFC 6750, 3.1
    │   ├── AuthorizationPending, SlowDown, ExpiredToken                  RFC 8628, 3.5
    │   ├── UnsupportedTokenType                                          RFC 7009, 2.2.1
    │   ├── InvalidTarget                                                 RFC 8693, RFC 8707
    │   ├── UseDPoPNonce, InvalidDPoPProof                                RFC 9449
    │   ├── InsufficientUserAuthentication                                RFC 9470
    │   └── InvalidCredentials                           league/oauth2-server 7, 8.0, 8.1
    ├── RateLimited                      HTTP 429; .retry_after is what the server said
    └── TransportError                   .sent says whether the server may have seen the request
        ├── ConnectionFailed             no connection; nothing was sent
        ├── TlsError                     the server's identity could not be verified
        ├── ConnectionLost               the connection broke before the answer was whole
        ├── DeadlineExceeded             no whole answer in time
        └── ResponseRefused              an answer that is too large or encoded in a way not asked for

    Interrupted (KeyboardInterrupt)      Ctrl-C where .partial has what was done before

Sources: RFC 6749 and the RFCs named above.
This module imports the standard library only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

Sent = Literal["no", "yes", "unknown"]

#: The most characters of a message and of a hint; some of them are a server's.
LONGEST_MESSAGE = 500
LONGEST_HINT = 1000
#: C0 and C1 controls, the characters that reorder or hide text (tags among them, in
#: which a whole text can hide), and halves of surrogate pairs, which no output can
#: write; to stand in a character class.
INVISIBLE = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")


class _Redactor(Protocol):
    def __call__(self, text: str, *, upto: int | None = None) -> str: ...


# `oauthmagic.redaction` stands above this module and puts its redactor here; where
# it has not been imported, there is no secret yet.
_redactors: list[_Redactor] = []


def redact_with(redactor: _Redactor) -> None:
    """Have the texts of all errors cleaned by a redactor."""
    _redactors[:] = [redactor]


def visible(text: str, mark: str = " ") -> str:
    """Return a text with a mark in the place of what does not show."""
    return _INVISIBLE.sub(mark, text)


class OAuthMagicError(Exception):
    """Anything that this package refuses or cannot do.

    Message and hint are redacted, freed of control characters and cut, in this
    order, wherever their parts come from: a kernel saves the text of every error.

    Args:
        message: What happened, in one sentence.
        hint: What to do next.

    Attributes:
        partial: What was done before it, where much was asked for: the rows or the
            pages so far; else None.
    """

    hint: str = ""
    partial: Any = None

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(_clean(message, LONGEST_MESSAGE))
        self.hint = _clean(hint or type(self).hint, LONGEST_HINT)
        if self.hint:
            # A plain Python traceback shows notes; the notebook has its own way.
            self.add_note(f"Hint: {self.hint}")

    def with_hint(self, hint: str) -> Self:
        """Return this error with another hint, unless that is empty."""
        if hint:
            self.hint = _clean(hint, LONGEST_HINT)
            self.__notes__ = [f"Hint: {self.hint}"]
        return self


def _clean(text: str, most: int) -> str:
    for redactor in _redactors:
        text = redactor(text, upto=most * 4)
    # An example in a hint has lines.
    text = "\n".join(visible(line) for line in text[: most * 4].split("\n"))
    return text if len(text) <= most else text[: most - 3] + "..."


class CommandError(OAuthMagicError):
    """What was asked cannot be understood; nothing was sent."""


class UnknownName(CommandError):
    """A name that is not known where it stands.

    Args:
        kind: What sort of name, for example `"provider"`.
        name: The name as given.
        known: The names that would have been accepted.
        where: An ending for the sentence, for example `" in line 3"`.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        known: Iterable[str] = (),
        *,
        where: str = "",
        hint: str = "",
    ) -> None:
        known = list(known)
        shown = name if len(name) <= 60 else name[:57] + "..."  # noqa: PLR2004
        message = f"Unknown {kind} {shown!r}{where}.{did_you_mean(name, known)}"
        if not hint and known:
            hint = f"Known: {listed(known)}."
        super().__init__(message, hint=hint)


class SecretOnLine(CommandError):
    """A secret was about to be typed where it would be kept."""


class WrongAnswer(CommandError):
    """A second factor that was not accepted; the action goes on waiting."""


class WrongState(CommandError):
    """A redirected URL that answers another login; the login goes on waiting."""

    hint = "Paste the URL of the login that was opened last, or start it again."


class RequestSyntaxError(CommandError):
    """An `.http` request that cannot be read; the message names the line."""


class ExtraMissing(CommandError):
    """A package that only some need is not installed.

    Args:
        message: What needs which.
        extra: The extra that brings it.
    """

    def __init__(self, message: str, *, extra: str) -> None:
        hint = f"Install it with the extra: pip install 'oauthmagic[{extra}]'"
        super().__init__(message, hint=hint)
        self.extra = extra


class UrlRefused(CommandError):
    """A URL that the token may not be sent to; nothing was sent."""


class ProviderFileError(OAuthMagicError):
    """A provider description that cannot be used."""


class DiscoveryFailed(OAuthMagicError):
    """There is no metadata of an issuer, or none that may be believed (RFC 8414)."""


class MissingCredentials(OAuthMagicError):
    """No credentials were found; the hint names every way to give them."""


class PreflightFailed(OAuthMagicError):
    """The client's certificates will not do; nothing was sent."""


class UnreadableFile(OAuthMagicError):
    """A file that could not be searched for secrets, or not all of it."""

    hint = "Look whether it opens in Jupyter or an editor, then scan it again."


class EnvironmentRefused(OAuthMagicError):
    """Something of one environment was about to be used in another."""


class SecretRefused(OAuthMagicError, TypeError):
    """A secret was about to be shown, compared or copied out."""

    hint = "Call .reveal() where you really need the value."


class StoreError(OAuthMagicError):
    """Tokens cannot be kept, or read, where they should be."""


class StoreUnavailable(StoreError):
    """The store that was chosen cannot be used here; nothing was written."""

    hint = 'The store "memory" works everywhere: %config OAuthMagic.store = "memory".'


class KeyringMissing(StoreUnavailable):
    """There is no keyring here, or none that keeps secrets."""


class StoreDamaged(StoreError):
    """What is stored was changed, cut, moved or sealed with another key."""

    hint = (
        "Nothing of it is used. %token forget --all empties the store; "
        "then get the tokens anew."
    )


class StoreWriteFailed(StoreError):
    """A token was not saved; the one saved before, if any, is still there."""

    hint = "It lives on in this kernel and is saved as soon as that works again."


class StoreBusy(StoreError):
    """Another kernel or program holds the lock of a token."""

    hint = (
        "Wait, then try again. Do not end the other kernel while it renews the token: "
        "that can cost the login."
    )


class LoginRequired(OAuthMagicError):
    """The authorization is over and cannot be renewed without its owner."""


class ListenerUnavailable(OAuthMagicError):
    """The port that a login would come back to is somebody else's; nothing was opened.

    Whoever holds it would be sent the authorization code.
    """

    hint = (
        "End the program that listens there, or the login that waits there: "
        "%token forget TARGET. Then run the cell again."
    )


class RevocationFailed(OAuthMagicError):
    """A token was forgotten here, and the server did not revoke all of it (RFC 7009).

    Args:
        message: What was not revoked and why.
        revoked: What was: "refresh_token", "access_token".
        not_revoked: What was not, with the error that says why.
        expires_at: Until when each of the latter lives at the server (aware, UTC), or
            None where that is not known.
        hint: What to do next.
    """

    def __init__(
        self,
        message: str,
        *,
        revoked: tuple[str, ...] = (),
        not_revoked: Mapping[str, OAuthMagicError],
        expires_at: Mapping[str, datetime | None],
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.revoked = revoked
        self.not_revoked = dict(not_revoked)
        self.expires_at = dict(expires_at)


class UserActionRequired(OAuthMagicError):
    """The user must act before the token or the reply can be had.

    Args:
        message: What is asked of the user.
        pending: The pending action: `.kind`, `.url`, `.expires_at`, `.describe()`.
    """

    def __init__(self, message: str, *, pending: Any, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.pending = pending


class StepUpRequired(OAuthMagicError):
    """A server asks for a second factor before it does what was asked.

    Args:
        event: What it asks for (`oauthmagic.oauth.sca.ScaEvent`).
    """

    hint = "Send the request through a Session or a magic, which ask you for it."

    def __init__(self, event: Any) -> None:
        super().__init__("The server asks for a second factor.")
        self.event = event


class StepUpFailed(OAuthMagicError):
    """The second factor was refused for good, or its time is over."""

    hint = "Run the cell again to start anew."


class ReplyError(OAuthMagicError):
    """A reply that does not hold the data asked of it."""


class ProtocolError(OAuthMagicError):
    """An answer that the standard does not allow; nothing of it was kept."""


class InvalidTokenResponse(ProtocolError):
    """A token response that RFC 6749, section 5.1, does not allow."""

    hint = (
        "Nothing was kept. Check the token endpoint's URL with the provider: "
        "a proxy or a login page may have answered in its place."
    )


class InvalidIntrospectionResponse(ProtocolError):
    """An introspection response that RFC 7662, section 2.2, does not allow."""

    hint = (
        "The token was not changed. Check the introspection_endpoint with the "
        "provider: a proxy or a login page may have answered in its place."
    )


class InvalidDeviceResponse(ProtocolError):
    """A device authorization response that RFC 8628, section 3.2, does not allow."""

    hint = (
        "Nothing was kept. Check the device_authorization_endpoint with the provider, "
        "or log in by another grant."
    )


class InvalidChallenge(ProtocolError):
    """A challenge that asks for more authentication but cannot be read."""

    hint = (
        "Nothing was answered to it. Send the request once more; "
        "if the challenge comes back the same, report it to the provider."
    )


class SignatureRefused(ProtocolError):
    """A JWT whose signature could not be verified (RFC 7515, section 5.2)."""

    hint = "Do not rely on what it says of itself."


class UnexpectedRedirect(ProtocolError):
    """A redirect where none is followed, so that no secret leaves the origin."""

    hint = (
        "Redirects are not followed here. "
        "If the endpoint has moved, put its new URL into the provider."
    )


class OAuthError(OAuthMagicError):
    """An error that the authorization server answered (RFC 6749, section 5.2).

    Args:
        error_description: The server's explanation, already redacted and cut.
        error: The code, where it is not one of those that have a class.
        error_uri: A page about the error, as the server named it.
        status: The HTTP status of the answer.
        hint: What to do next; without it, the class's own.
    """

    error: str = ""
    _classes: ClassVar[dict[str, type[OAuthError]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.error:
            OAuthError._classes[cls.error] = cls

    def __init__(
        self,
        error_description: str = "",
        *,
        error: str = "",
        error_uri: str = "",
        status: int | None = None,
        hint: str = "",
    ) -> None:
        self.error = error or type(self).error
        self.error_description = error_description
        self.error_uri = error_uri
        self.status = status
        answered = f"The server answered {self.error or 'an error'}"
        if status is not None:
            answered += f" (HTTP {status})"
        message = f"{answered}: {error_description}" if error_description else answered
        super().__init__(message if message.endswith(".") else message + ".", hint=hint)

    @classmethod
    def for_code(cls, code: str) -> type[OAuthError]:
        """Return the class of an `error` code; `OAuthError` itself for others."""
        return cls._classes.get(code, OAuthError)


class InvalidRequest(OAuthError):
    """The request lacks a parameter, repeats one or is malformed."""

    error = "invalid_request"
    hint = "Check that every credential is given and belongs to this environment."


class InvalidClient(OAuthError):
    """Client authentication failed."""

    error = "invalid_client"
    hint = (
        "Check client_id and client_secret, and that they belong to this environment."
    )


class InvalidGrant(OAuthError):
    """The user's credentials, code or refresh token are not (or no longer) valid."""

    error = "invalid_grant"
    hint = "Check user name and password; if a refresh token was used, log in again."


class UnauthorizedClient(OAuthError):
    """The client may not use this grant."""

    error = "unauthorized_client"
    hint = "Ask the provider which grants your client may use."


class UnsupportedGrantType(OAuthError):
    """The authorization server does not know this grant."""

    error = "unsupported_grant_type"
    hint = "Choose another grant with --grant; %token providers lists them."


class InvalidScope(OAuthError):
    """A scope is unknown, malformed or more than was granted."""

    error = "invalid_scope"
    hint = "%token scopes TARGET lists the scopes; ask for fewer with --scope."


class AccessDenied(OAuthError):
    """The resource owner or the authorization server denied the request."""

    error = "access_denied"
    hint = "The request was refused. Start again if that was not intended."


class UnsupportedResponseType(OAuthError):
    """The authorization server does not offer this response type."""

    error = "unsupported_response_type"


class ServerError(OAuthError):
    """The authorization server met an unexpected condition."""

    error = "server_error"
    hint = "Try again in a moment."


class TemporarilyUnavailable(OAuthError):
    """The authorization server is overloaded or under maintenance."""

    error = "temporarily_unavailable"
    hint = "Try again in a moment."


class InvalidToken(OAuthError):
    """The access token is expired, revoked, malformed or otherwise invalid."""

    error = "invalid_token"
    hint = "Get a new one: %token TARGET --fresh."


class InsufficientScope(OAuthError):
    """The request needs more scopes than the access token has."""

    error = "insufficient_scope"
    hint = "Get a token with the scope: %token TARGET --scope NAME."


class AuthorizationPending(OAuthError):
    """The user has not finished on the other device."""

    error = "authorization_pending"
    hint = "Finish there; it is asked again by itself."


class SlowDown(OAuthError):
    """The client polls too fast; the interval grows by 5 seconds."""

    error = "slow_down"
    hint = "It is asked again by itself, less often."


class ExpiredToken(OAuthError):
    """The device code has expired."""

    error = "expired_token"
    hint = "Start the device login again."


class UnsupportedTokenType(OAuthError):
    """The authorization server does not revoke this kind of token."""

    error = "unsupported_token_type"


class InvalidTarget(OAuthError):
    """The resource or audience asked for is unknown or not allowed."""

    error = "invalid_target"


class UseDPoPNonce(OAuthError):
    """The authorization server wants its nonce in the DPoP proof."""

    error = "use_dpop_nonce"


class InvalidDPoPProof(OAuthError):
    """The DPoP proof was refused."""

    error = "invalid_dpop_proof"


class InsufficientUserAuthentication(OAuthError):
    """The resource server wants a stronger or more recent authentication."""

    error = "insufficient_user_authentication"


class InvalidCredentials(OAuthError):
    """The user name or password is wrong (league/oauth2-server 7.4 to 8.1)."""

    error = "invalid_credentials"
    hint = "Check user name and password."


class RateLimited(OAuthMagicError):
    """The server wants fewer requests (HTTP 429; RFC 6585, section 4).

    Args:
        message: What was refused.
        retry_after: The value of `Retry-After`, or "".
        hint: What to do next.
    """

    def __init__(self, message: str, *, retry_after: str = "", hint: str = "") -> None:
        wait = f" (the server says: Retry-After {retry_after})" if retry_after else ""
        super().__init__(message, hint=hint or f"Wait, then try again{wait}.")
        self.retry_after = retry_after


class TransportError(OAuthMagicError):
    """No usable answer came back.

    Args:
        message: What happened.
        sent: Whether the server may have seen the request: "no", "yes", "unknown".
        hint: What to do next.
    """

    def __init__(self, message: str, *, sent: Sent = "unknown", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.sent: Sent = sent


class ConnectionFailed(TransportError):
    """No connection could be made; nothing was sent."""

    hint = "Check the host name, the network and the proxy, then try again."


class TlsError(TransportError):
    """The server's identity could not be verified; nothing was sent."""

    hint = (
        "If the server has a private certificate authority, "
        "name its file as ca_file in the provider."
    )


class ConnectionLost(TransportError):
    """The connection broke before the answer was whole."""

    hint = "Whether the server acted on the request is not known; check before you repeat it."


class DeadlineExceeded(TransportError):
    """No whole answer came in time."""

    hint = "Try again, or allow more time: %config OAuthMagic.timeout = 60."


class ResponseRefused(TransportError):
    """The answer is too large, or encoded in a way that was not asked for."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with what was done before it.

    Args:
        message: How far it was.
        partial: The rows or the pages so far.
    """

    def __init__(self, message: str, partial: Any) -> None:
        super().__init__(message)
        self.partial = partial


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the known word nearest to `word`, or nothing."""
    import difflib  # noqa: PLC0415 - only where something is wrong

    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f" Did you mean {by_folded[near[0]]!r}?" if near else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return the names as one comma-separated text of at most `most` names."""
    names = list(names)
    if len(names) <= most:
        return ", ".join(names)
    return ", ".join(names[:most]) + f" and {len(names) - most} more"
