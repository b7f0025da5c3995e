"""What was answered, on disk: an interrupted run goes on where it stopped.

A line of JSON that says what the file belongs to, then a record for each success, in
the order in which they came:

    position status attempts elapsed bytes crc32 LF body LF

Nothing is ever changed in it. A process that was killed leaves at most a torn record at
the end, which is cut off. The replies are the user's data and stand in it as they came,
but for tokens and other secrets that a server repeats; nothing of a request does.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import zlib
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from oauthmagic.batch.chunks import Answered
from oauthmagic.errors import CommandError
from oauthmagic.redaction import quote, redact, texts_with_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauthmagic.transport.wire import WireResponse

_FORMAT = "oauthmagic rows"
_VERSION = 1
_BEGINNING = b'{"format": "oauthmagic rows"'
_LONGEST_LINE = 4096
# Position, status, attempts, elapsed, bytes, checksum.
_RECORD = re.compile(
    rb"([0-9]{1,12}) ([0-9]{3}) ([0-9]{1,9}) ([0-9]{1,9}\.[0-9]{6}) ([0-9]{1,12}) "
    rb"([0-9]{1,10})\n"
)
_SEED_BYTES = 16


class Checkpoint:
    """A file of answers; one run at a time writes it.

    Args:
        path: Where it is; it is made if it is not there, for this user alone.
        randomness: Returns so many random bytes.

    Attributes:
        seed: What `{{$guid}}` is made of, the same after an interruption.

    Raises:
        CommandError: The file is another one, or cannot be used.
    """

    def __init__(self, path: str | Path, randomness: Callable[[int], bytes]) -> None:
        self._path = Path(path).expanduser()
        self._shown = quote(str(self._path), 200)
        self._waiting: list[bytes] = []
        self._places: array[int] = array("q")
        self._handle = self._opened()
        try:
            self._lock()
            self._head = self._read_head()
            seed = self._head.get("seed", "")
            self.seed = bytes.fromhex(seed) if seed else randomness(_SEED_BYTES)
        except BaseException:
            os.close(self._handle)
            raise

    def begin(self, target: str, fingerprint: str, rows: int) -> int:
        """Tie the file to a run, or see that it belongs to it.

        Args:
            target: The target.
            fingerprint: Of the request and the rows.
            rows: How many there are.

        Returns:
            How many rows need not be sent again.

        Raises:
            CommandError: It belongs to another run.
        """
        self._places = array("q", [-1]) * rows
        if not self._head:
            head = {
                "format": _FORMAT,
                "version": _VERSION,
                "target": target,
                "rows": rows,
                "fingerprint": fingerprint,
                "seed": self.seed.hex(),
            }
            self._append(json.dumps(head).encode() + b"\n")
            return 0
        said = self._head
        if said.get("target") != target:
            self._refuse(f"was made for {quote(str(said.get('target')), 80)}")
        if said.get("rows") != rows:
            self._refuse(f"was made for {said.get('rows')} rows, and there are {rows}")
        if said.get("fingerprint") != fingerprint:
            self._refuse("was made for another request, or other rows")
        return self._read_records()

    def known(self, start: int, stop: int) -> dict[int, Answered]:
        """Return what was answered of some rows before.

        Args:
            start: The position of the first.
            stop: The position behind the last.
        """
        found: dict[int, Answered] = {}
        for place, where in enumerate(self._places[start:stop]):
            if where < 0:
                continue
            line, body_at = self._line(where)
            match = _RECORD.fullmatch(line)
            if match is not None:
                found[place] = Answered(
                    status=int(match[2]),
                    attempts=int(match[3]),
                    elapsed=float(match[4]),
                    body=self._read(int(match[5]), body_at),
                )
        return found

    def add(self, position: int, response: WireResponse, attempts: int) -> None:
        """Take a success; `write` puts it on disk."""
        body = response.body
        head = b"%d %d %d %.6f %d %d\n" % (
            position,
            response.status,
            attempts,
            response.elapsed,
            len(body),
            zlib.crc32(body),
        )
        self._waiting += head, body, b"\n"

    def write(self) -> None:
        """Put what was taken on disk: it survives the end of this process.

        Raises:
            CommandError: It cannot be written.
        """
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        texts = [body.decode("utf-8", "replace") for body in waiting[1::3]]
        # Together, for one look is cheaper than many.
        for text in {*texts_with_secrets(texts)}:
            _mask(waiting, [place for place, each in enumerate(texts) if each == text])
        where = os.fstat(self._handle).st_size
        self._append(b"".join(waiting))
        # A worker of a cluster that was lost has its rows asked for once more.
        for start in range(0, len(waiting), 3):
            position = int(waiting[start].partition(b" ")[0])
            self._places[position] = where
            where += sum(map(len, waiting[start : start + 3]))

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        try:
            self.write()
        finally:
            os.close(self._handle)

    def _opened(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY"):
            flags |= getattr(os, name, 0)
        try:
            handle = os.open(self._path, flags, 0o600)
        except OSError as error:
            msg = f"The checkpoint {self._shown!r} cannot be opened: {error.strerror}."
            raise CommandError(msg, hint="Name a file in a folder of yours.") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            msg = f"The checkpoint {self._shown!r} is no regular file."
            raise CommandError(msg, hint="Name a file in a folder of yours.")
        return handle

    def _lock(self) -> None:
        try:
            import fcntl  # noqa: PLC0415 - not on every system
        except ImportError:
            return
        try:
            # Gone with this process, however it ends.
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"The checkpoint {self._shown!r} is in use by another run."
            raise CommandError(
                msg, hint="Wait until it has ended, or name another file."
            ) from None
        except OSError:
            return  # a file system without locks

    def _read_head(self) -> dict[str, Any]:
        line, end, _ = self._read(_LONGEST_LINE, 0).partition(b"\n")
        if not end and _BEGINNING.startswith(line[: len(_BEGINNING)]):
            # New, or killed while it was made: nothing was answered yet.
            os.ftruncate(self._handle, 0)
            return {}
        head: object = None
        with contextlib.suppress(ValueError, RecursionError):
            head = json.loads(line)
        if not isinstance(head, dict) or head.get("format") != _FORMAT:
            self._refuse("is another file")
        if head.get("version") != _VERSION:
            self._refuse("was made by another version of oauthmagic")
        return head

    def _read_records(self) -> int:
        """Find every record; cut off what was torn."""
        where = self._line(0)[1]
        end = os.fstat(self._handle).st_size
        while where < end:
            line, body_at = self._line(where)
            match = _RECORD.fullmatch(line)
            if match is None:
                break
            size = int(match[5])
            body = self._read(size + 1, body_at)
            if len(body) <= size or body[-1:] != b"\n":
                break
            if zlib.crc32(memoryview(body)[:-1]) != int(match[6]):
                break
            if int(match[1]) < len(self._places):
                self._places[int(match[1])] = where
            where = body_at + size + 1
        if where < end:
            os.ftruncate(self._handle, where)
        return len(self._places) - self._places.count(-1)

    def _read(self, size: int, where: int) -> bytes:
        os.lseek(self._handle, where, os.SEEK_SET)
        read = bytearray()
        while len(read) < size and (more := os.read(self._handle, size - len(read))):
            read += more
        return bytes(read)

    def _line(self, where: int) -> tuple[bytes, int]:
        """Return the line at a place with its end, and the place behind it."""
        line, end, _ = self._read(_LONGEST_LINE, where).partition(b"\n")
        return line + end, where + len(line) + len(end)

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
        except OSError as error:
            msg = f"The checkpoint {self._shown!r} cannot be written: {error.strerror}."
            raise CommandError(
                msg, hint="What is in it stays good: make room, and run the same again."
            ) from None

    def _refuse(self, why: str) -> NoReturn:
        msg = f"The checkpoint {self._shown!r} {why}. Nothing was sent."
        raise CommandError(
            msg, hint="Name another file, or delete this one to begin anew."
        )


def _mask(waiting: list[bytes], places: list[int]) -> None:
    """Mask the secrets in the bodies of some records."""
    for place in places:
        head, body = waiting[3 * place : 3 * place + 2]
        body = redact(body.decode("utf-8", "replace")).encode()
        start = b" ".join(head.split(b" ")[:4])
        size, checksum = len(body), zlib.crc32(body)
        waiting[3 * place] = b"%s %d %d\n" % (start, size, checksum)
        waiting[3 * place + 1] = body
