"""Every page of a list, from its first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oauthmagic.errors import CommandError, Interrupted, OAuthMagicError, ReplyError
from oauthmagic.transport.urls import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oauthmagic.runtime.world import World
    from oauthmagic.transport.wire import WireRequest
    from oauthmagic.views.replies import Reply

    #: (pages so far, rows so far, rows in all or None)
    PagesProgress = Callable[[int, int, int | None], None]

#: How many pages are followed where nobody says otherwise.
MAX_PAGES = 1000
#: From when on, and how often, progress is told, in seconds.
FIRST, EVERY = 0.5, 0.25


def check_most(most: int | None) -> int:
    """Return how many pages are followed.

    Raises:
        CommandError: It is no number of pages.
    """
    if most is None:
        return MAX_PAGES
    if type(most) is not int or most < 1:
        msg = "The number of pages is 1 or more."
        raise CommandError(msg, hint=f"Leave it out for {MAX_PAGES:,}.")
    return most


def follow(
    first: Reply,
    request: WireRequest,
    send: Callable[[WireRequest], Reply],
    *,
    world: World,
    most: int = MAX_PAGES,
    progress: PagesProgress | None = None,
) -> None:
    """Put the pages behind the first one into its `pages`, as they come.

    Args:
        first: The first page.
        request: What it was asked with.
        send: Sends a request for the next.
        world: What it runs in.
        most: The most pages in all.
        progress: Is told how far it is, where that takes a while.

    Raises:
        ReplyError: A page failed, or leads back to one that was read before.
        UrlRefused: The next page is on an origin that the provider does not declare.
        OAuthMagicError: A page could not be had. As with every error here, and with
            `Interrupted`, the pages that came before it are there.
    """
    told = _Told(progress, world.provider.envelope, world.monotonic)
    pages: list[Reply] = []
    try:
        for page in _pages(first, request, send, world=world, most=most, told=told):
            pages.append(page)
            first.pages = tuple(pages)
    except KeyboardInterrupt:
        said = f"{len(pages) + 1:,} pages"
        raise Interrupted(said, first) from None


class _Told:
    """Counts, and tells how far it is, but not at every page."""

    def __init__(
        self,
        progress: PagesProgress | None,
        envelope: str,
        clock: Callable[[], float],
    ) -> None:
        self._progress = progress
        self._envelope = envelope
        self._clock = clock
        self._next = clock() + FIRST
        self._rows = 0

    def __call__(self, pages: int, body: Any) -> None:
        if self._progress is None:
            return
        rows, total = _counted(body, self._envelope)
        self._rows += rows
        now = self._clock()
        if now >= self._next:
            self._next = now + EVERY
            self._progress(pages, self._rows, total)


def _pages(
    first: Reply,
    request: WireRequest,
    send: Callable[[WireRequest], Reply],
    *,
    world: World,
    most: int,
    told: _Told,
) -> Iterator[Reply]:
    seen = {request.url}
    page, count = first, 1
    body = _read(page)
    while body is not None:
        told(count, body)
        following = world.provider.next_page(body, page.url, page.headers)
        if not following:
            return
        if count >= most:
            first.note = f"{first.note}; there are more pages".strip("; ")
            return
        url = _next_url(following, world, count + 1)
        if url in seen:
            msg = f"Page {count + 1} leads back to a page that was read before."
            raise ReplyError(
                msg, hint="The rows before it are there; report it to the provider."
            )
        seen.add(url)
        page = send(replace(request, url=url))
        count += 1
        if page.is_empty_list:
            return
        if not page.ok:
            msg = f"Page {count} answered {page.status} {page.reason}."
            raise ReplyError(msg, hint=page.hint or "Try again in a moment.")
        # First: a page that cannot be read is no page.
        body = _read(page)
        yield page


def _read(page: Reply) -> Any:
    return page.json() if page.body else None


def _next_url(following: str, world: World, number: int) -> str:
    """Return the URL of the next page, if it may be asked.

    Raises:
        UrlRefused: It may not, or it is none.
    """
    try:
        url = resolve(
            following,
            api_base=world.environment.api_base,
            origins=world.environment.token_origins,
        )
    except OAuthMagicError as error:
        hint = f"It is the link to page {number} that the server gave. {error.hint}"
        raise error.with_hint(hint) from None
    return str(url)


def _counted(body: Any, envelope: str) -> tuple[int, int | None]:
    """Return how many rows a page has, and how many there are, if it says so."""
    if isinstance(body, list):
        return len(body), None
    if not isinstance(body, dict):
        return 0, None
    lists = [each for each in body.values() if isinstance(each, list)]
    rows = body.get(envelope) if isinstance(body.get(envelope), list) else None
    meta = body.get("meta")
    totals = [body.get("count"), body.get("total")]
    totals += [meta.get("total")] if isinstance(meta, dict) else []
    total = next((each for each in totals if type(each) is int), None)
    return len(rows if rows is not None else lists[0] if lists else []), total
