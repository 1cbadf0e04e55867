"""`import FILE --app APP`: reads, publishes, remembers how far it came, says what was wrong."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import Progress

from ingest_service.importer.reading import Line, batches, rows_of
from ingest_service.importer.rows import NotWebPush, to_event
from shared.clock import utc_now
from shared.collections import APPS, PLAYERS
from shared.errors import Rejected
from shared.kafka import LogWriter, Outgoing, ensure_topics, open_log_writer
from shared.models.event import Event
from shared.mongo import Database, one_of, open_database, translate_mongo_errors
from shared.settings import Settings
from shared.topics import EVENTS, TOPICS

SHOWN = 20  # bad rows on the screen; all are in the file beside the cursor


@dataclass
class Cursor:
    """How far an import came; under the data folder, named by the app and the file's content."""

    rows: int = 0
    line: int = 1
    published: int = 0
    skipped: int = 0
    bad: int = 0
    told: int = 0  # bytes of the file of bad rows: what is beyond came of a batch that was cut off


async def import_file(settings: Settings, path: Path, app: str, *, restart: bool = False) -> int:
    """Returns the exit code: 1 where rows were bad. Raises Rejected, and Unavailable."""
    size, digest = _identity(path)
    notes = settings.data_dir / "import" / f"{app}-{digest}.json"
    cursor = _read(notes) if not restart else Cursor()
    async with (
        open_database(settings.mongo, "carillon-import") as database,
        open_log_writer(settings.kafka, "carillon-import") as writer,
    ):
        await _check_app(database, app)
        await ensure_topics(settings.kafka, TOPICS)
        run = _Run(app, notes, cursor, Sink(database, writer))
        with path.open("rb") as raw, Progress(console=Console(stderr=True)) as progress:
            bar = progress.add_task(path.name, total=size, completed=0)
            try:
                for rows in batches(rows_of(raw), cursor.rows):
                    await run.publish(rows)
                    progress.update(bar, completed=raw.tell())
                progress.update(bar, completed=size)
            finally:
                progress.stop()
                run.report()
    return 1 if cursor.bad else 0


@dataclass(frozen=True)
class Sink:
    database: Database
    writer: LogWriter

    async def publish(self, app: str, events: Sequence[Event]) -> None:
        """Under the visitor that has the player already, where there is one."""
        owners = await self._owners(app, [str(e.player_id) for e in events])
        known = [
            e.model_copy(update={"visitor_id": owners.get(str(e.player_id), e.visitor_id)})
            for e in events
        ]
        await self.writer.publish([Outgoing(EVENTS.name, e.key, e.dump(), e.type) for e in known])

    async def _owners(self, app: str, players: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        with translate_mongo_errors():
            for some in one_of("_id", players):
                wanted = {**some, "app": app}
                async for entry in self.database[PLAYERS.name].find(wanted, {"visitor": 1}):
                    if entry["visitor"]:
                        found[entry["_id"]] = entry["visitor"]
        return found


@dataclass
class _Run:
    app: str
    notes: Path
    cursor: Cursor
    sink: Sink

    async def publish(self, rows: Sequence[Line]) -> None:
        """What counts is remembered once it is acknowledged, so a batch that was cut off counts once."""
        events, skipped, bad = [], 0, list[str]()
        for line, row in rows:
            try:
                if isinstance(row, Rejected):
                    raise row
                events.append(to_event(row, self.app, utc_now()))
            except NotWebPush:
                skipped += 1
            except Rejected as exc:
                bad.append(f"line {line}: {exc.code}: {exc.message}\n")
        await self.sink.publish(self.app, events)
        self._tell(bad)
        self.cursor.published += len(events)
        self.cursor.skipped += skipped
        self.cursor.rows += len(rows)
        self.cursor.line = rows[-1][0]
        self._remember()

    def report(self) -> None:
        told = self.cursor
        sys.stderr.write(
            f"{told.published:,} imported, {told.skipped:,} are not web push, {told.bad:,} bad"
            f"{f' (see {self._errors})' if told.bad else ''}\n"
        )

    @property
    def _errors(self) -> Path:
        return self.notes.with_suffix(".errors")

    def _tell(self, bad: Sequence[str]) -> None:
        if not bad:
            return
        self.notes.parent.mkdir(parents=True, exist_ok=True)
        with self._errors.open("ab") as errors:
            errors.truncate(self.cursor.told)
            errors.write("".join(bad).encode())
            self.cursor.told = errors.tell()
        sys.stderr.write("".join(bad[: max(0, SHOWN - self.cursor.bad)]))
        self.cursor.bad += len(bad)

    def _remember(self) -> None:
        self.notes.parent.mkdir(parents=True, exist_ok=True)
        partial = self.notes.with_suffix(".tmp")
        partial.write_bytes(orjson.dumps(asdict(self.cursor)))
        partial.rename(self.notes)


def _identity(path: Path) -> tuple[int, str]:
    """(bytes, a name for the content). Raises Rejected."""
    try:
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()[:16]
            return raw.seek(0, io.SEEK_END), digest
    except OSError as exc:
        raise Rejected(f"{path} can't be read ({exc.strerror})") from exc


def _read(notes: Path) -> Cursor:
    """From the first row again where it can't be read: a row that comes twice is one event."""
    try:
        return Cursor(**orjson.loads(notes.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return Cursor()


async def _check_app(database: Database, app: str) -> None:
    with translate_mongo_errors():
        if await database[APPS.name].find_one({"_id": app}) is None:
            raise Rejected(f"there is no app {app}")
