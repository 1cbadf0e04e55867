"""Files of snapshots: a header line of JSON, then each collection's number and document as BSON."""

from __future__ import annotations

import fcntl
import gzip
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import bson
import orjson

from shared.errors import Rejected
from shared.kafka.records import Partition
from shared.mongo.collections import MERGES, PLAYERS, PROFILES, VISITORS

log = logging.getLogger("carillon.snapshot")

COPIED = (VISITORS.name, PLAYERS.name, MERGES.name, PROFILES.name)
SUFFIX = ".snapshot.gz"
PARTIAL = ".tmp"
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
MAX_HEADER = 1024 * 1024
VERSION = 3  # of the header, and of the documents' fields
LEVEL = 1  # four times as fast as the default, and a fifth larger
HEADER_FIELDS = itemgetter("v", "log", "offsets", "erasures", "at", "final")


@dataclass(frozen=True)
class Header:
    """The header of a snapshot: its log and offsets, and the number of erasures before it.

    `final` means that nothing of that log was consumed after the snapshot.
    """

    log: str
    offsets: dict[Partition, int]
    erasures: int
    at: datetime
    final: bool

    def dump(self) -> bytes:
        flat = {f"{topic}:{number}": at for (topic, number), at in self.offsets.items()}
        fields = {"v": VERSION, "log": self.log, "offsets": flat, "erasures": self.erasures,
                  "at": self.at, "final": self.final}  # fmt: skip
        return orjson.dumps(fields) + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Header:
        """Parse a header. Raises Rejected where its version is another one."""
        found: dict[str, Any] = orjson.loads(line)
        version, log_id, by_name, erasures, at, final = HEADER_FIELDS(found)
        if version != VERSION:
            raise Rejected(
                f"a snapshot's version is {version}, and this program reads {VERSION} only:"
                " it is left out",
                code="snapshot_version",
            )
        split = {name.rpartition(":"): offset for name, offset in by_name.items()}
        offsets = {(topic, int(number)): offset for (topic, _, number), offset in split.items()}
        return cls(log_id, offsets, erasures, datetime.fromisoformat(at), final)


class Writer:
    """Writer of a snapshot, which gets its name only once it is complete and on disk."""

    def __init__(self, folder: Path, header: Header) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{header.at:%Y%m%dT%H%M%S%f}-{os.getpid()}{SUFFIX}"
        self._partial = self.path.with_suffix(PARTIAL)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL  # it contains the data of all persons
        self._raw = os.fdopen(os.open(self._partial, flags, 0o600), "wb")
        fcntl.flock(self._raw, fcntl.LOCK_EX)  # until it is closed, or the process is killed
        self._out = gzip.GzipFile(fileobj=self._raw, mode="wb", compresslevel=LEVEL)
        try:
            self._out.write(header.dump())
        except OSError:
            self.discard()
            raise

    def add(self, collection: str, document: dict[str, Any]) -> None:
        self._out.write(bytes([COPIED.index(collection)]) + bson.encode(document))

    def finish(self) -> Path:
        self._out.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        self._partial.rename(self.path)
        return self.path

    def discard(self) -> None:
        """Remove the partial file; a full disk is no error."""
        for file in (self._out, self._raw):
            with suppress(OSError):
                file.close()
        self._partial.unlink(missing_ok=True)


def drop_partial(folder: Path) -> list[Path]:
    """Delete partial files whose process was killed; return their paths."""
    # A killed process holds no lock any more.
    dropped = []
    for path in folder.glob(f"*{PARTIAL}"):
        with suppress(OSError), path.open("rb") as raw:  # locked, or another process was faster
            fcntl.flock(raw, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            dropped.append(path)
    return dropped


def readable_snapshots(folder: Path) -> list[tuple[Path, Header]]:
    """Return the readable snapshots with their headers, newest first."""
    found = []
    for path in _all(folder):
        try:
            found.append((path, read_header(path)))
        except (Rejected, OSError) as exc:
            log.warning("snapshot unreadable", extra={"path": path.name, "reason": str(exc)})
    return found


def damaged_snapshots(folder: Path) -> list[Path]:
    """Return the snapshots with an unreadable header: they may contain erased persons."""
    found = []
    for path in _all(folder):
        try:
            read_header(path)
        except Rejected:
            found.append(path)
        except OSError:  # a disk or a permission that may come back
            continue
    return found


def _all(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"), reverse=True)


def read_header(path: Path) -> Header:
    """Read a header.

    Raises Rejected where the file is damaged or of another version, OSError where the disk is.
    """
    try:
        with gzip.open(path, "rb") as source:
            return Header.parse(source.readline(MAX_HEADER))
    except (*DAMAGED, LookupError, TypeError, ValueError, AttributeError) as exc:
        raise _damaged(path) from exc


def read_documents(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each collection's name and document. Raises Rejected where the file is cut off."""
    codec: bson.CodecOptions[dict[str, Any]] = bson.CodecOptions(tz_aware=True)
    try:
        with gzip.open(path, "rb") as source:
            source.readline()
            while number := source.read(1):
                size = source.read(4)
                body = size + source.read(int.from_bytes(size, "little") - 4)
                yield COPIED[number[0]], bson.decode(body, codec)
    except (*DAMAGED, OSError, LookupError, bson.errors.InvalidBSON) as exc:
        raise _damaged(path) from exc


def _damaged(path: Path) -> Rejected:
    return Rejected(
        f"the snapshot {path.name} is damaged: it is left out",
        code="snapshot_damaged",
    )
