"""From the text of a cell to replies: read everything, check everything, then send."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import (
    CommandError,
    InsufficientScope,
    Interrupted,
    OAuthMagicError,
    ReplyError,
    StepUpRequired,
)
from oauthmagic.flows.token_requests import step_up
from oauthmagic.http_request import parse
from oauthmagic.oauth.challenges import bearer_error, parse_challenges
from oauthmagic.oauth.sca import SCHEME
from oauthmagic.oauth.strict_json import read_object
from oauthmagic.oauth.targets import production_mark
from oauthmagic.runtime.authorized import Answer, authorize, send_authorized
from oauthmagic.session.guids import new_guid
from oauthmagic.session.needs import (
    PLAIN_SCOPE,
    how_to_ask,
    needs_comment,
    needs_sentence,
)
from oauthmagic.session.pages import MAX_PAGES, follow
from oauthmagic.transport.urls import check_host_header, resolve
from oauthmagic.transport.wire import WireRequest, WireResponse
from oauthmagic.views.replies import Headers, Reply
from oauthmagic.views.texts import request_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauthmagic.http_request import HttpRequest
    from oauthmagic.http_request.multipart import Piece
    from oauthmagic.oauth.challenges import BearerError
    from oauthmagic.oauth.sca import ScaEvent
    from oauthmagic.oauth.tokens import Token
    from oauthmagic.runtime.lifecycle import TokenKeeper
    from oauthmagic.runtime.world import World
    from oauthmagic.session.pages import PagesProgress
    from oauthmagic.session.saving import SavedFile
    from oauthmagic.transport.wire import WireResponse

#: From here on each reply says that the user must soon log in again.
LOGIN_ENDS_SOON = timedelta(days=7)
#: The most bytes that the `< ./file` lines of a cell may send.
MAX_FILE = 64 << 20
#: The most bytes of a refusal that are read for what it says.
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A request that passed every check, with what the cell said about it."""

    wire: WireRequest
    name: str
    timeout: float | None
    pieces: tuple[Piece, ...] = ()
    file: SavedFile | None = None


def prepare(
    world: World,
    text: str,
    variables: Mapping[str, Any],
    *,
    file: SavedFile | None = None,
) -> tuple[Prepared, ...]:
    """Read a cell and check all of its requests against the URL gate.

    Args:
        world: What they run in.
        text: The cell.
        variables: Values for `{{name}}`.
        file: Takes the reply to the only request.
    """
    files = Files()
    prepared = tuple(
        checked(
            template.fill(
                variables.__getitem__,
                now=world.clock(),
                guid=lambda: new_guid(world.randomness),
                files=files,
                known_names=variables.keys(),
            ),
            world,
        )
        for template in parse(text)
    )
    if file is None:
        return prepared
    if len(prepared) > 1:
        msg = f"There are {len(prepared)} requests, and one file for their replies."
        raise CommandError(msg, hint="Give each a cell with its own --save.")
    wire = replace(prepared[0].wire, sink=file)
    return (replace(prepared[0], wire=wire, file=file),)


