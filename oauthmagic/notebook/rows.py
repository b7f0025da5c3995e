"""`%%api TARGET --each FRAME`: what is said of many rows, and what is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.display import display

from oauthmagic.batch.parquet import Written
from oauthmagic.errors import (
    Interrupted,
    OAuthMagicError,
    UserActionRequired,
)
from oauthmagic.notebook.arguments import variable
from oauthmagic.notebook.pending import show_pending
from oauthmagic.notebook.progress import RowsProgress

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping

    from oauthmagic.session import Session

#: How many different errors are named.
_MOST_KINDS = 5


def send_rows(
    session: Session,
    options: Namespace,
    request: str,
    names: Mapping[str, Any],
    keep: Callable[[Any], None],
) -> Any:
    """Send a request for each row, and return or keep what became of them.

    Args:
        session: What sends them.
        options: The parsed line.
        request: The cell.
        names: The notebook's variables.
        keep: Puts a result under the name that was asked for.
    """
    frame = variable(names, options.each, "--each")
    if options.dry_run:
        first = session.preview_rows(
            options.target,
            request,
            frame,
            variables=names,
            yes_post=options.yes_post,
        )
        print(first)  # noqa: T201 - what was asked for
        return None
    try:
        with RowsProgress() as told:
            result = session.map(
                options.target,
                request,
                frame,
                concurrency=options.concurrency or 64,
                rate=options.rate,
                checkpoint=options.checkpoint,
                to=options.to,
                engine=options.engine,
                variables=names,
                yes_post=options.yes_post,
                progress=None if options.quiet else told,
            )
    except UserActionRequired as error:
        show_pending(error.pending)
        raise
    except (Interrupted, OAuthMagicError) as error:
        if error.partial is not None:
            _rescue(error.partial, options, keep)
        raise
    if options.out is None:
        return None if options.quiet else result
    keep(result)
    if not options.quiet:
        print(f"{options.out}: {said_of(result)}")  # noqa: T201 - says what happened
    return None


def said_of(result: Any) -> str:
    """Return what became of rows, in a line."""
    if isinstance(result, Written):
        return str(result)
    errors = result["error"].dropna()
    text = f"{len(result):,} rows, {len(result) - len(errors):,} without an error"
    kinds = errors.str.split(":").str[0].value_counts()
    named = [f"{kind} ({count:,})" for kind, count in kinds[:_MOST_KINDS].items()]
    return "; ".join([text, ", ".join(named)]) if named else text


def _rescue(partial: Any, options: Namespace, keep: Callable[[Any], None]) -> None:
    """Keep what was done, and say how to go on."""
    if options.out is None and not isinstance(partial, Written):
        display(partial)
    elif options.out is not None:
        keep(partial)
    name = options.out or "Done so far"
    if options.checkpoint:
        how = f"Run the cell again: it goes on, and {options.checkpoint} knows where."
    else:
        how = (
            "The rows without an answer say so in 'error'; with --checkpoint FILE the "
            "same cell would go on where it stopped."
        )
    print(f"{name}: {said_of(partial)}. {how}")  # noqa: T201 - says what happened
