"""A reply's body on disk instead of in memory: `--save FILE`.

It is written beside its place under a name of its own, for this user alone, and moved
there when it is whole. The name is the user's; nothing that a server says has a part
in it.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from oauthmagic.errors import CommandError, ReplyError
from oauthmagic.redaction import quote
from oauthmagic.views.replies import Saved

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.transport.wire import Headers

    #: (bytes so far, bytes in all or None)
    Progress = Callable[[int, int | None], None]

#: The largest file that is saved, in bytes.
MAX_SAVED = 16 << 30
#: From when on, and how often, progress is told, in seconds.
FIRST, EVERY = 0.5, 0.25


class SavedFile:
    """Takes the body of a 2xx response; the sink of one request.

    Args:
        path: Where the file is to be.
        overwrite: Whether a file that is there may be replaced.
        progress: Is told how far it is, where that takes a while.
        clock: Returns seconds that only grow.

    Raises:
        CommandError: It cannot be there; nothing was sent.
    """

    limit = MAX_SAVED

    def __init__(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        progress: Progress | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = Path(path).expanduser()
        self._overwrite = overwrite
        self._progress = progress
        self._clock = clock
        self._file: IO[bytes] | None = None
        self._size = 0
        self._total: int | None = None
        self._type = ""
        self._told = 0.0
        self._check()

    def _check(self) -> None:
        shown = quote(str(self._path), 200)
        if self._path.exists() and not self._path.is_file():
            msg = f"{shown!r} is no file. Nothing was sent."
            raise CommandError(msg, hint="Name the file itself: --save photo.png.")
        if self._path.exists() and not self._overwrite:
            msg = f"{shown!r} is there already. Nothing was sent."
            raise CommandError(msg, hint="Choose another name, or --overwrite.")
        if not self._path.parent.is_dir():
            msg = f"There is no folder for {shown!r}. Nothing was sent."
            raise CommandError(msg, hint="Make it first.")

    def begin(self, status: int, headers: Headers) -> bool:
        """Return whether this response is to be saved, and make ready for it.

        A request that is sent once more begins anew.
        """
        self.discard()
        if not 200 <= status < 300:  # noqa: PLR2004 - a refusal is shown instead
            return False
        named = dict(headers)
        length = named.get("content-length", "")
        is_plain = "content-encoding" not in named
        self._total = int(length) if is_plain and length.isdecimal() else None
        self._type = quote(named.get("content-type", "").partition(";")[0], 60)
        self._size = 0
        self._told = self._clock() + FIRST - EVERY
        try:
            # Opened by nobody else: a new name, mode 0600.
            self._file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed below
                dir=self._path.parent, prefix=".oauthmagic-", delete=False
            )
        except OSError as error:
            raise self._failed(error) from None
        return True

    def write(self, data: bytes) -> None:
        """Take what came next.

        Raises:
            ReplyError: It cannot be written.
        """
        if self._file is None:
            return  # given up meanwhile
        try:
            self._file.write(data)
        except (OSError, ValueError) as error:
            raise self._failed(error) from None
        self._size += len(data)
        now = self._clock()
        if self._progress is not None and now - self._told >= EVERY:
            self._told = now
            self._progress(self._size, self._total)

    def finish(self) -> Saved | None:
        """Move the file to its place; None where there was nothing to save.

        Raises:
            ReplyError: It cannot be put there.
        """
        if self._file is None:
            return None
        file, self._file = self._file, None
        try:
            file.close()
            self._place(file.name)
        except OSError as error:
            Path(file.name).unlink(missing_ok=True)
            raise self._failed(error) from None
        return Saved(path=str(self._path), size=self._size, content_type=self._type)

    def discard(self) -> None:
        """Remove what was written so far."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
            Path(file.name).unlink(missing_ok=True)

    def _place(self, name: str) -> None:
        if self._overwrite:
            os.replace(name, self._path)  # noqa: PTH105 - as its sibling below
            return
        try:
            # Unlike a move, it never replaces what came there meanwhile.
            os.link(name, self._path)
        except FileExistsError:
            raise
        except OSError:
            # A file system without links.
            if self._path.exists():
                raise
            os.replace(name, self._path)  # noqa: PTH105 - see above
        else:
            Path(name).unlink()

    def _failed(self, error: Exception) -> ReplyError:
        why = getattr(error, "strerror", None) or type(error).__name__
        shown = quote(str(self._path), 200)
        msg = f"The reply cannot be saved as {shown!r}: {why}."
        return ReplyError(
            msg, hint="Nothing is left of it; the request itself was answered."
        )