@dataclass(kw_only=True, slots=True)
class Sending:
    """Requests that are sent in order, and can go on where they were stopped.

    Attributes:
        left: The requests not yet answered.
        token: What the next one is sent with.
        proof: Headers for the next one alone.
        step_ups: How many second factors the next one was answered with.
        every_page: Whether lists are followed to their end.
        most: How many pages of a list are followed.
        progress: Is told how far a list is.
        replies: What came back so far.
    """

    left: list[Prepared]
    token: Token
    proof: tuple[tuple[str, str], ...] = ()
    step_ups: int = 0
    every_page: bool = False
    most: int = MAX_PAGES
    progress: PagesProgress | None = None
    replies: list[Reply] = field(default_factory=list)

    def go_on(self, world: World, keeper: TokenKeeper) -> Reply:
        """Send what is left, up to the first that fails; return the last reply.

        Raises:
            StepUpRequired: The next one asks for a second factor.
        """
        while self.left:
            prepared = self.left[0]
            wire = prepared.wire
            if self.proof:
                # For this one request alone: not for its pages, not for the next.
                wire = replace(wire, headers=(*wire.headers, *self.proof))
                self.proof = ()
            proven = replace(prepared, wire=wire)
            try:
                reply, self.token = send(proven, self.token, world, keeper)
                if prepared.file is not None:
                    reply.saved = prepared.file.finish()
                    saved = str(reply.saved or "not saved")
                    reply.note = "; ".join(filter(None, [reply.note, saved]))
            except BaseException:
                if prepared.file is not None:
                    prepared.file.discard()
                raise
            self.replies.append(reply)
            if self.every_page and reply.ok and wire.method == "GET":
                try:
                    self._follow(reply, prepared, world, keeper)
                except (Interrupted, OAuthMagicError) as error:
                    reply.replies = tuple(self.replies)
                    error.partial = reply
                    raise
            self.left.pop(0)
            self.step_ups = 0
            if not reply.ok and self.left:
                # What follows was written for a world where this one worked.
                reply.note = f"{reply.note}; {len(self.left)} more not sent".strip("; ")
                break
        last = self.replies[-1]
        last.replies = tuple(self.replies)
        return last

    def _follow(
        self, first: Reply, prepared: Prepared, world: World, keeper: TokenKeeper
    ) -> None:
        def send_next(wire: WireRequest) -> Reply:
            following = replace(prepared, wire=wire)
            try:
                page, self.token = send(following, self.token, world, keeper)
            except StepUpRequired:
                msg = "A page of the list asks for a second factor."
                hint = "Ask for the pages one by one, without --all."
                raise ReplyError(msg, hint=hint) from None
            return page

        follow(
            first,
            prepared.wire,
            send_next,
            world=world,
            most=self.most,
            progress=self.progress,
        )


def send(
    prepared: Prepared, token: Token, world: World, keeper: TokenKeeper
) -> tuple[Reply, Token]:
    """Send one request; return the reply and the token that it was sent with.

    Raises:
        StepUpRequired: The server asks for a second factor first.
    """
    answer = send_authorized(
        prepared.wire, token, keeper=keeper, world=world, timeout=prepared.timeout
    )
    response = answer.response
    event = asks_for_more(response, world)
    if event is not None:
        raise StepUpRequired(event)
    reply = Reply(
        status=response.status,
        headers=Headers(response.headers),
        body=response.body,
        elapsed=response.elapsed,
        method=prepared.wire.method,
        url=prepared.wire.url,
        environment=world.environment.name,
        envelope=world.provider.envelope,
        hint=hint_for(response, prepared.wire, world, answer.token),
        name=prepared.name,
        note=_note(answer, token),
        # Text, and not the request: it holds the token, and maybe a password.
        request=request_text(authorize(prepared.wire, answer.token, world)),
        secrets=tuple(
            secret
            for held in (token, answer.token)
            for secret in (held.access_token, held.refresh_token)
            if secret
        ),
    )
    reply.is_empty_list = _means_no_rows(reply, world)
    return reply, answer.token


def _means_no_rows(reply: Reply, world: World) -> bool:
    """Return whether a provider says by an error that a list is empty."""
    if reply.ok or world.provider.no_rows is None:
        return False
    try:
        return world.provider.no_rows(reply.status, reply.json())
    except ReplyError:
        return False


def asks_for_more(
    response: WireResponse, world: World
) -> ScaEvent | BearerError | None:
    """Return the stronger authentication that a response asks for, or None."""
    if world.provider.step_up == SCHEME:
        return step_up(response)
    if response.status == 401 and "authorization_code" in world.provider.grants:  # noqa: PLR2004
        said = bearer_error(parse_challenges(response.joined("www-authenticate")))
        if said.error == "insufficient_user_authentication":
            return said
    return None


def preview(world: World, prepared: tuple[Prepared, ...], token: Token | None) -> str:
    """Return the requests as text, with the token's place marked; nothing is sent.

    A comment says which scopes each wants, and what a token that is held lacks.
    """
    shown = ("authorization", "Bearer (the token)")
    mark = production_mark(world.environment.name)
    return (f"# {mark}\n" if mark else "") + "\n\n###\n\n".join(
        needs_comment(each.wire.method, each.wire.url, world, token)
        + request_text(
            WireRequest(
                method=each.wire.method,
                url=each.wire.url,
                headers=(*each.wire.headers, shown),
                body=each.wire.body,
            )
        )
        for each in prepared
    )


