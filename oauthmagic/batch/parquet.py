"""Rows into a Parquet file, and not through memory.

Each chunk is a file of its own at first, for what columns there are is known only at
the end. They are joined then, also where the run was broken off.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oauthmagic.batch.chunks import table
from oauthmagic.errors import CommandError, ExtraMissing
from oauthmagic.redaction import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import pandas as pd

    from oauthmagic.batch.chunks import Chunk


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """Rows that are in a file.

    Attributes:
        path: The file.
        rows: How many there are.
        succeeded: How many of them were answered without an error.
    """

    path: str
    rows: int
    succeeded: int

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.succeeded:,} without an error: {self.path}"


class ParquetFile:
    """Takes chunks in any order, and writes them in the order of the rows.

    Args:
        path: Where the file is to be; one that is there is replaced at the end.
        index: What the rows are called.

    Raises:
        ExtraMissing: pyarrow is not installed.
        CommandError: The file cannot be there; nothing was sent.
    """

    def __init__(self, path: str | Path, index: pd.Index[Any]) -> None:
        self._arrow = _pyarrow()
        self._path = Path(path).expanduser()
        self._index = index
        self._parts: dict[int, tuple[Path, int]] = {}
        self._rows = self._succeeded = 0
        shown = quote(str(self._path), 200)
        if self._path.exists() and not self._path.is_file():
            msg = f"{shown!r} is no file. Nothing was sent."
            raise CommandError(msg, hint="Name a file: --to results.parquet.")
        try:
            # Opened by nobody else, mode 0700; beside the file, to be moved from there.
            self._folder = Path(
                tempfile.mkdtemp(dir=self._path.parent, prefix=".oauthmagic-")
            )
        except OSError as error:
            msg = f"{shown!r} cannot be written: {error.strerror}. Nothing was sent."
            raise CommandError(msg, hint="Name a file in a folder of yours.") from None

    def take(self, chunk: Chunk) -> None:
        """Write a chunk.

        Raises:
            CommandError: It cannot be written.
        """
        rows = table([chunk], self._index[chunk.start : chunk.start + len(chunk)])
        part = self._folder / f"{chunk.start}.arrow"
        columns = _columns(self._arrow, rows)
        with (
            self._writing(),
            self._arrow.OSFile(str(part), "wb") as file,
            self._arrow.ipc.new_file(file, columns.schema) as writer,
        ):
            writer.write_table(columns)
        self._parts[chunk.start] = part, len(chunk)
        self._rows += len(chunk)
        self._succeeded += len(chunk) - len(chunk.errors)

    def finish(self) -> Written:
        """Join what was written, in the order of the rows, and put it in its place.

        Raises:
            CommandError: It cannot be written.
        """
        try:
            if self._parts:
                with self._writing():
                    self._join()
        finally:
            self.discard()
        return Written(path=str(self._path), rows=self._rows, succeeded=self._succeeded)

    def discard(self) -> None:
        """Remove what is not in its place."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            shown = quote(str(self._path), 200)
            why = error.strerror or type(error).__name__
            msg = f"The rows cannot be written to {shown!r}: {why}."
            raise CommandError(
                msg, hint="Make room, or name another place; --checkpoint keeps them."
            ) from None

    def _join(self) -> None:
        arrow = self._arrow
        parquet = importlib.import_module("pyarrow.parquet")
        parts = [self._parts[start][0] for start in sorted(self._parts)]
        schema = _joint_schema(arrow, [_schema(arrow, part) for part in parts])
        whole = self._folder / "whole.parquet"
        with parquet.ParquetWriter(whole, schema) as writer:
            for part in parts:
                with arrow.memory_map(str(part)) as source:
                    rows = arrow.ipc.open_file(source).read_all()
                    writer.write_table(_cast(arrow, rows, schema))
        whole.chmod(0o600)
        os.replace(whole, self._path)  # noqa: PTH105 - atomic, on one file system


def _pyarrow() -> ModuleType:
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        msg = "Writing Parquet files needs pyarrow, which is not installed."
        raise ExtraMissing(msg, extra="parquet") from None


def _columns(arrow: Any, rows: pd.DataFrame) -> Any:
    """Return rows as Arrow has them; what has no one type there is JSON text."""
    try:
        return arrow.Table.from_pandas(rows, preserve_index=True)
    except (arrow.ArrowException, ValueError, TypeError, OverflowError):
        rows = rows.copy(deep=False)
        for place, name in enumerate(rows.columns):
            try:
                arrow.array(rows[name], from_pandas=True)
            except (arrow.ArrowException, ValueError, TypeError, OverflowError):
                texts = rows[name].map(_json, na_action="ignore")
                rows.isetitem(place, texts.to_numpy())
        return arrow.Table.from_pandas(rows, preserve_index=True)


def _schema(arrow: Any, part: Path) -> Any:
    with arrow.memory_map(str(part)) as source:
        return arrow.ipc.open_file(source).schema


def _joint_schema(arrow: Any, schemas: list[Any]) -> Any:
    """Return the columns of all parts, each of a type that has room for all."""
    fields: dict[str, Any] = {}
    for field in (field for schema in schemas for field in schema):
        known = fields.setdefault(field.name, field)
        if known.type == field.type:
            continue
        try:
            both = arrow.unify_schemas(
                [arrow.schema([known]), arrow.schema([field])],
                promote_options="permissive",
            )
            fields[field.name] = both.field(0)
        except arrow.ArrowException:
            fields[field.name] = arrow.field(field.name, arrow.string())
    return arrow.schema([*fields.values()], metadata=schemas[0].metadata)


def _cast(arrow: Any, rows: Any, schema: Any) -> Any:
    """Return rows with the columns of a schema."""
    columns = []
    for field in schema:
        if field.name not in rows.schema.names:
            columns.append(arrow.nulls(len(rows), field.type))
            continue
        column = rows.column(field.name)
        if column.type != field.type:
            column = _cast_column(arrow, column, field.type)
        columns.append(column)
    return arrow.Table.from_arrays(columns, schema=schema)


def _cast_column(arrow: Any, column: Any, kind: Any) -> Any:
    if not arrow.types.is_nested(column.type):
        return column.cast(kind)
    # By their values: nested columns cannot be cast where a part of them is empty.
    values = column.to_pylist()
    if arrow.types.is_string(kind):
        values = [None if each is None else _json(each) for each in values]
    return arrow.array(values, kind)


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
