"""Every page of a list, from its first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauthmagic.errors import ReplyError
from oauthmagic.session.saving import EVERY, FIRST
from oauthmagic.transport.urls import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.runtime.world import World
    from oauthmagic.session.saving import Progress
    from oauthmagic.transport.wire import WireRequest
    from oauthmagic.views.replies import Reply

#: How many pages are followed where nobody says otherwise.
MAX_PAGES = 1000


def follow(
    first: Reply,
    request: WireRequest,
    send: Callable[[WireRequest], Reply],
    *,
    world: World,
    most: int = MAX_PAGES,
    progress: Progress | None = None,
) -> tuple[Reply, ...]:
    """Return the pages behind the first one.

    Args:
        first: The first page.
        request: What it was asked with.
        send: Sends a request for the next.
        world: What it runs in.
        most: The most pages in all.
        progress: Is told how many came, where that takes a while.

    Raises:
        ReplyError: A page failed, or leads back to one that was read before.
        UrlRefused: The next page is on an origin that the provider does not declare.
    """
    pages: list[Reply] = []
    seen = {request.url}
    page = first
    told = world.monotonic() + FIRST - EVERY
    while page.ok and len(pages) + 1 < most:
        if not page.body:
            return tuple(pages)
        following = world.provider.next_page(page.json(), page.url, page.headers)
        if not following:
            return tuple(pages)
        url = str(
            resolve(
                following,
                api_base=world.environment.api_base,
                origins=world.environment.token_origins,
            )
        )
        if url in seen:
            msg = f"Page {len(pages) + 2} leads back to a page that was read before."
            raise ReplyError(
                msg, hint="Leave --all out, and report it to the provider."
            )
        seen.add(url)
        page = send(replace(request, url=url))
        pages.append(page)
        if progress is not None and world.monotonic() - told >= EVERY:
            told = world.monotonic()
            progress(len(pages) + 1, None)
        if not page.ok:
            msg = f"Page {len(pages) + 1} answered {page.status} {page.reason}."
            raise ReplyError(msg, hint=page.hint or "Try again in a moment.")
    if page.ok:
        first.note = f"{first.note}; stopped after {most} pages".strip("; ")
    return tuple(pages)