def checked(request: HttpRequest, world: World) -> Prepared:
    """Return a request that passed the URL gate.

    Raises:
        UrlRefused: It leads to an origin that the provider does not declare.
    """
    url = resolve(
        request.target,
        api_base=world.environment.api_base,
        origins=world.environment.token_origins,
    )
    headers = []
    for name, value in request.headers:
        if name.lower() == "host":
            # Other tools need the line; here it may only repeat what is known.
            check_host_header(value, url)
        else:
            headers.append((name, value))
    if not any(name.lower() == "accept" for name, _ in headers):
        headers.append(("Accept", "application/json, */*;q=0.5"))
    return Prepared(
        wire=WireRequest(
            method=request.method,
            url=str(url),
            headers=tuple(headers),
            body=request.body,
        ),
        name=request.name or "",
        timeout=request.timeout,
        pieces=request.pieces,
    )


def hint_for(
    response: WireResponse, wire: WireRequest, world: World, token: Token
) -> str:
    """Return what to do next about the response to a request, or ""."""
    status = response.status
    if status < 300:  # noqa: PLR2004
        return ""
    if status < 400:  # noqa: PLR2004
        return (
            "Redirects are not followed, so that the token goes nowhere else; "
            "--show headers shows where to."
        )
    hint = world.provider.hint("api", status) or _HINTS.get(status, "")
    if status != 403:  # noqa: PLR2004
        return hint
    missing = _missing_scopes(response, token)
    how = how_to_ask(missing, world, token) if missing else ""
    # Where the server names none, its description may.
    how = how or needs_sentence(wire.method, wire.url, world, token)
    return f"{hint} {how}".strip()


def _missing_scopes(response: WireResponse, token: Token) -> tuple[str, ...]:
    """Return the scopes that a refusal names and the token lacks.

    In a challenge (RFC 6750, section 3.1), or as members of the body.
    """
    fields = [value for name, value in response.headers if name == "www-authenticate"]
    said = bearer_error(parse_challenges(", ".join(fields)))
    error, scope = said.error, said.scope
    if not error:
        try:
            members = read_object(response.body, max_bytes=_MOST_BYTES)
        except ValueError:
            return ()
        error, scope = members.get("error", ""), members.get("scope", "")
    if error != InsufficientScope.error or not isinstance(scope, str):
        return ()
    return tuple(
        each
        for each in dict.fromkeys(scope.split())
        if PLAIN_SCOPE.fullmatch(each) and each not in token.scopes
    )


_HINTS = {
    401: "The token was not accepted: %token TARGET --fresh gets a new one.",
    403: "The token lacks a scope for this request, or access is not enabled: "
    "compare %token scopes TARGET.",
    404: "Check the path; it is resolved against the API base.",
    429: "Too many requests: wait, then try again less often.",
}


def _note(answer: Answer, token: Token) -> str:
    notes = []
    if answer.replayed:
        notes.append("the API answered 401: token refreshed, request sent once more")
    elif answer.token.generation != token.generation:
        notes.append(f"token refreshed first: {answer.token.reason}")
    if answer.trouble:
        notes.append(answer.trouble)
    if answer.waited:
        seconds = max(round(answer.waited), 1)
        notes.append(f"waited {seconds} s as the server asked")
    if answer.reconnected:
        notes.append("the connection was lost: request sent once more")
    end = answer.token.refresh_expires_at
    if (
        answer.token.grant == "authorization_code"
        and end is not None
        and (left := end - answer.token.clock()) < LOGIN_ENDS_SOON
    ):
        notes.append(f"the login ends in {left.days} days: log in again before")
    return "; ".join(notes)


class Files:
    """Reads the files of a cell: whole, regular ones, and not too much in all."""

    def __init__(self) -> None:
        self._left = MAX_FILE

    def __call__(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            CommandError: It is none that can be sent.
        """
        path = Path(name).expanduser()
        # A device or a pipe has no size and may have no end.
        if path.exists() and not path.is_file():
            msg = f"{name!r} is not a file that can be sent."
            raise CommandError(msg, hint="Name a file; a folder can be zipped first.")
        with path.open("rb") as file:
            content = file.read(self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            msg = f"With {name!r}, the files are larger than {MAX_FILE >> 20} MiB."
            raise CommandError(
                msg, hint="Send them in several cells. Nothing was sent."
            )
        return content
