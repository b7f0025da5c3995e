"""Options of `%%api` that go together, and those that do not."""

from __future__ import annotations

import builtins
import keyword
from typing import TYPE_CHECKING

from oauthmagic.errors import CommandError, UnknownName

if TYPE_CHECKING:
    from argparse import Namespace

SHOWN = ("headers", "body", "exchange")
#: What only many rows have.
_OF_ROWS = {
    "rate": "--rate",
    "checkpoint": "--checkpoint",
    "to": "--to",
    "concurrency": "--concurrency",
    "engine": "--engine",
    "yes_post": "--yes-post",
}


def check_api(options: Namespace) -> None:
    """Refuse options that do not go together, or have no good value.

    Raises:
        CommandError: There is one.
        UnknownName: A value is unknown.
    """
    _check_rows(options)
    if options.max_pages is not None and not options.every_page:
        msg = "--max-pages says how many pages --all follows."
        raise CommandError(msg, hint="Add --all.")
    for given, name in (
        (options.frame is not None, "--frame"),
        (options.every_page, "--all"),
    ):
        if given and options.save is not None:
            msg = f"--save and {name} do not go together."
            raise CommandError(
                msg, hint="A saved reply is not in memory: read its file."
            )
    if options.overwrite and options.save is None:
        msg = "--overwrite says what --save FILE may do."
        raise CommandError(msg, hint="Add --save FILE.")
    for what in options.show:
        if what not in SHOWN:
            raise UnknownName("value", what, SHOWN, where=" of --show")
    if options.out is not None and (
        not options.out.isidentifier()
        or keyword.iskeyword(options.out)
        or hasattr(builtins, options.out)
    ):
        msg = f"{options.out!r} cannot be the name of a variable."
        raise CommandError(msg, hint="For example --out products.")


def _check_rows(options: Namespace) -> None:
    """Refuse options that do not go together with `--each`, or not without it.

    Raises:
        CommandError: There is one.
    """
    if options.each is None:
        for name, option in _OF_ROWS.items():
            if getattr(options, name):
                msg = f"{option} is about many rows."
                raise CommandError(msg, hint="Add --each FRAME: a request for each.")
        return
    for given, option in (
        (options.every_page, "--all"),
        (options.frame is not None, "--frame"),
        (options.save is not None, "--save"),
        (options.lang, "--lang"),
        (options.show, "--show"),
    ):
        if given:
            msg = f"--each and {option} do not go together."
            raise CommandError(
                msg, hint="The result is a DataFrame with a row for each row."
            )
