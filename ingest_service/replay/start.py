"""The origin of a replay: a snapshot that the log continues, or the whole log. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest_service.snapshot.files import Header
from shared.errors import Conflict
from shared.kafka.records import Partition


@dataclass(frozen=True)
class Lineage:
    """The present log, its first offsets, and the log that the collections followed before."""

    log: str
    before: str | None
    firsts: Mapping[Partition, int]


@dataclass(frozen=True)
class Origin:
    snapshot: Path | None
    offsets: dict[Partition, int]


def choose_origin(snapshots: Sequence[tuple[Path, Header]], lineage: Lineage) -> Origin:
    """Return the newest snapshot of this log, or the final one of the log before it.

    Raises Conflict where neither gives the whole history.
    """
    for path, header in snapshots:
        if header.log == lineage.log:
            return _if_kept(path, header.offsets, lineage)
        if header.final and header.log == lineage.before:
            return _if_kept(path, dict.fromkeys(lineage.firsts, 0), lineage)
    if snapshots:
        raise Conflict(
            f"the log is another one ({lineage.log}) than the last snapshot's"
            f" ({snapshots[0][1].log}): a replay would lose what only that one held",
            code="another_log",
        )
    if lineage.before is not None:
        raise Conflict("there is no snapshot, and the log isn't the first one", code="no_snapshot")
    return _if_kept(None, dict.fromkeys(lineage.firsts, 0), lineage)


def _if_kept(path: Path | None, offsets: dict[Partition, int], lineage: Lineage) -> Origin:
    for place, first in lineage.firsts.items():
        if first > offsets.get(place, 0):
            since = "the snapshot" if path is not None else "the beginning"
            raise Conflict(
                f"{place[0]} {place[1]} begins at {first} by now, after {since}"
                f" ({offsets.get(place, 0)}): what lies between is lost",
                code="log_begins_later",
            )
    return Origin(path, offsets)
