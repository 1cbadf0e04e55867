"""The file as rows by line: what is wrong with one row is told in its place, and the next one is read."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import IO, cast

from ingest_service.importer.rows import NAMES, Row, column
from shared.errors import Rejected

BATCH = 500  # rows published, acknowledged and remembered together
GZIP = b"\x1f\x8b"
MAX_FIELD = 1024 * 1024
BROKEN = (EOFError, OSError, zlib.error)  # of the file itself: nothing behind it can be read

Line = tuple[int, Row | Rejected]  # by the number of its (last) line


def rows_of(raw: IO[bytes]) -> Iterator[Line]:
    """A quoted field may hold line breaks. Raises Rejected where the file can't be read any further."""
    packed = raw.read(2) == GZIP
    raw.seek(0)
    plain = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
    text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="")
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(text)
    try:
        names = _names(reader)
        while True:
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as exc:  # the reader itself goes on with the next line
                yield reader.line_num, Rejected(f"can't be read: {exc}", code="unreadable")
                continue
            if any(values):
                yield reader.line_num, dict(zip(names, values, strict=False))
    except BROKEN as exc:
        after = f"line {reader.line_num}" if reader.line_num else "its very beginning"
        raise Rejected(
            f"the file is damaged, or cut off, after {after} ({type(exc).__name__}):"
            " the rows up to there are dealt with, nothing behind",
            code="file_damaged",
        ) from exc
    finally:
        text.detach()


def _names(reader: Iterator[list[str]]) -> list[str]:
    try:
        names = [column(name) for name in next(reader, [])]
    except csv.Error:
        names = []
    if not set(names) & set(NAMES["player"]):
        raise Rejected("there is no column `id` in the first line: not an export of OneSignal's")
    return names


def batches(rows: Iterable[Line], done: int) -> Iterator[Sequence[Line]]:
    """From where the last run was cut off. What was read before an error is given out before it."""
    left = islice(rows, done, None)
    while True:
        batch: list[Line] = []
        broken: Rejected | None = None
        try:
            for row in islice(left, BATCH):
                batch.append(row)
        except Rejected as exc:
            broken = exc
        if batch:
            yield batch
        if broken is not None:
            raise broken
        if not batch:
            return
