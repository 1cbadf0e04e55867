"""Rows of the file by line. A bad row is returned as an error, and reading continues."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, cast

from ingest_service.importer.columns import COLUMN_NAMES, PERSON_COLUMN, Row, column
from shared.errors import Rejected

IMPORT_BATCH_ROWS = 500  # rows published, acknowledged and counted together
GZIP_MAGIC = b"\x1f\x8b"
MAX_FIELD = 1024 * 1024
MAX_HEAD = 64 * 1024  # letters of the line that names the columns
MAX_BLANK_LINES = 100
DELIMITERS = ",;\t|"
# Errors of the file itself, after which nothing can be read.
BROKEN = (EOFError, OSError, zlib.error, UnicodeDecodeError)
CSV_NOT_UTF8 = (
    "has bytes that aren't UTF-8: a spreadsheet saved the file as Windows-1250 or Latin-1;"
    " save it as UTF-8, or import OneSignal's own file"
)

Line = tuple[int, Row | Rejected]  # by the number of its (last) line


@dataclass(frozen=True)
class Head:
    """The line with the names of columns, and the number of lines before it."""

    columns: list[str]
    delimiter: str
    skipped: int


class Table:
    """An open CSV file, plain or gzip. Raises Rejected if it is no export of OneSignal's."""

    def __init__(self, raw: IO[bytes]) -> None:
        packed = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        plain = gzip.GzipFile(fileobj=raw) if packed else raw
        start = io.BufferedReader(cast(io.RawIOBase, plain))
        self._line = 0
        with _whole_file(self):
            encoding = _encoding(start.peek(4)[:4])
            self._text = io.TextIOWrapper(
                start, encoding, errors="surrogateescape" if encoding == "utf-8" else "strict",
                newline="",
            )  # fmt: skip
            self._head = _read_head(self._text)
        self._line = self._head.skipped + 1

    @property
    def columns(self) -> list[str]:
        return self._head.columns

    @property
    def line(self) -> int:
        """The number of the last line that was read."""
        return self._line

    def rows(self) -> Iterator[Line]:
        """Yield the rows by line; quoted fields may have line breaks.

        Raises Rejected if the file can't be read further.
        """
        csv.field_size_limit(MAX_FIELD)
        reader = csv.reader(self._text, delimiter=self._head.delimiter)
        begin = self._line
        with _whole_file(self):
            while True:
                try:
                    values = next(reader)
                except StopIteration:
                    return
                except csv.Error as exc:  # the reader continues with the next line
                    self._line = begin + reader.line_num
                    yield self._line, Rejected(f"can't be read: {exc}", code="unreadable")
                    continue
                self._line = begin + reader.line_num
                if any(values):
                    yield self._line, self._row(values)

    def _row(self, values: list[str]) -> Row | Rejected:
        if not _is_text("".join(values)):
            return Rejected(CSV_NOT_UTF8, code="encoding")
        return dict(zip(self._head.columns, values, strict=False))


class _whole_file:
    """Context that turns errors of the file into Rejected, with the last line that was read."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BROKEN):
            after = f"line {self._table.line}" if self._table.line else "its very beginning"
            raise Rejected(
                f"the file is damaged, or cut off, after {after} ({type(error).__name__}):"
                " the rows up to there are dealt with, nothing behind",
                code="file_damaged",
            ) from error


def _encoding(start: bytes) -> str:
    """Return the encoding by the first bytes; UTF-16 without a mark is recognized by its NULs."""
    # Spreadsheets save "Unicode text" as UTF-16.
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if len(start) >= 4 and start[1] == start[3] == 0 != start[0]:
        return "utf-16-le"
    if len(start) >= 4 and start[0] == start[2] == 0 != start[1]:
        return "utf-16-be"
    return "utf-8"


def _read_head(text: io.TextIOWrapper) -> Head:
    """Read the head, after blank lines and a line that defines the delimiter. Raises Rejected."""
    delimiter = ""  # from `sep=;`, as spreadsheets write it
    for skipped in range(MAX_BLANK_LINES):
        line = text.readline(MAX_HEAD).lstrip("\ufeff")
        if not line:
            break
        if line.lower().startswith("sep=") and len(line.rstrip("\r\n")) <= len("sep=,"):
            delimiter = line[4:5].strip("\r\n")
        elif line.strip().strip(DELIMITERS):
            return _to_head(line, delimiter or DELIMITERS, skipped)
    raise Rejected("the file is empty: there is no line that names the columns")


def _to_head(line: str, delimiters: str, skipped: int) -> Head:
    best: list[str] = []
    for delimiter in delimiters:
        try:
            names = [column(name) for name in next(csv.reader([line], delimiter=delimiter))]
        except (csv.Error, StopIteration):
            continue
        if set(names) & set(COLUMN_NAMES["player"]):
            return Head(names, delimiter, skipped)
        best = max(best, names, key=len)
    if PERSON_COLUMN in best:
        raise Rejected(
            f"there is no column `id` nor `subscription_id`: `{PERSON_COLUMN}` names people, not their"
            " subscriptions; ask OneSignal for the export of subscriptions"
        )
    raise Rejected("there is no column `id` in the first line: not an export of OneSignal's")


def _is_text(text: str) -> bool:
    """Check whether all bytes of a text were UTF-8; others became lone surrogates in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def batches(rows: Iterable[Line], done: int) -> Iterator[Sequence[Line]]:
    """Yield batches of the rows after the first `done`; rows before an error come before it."""
    left = islice(rows, done, None)
    while True:
        batch: list[Line] = []
        broken: Rejected | None = None
        try:
            for row in islice(left, IMPORT_BATCH_ROWS):
                batch.append(row)
        except Rejected as exc:
            broken = exc
        if batch:
            yield batch
        if broken is not None:
            raise broken
        if not batch:
            return
