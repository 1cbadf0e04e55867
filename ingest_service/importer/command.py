"""The command `import FILE --app APP`: publishes a file's rows, stores its progress, reports errors."""

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

from ingest_service.importer.columns import missing
from ingest_service.importer.csv_rows import Line, Table, batches
from ingest_service.importer.row_event import Imported, NotWebPush, read_row
from shared.clock import utc_now
from shared.errors import Rejected
from shared.kafka.client import LogWriter, ensure_topics, open_log_writer
from shared.kafka.records import OutgoingRecord
from shared.kafka.topics import EVENTS_TOPIC, TOPICS
from shared.models.event import Event
from shared.mongo.client import Database, in_batches, open_database, translate_mongo_errors
from shared.mongo.collections import APPS, PLAYERS
from shared.mongo.whole_reads import read_all
from shared.nearest import suggest
from shared.settings import Settings

PRINTED_ROWS = 20  # bad rows on the screen; all are in the file beside the cursor


@dataclass
class Cursor:
    """The progress of an import, stored in the data folder under the app and the file's digest."""

    rows: int = 0
    line: int = 1
    published: int = 0
    skipped: int = 0
    bad: int = 0
    lacking: int = 0  # rows of which some column couldn't be read
    unstated: int = 0  # rows that don't say whether they are subscribed
    noted: int = 0  # lines of the file of findings
    error_bytes: int = 0  # of the file of bad rows: later bytes are an interrupted batch's


async def import_file(settings: Settings, path: Path, app: str, *, restart: bool = False) -> int:
    """Return the exit code: 1 where rows were bad, or none at all was imported.

    Raises Rejected, Unavailable.
    """
    size, digest = _identity(path)
    notes = settings.data_dir / "import" / f"{app}-{digest}.json"
    cursor = _read(notes) if not restart else Cursor()
    async with (
        open_database(settings.mongo, "carillon-import") as database,
        open_log_writer(settings.kafka, "carillon-import") as writer,
    ):
        allowed = await _allowed_logins(database, app)
        await ensure_topics(settings.kafka, TOPICS)
        run = _Run(app, notes, cursor, Sink(database, writer), allowed)
        with path.open("rb") as raw, Progress(console=Console(stderr=True)) as progress:
            table = Table(raw)
            bar = progress.add_task(path.name, total=size, completed=0)
            try:
                for rows in batches(table.rows(), cursor.rows):
                    await run.publish(rows)
                    progress.update(bar, completed=raw.tell())
                progress.update(bar, completed=size)
            finally:
                progress.stop()
                run.report(table.columns)
    return 1 if cursor.bad or not cursor.published else 0


@dataclass(frozen=True)
class Sink:
    database: Database
    writer: LogWriter

    async def publish(self, app: str, events: Sequence[Event]) -> None:
        """Publish the events, each under the visitor that has its player already, if any."""
        owners = await self._owners(app, [str(e.player_id) for e in events])
        known = [
            e.model_copy(update={"visitor_id": owners.get(str(e.player_id), e.visitor_id)})
            for e in events
        ]
        await self.writer.publish(
            [OutgoingRecord(EVENTS_TOPIC.name, e.key, e.dump(), e.type) for e in known]
        )

    async def _owners(self, app: str, players: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        with translate_mongo_errors():
            for some in in_batches("_id", players):
                query = {**some, "app": app}
                async for entry in self.database[PLAYERS.name].find(query, {"visitor": 1}):
                    player, visitor = entry["_id"], entry["visitor"]
                    if visitor:
                        found[player] = visitor
        return found


@dataclass
class _Run:
    app: str
    notes: Path
    cursor: Cursor
    sink: Sink
    allowed: Sequence[str]

    async def publish(self, rows: Sequence[Line]) -> None:
        """Publish a batch of rows, then store the progress, so that each row counts once."""
        found, skipped, lacking = list[Imported](), 0, 0
        findings = list[str]()
        bad = 0
        for line, row in rows:
            try:
                if isinstance(row, Rejected):
                    raise row
                one = read_row(row, self.app, utc_now(), self.allowed)
            except NotWebPush:
                skipped += 1
            except Rejected as exc:
                bad += 1
                findings.append(f"line {line}: {exc.code}: {exc.message}\n")
            else:
                found.append(one)
                lacking += bool(one.left_out)
                findings += [f"line {line}: left out: {what}\n" for what in one.left_out]
        await self.sink.publish(self.app, [one.event for one in found])
        self._note(findings)
        self.cursor.bad += bad
        self.cursor.lacking += lacking
        self.cursor.unstated += sum(not one.is_stated for one in found)
        self.cursor.published += len(found)
        self.cursor.skipped += skipped
        self.cursor.rows += len(rows)
        self.cursor.line = rows[-1][0]
        self._save_cursor()

    def report(self, columns: Sequence[str]) -> None:
        """Print the counts of rows, and the meanings that the file lacks."""
        done = self.cursor
        lines = [
            f"{done.published:,} imported, {done.skipped:,} are not web push, {done.bad:,} bad"
            f"{f' (see {self._errors})' if done.bad or done.lacking else ''}"
        ]
        if done.lacking:
            lines.append(f"{done.lacking:,} of them without columns that can't be read")
        if done.unstated:
            lines.append(
                f"{done.unstated:,} don't say whether they are subscribed: they came in as subscribed"
            )
        if not done.published:
            lines.append("nothing was imported")
        lines += [f"the file doesn't say {what}" for what in missing(columns)]
        sys.stderr.write("".join(f"{line}\n" for line in lines))

    @property
    def _errors(self) -> Path:
        return self.notes.with_suffix(".errors")

    def _note(self, findings: Sequence[str]) -> None:
        if not findings:
            return
        self.notes.parent.mkdir(parents=True, exist_ok=True)
        with self._errors.open("ab") as errors:
            errors.truncate(self.cursor.error_bytes)
            errors.write("".join(findings).encode())
            self.cursor.error_bytes = errors.tell()
        sys.stderr.write("".join(findings[: max(0, PRINTED_ROWS - self.cursor.noted)]))
        self.cursor.noted += len(findings)

    def _save_cursor(self) -> None:
        self.notes.parent.mkdir(parents=True, exist_ok=True)
        partial = self.notes.with_suffix(".tmp")
        partial.write_bytes(orjson.dumps(asdict(self.cursor)))
        partial.rename(self.notes)


def _identity(path: Path) -> tuple[int, str]:
    """Return a file's size in bytes and its digest. Raises Rejected."""
    try:
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()[:16]
            return raw.seek(0, io.SEEK_END), digest
    except OSError as exc:
        raise Rejected(f"{path} can't be read ({exc.strerror})") from exc


def _read(notes: Path) -> Cursor:
    """Read the progress; start at the first row if it can't be read."""
    try:
        return Cursor(**orjson.loads(notes.read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):  # a row that is imported twice is one event
        return Cursor()


async def _allowed_logins(database: Database, app: str) -> Sequence[str]:
    """Return the app's real logins that look like placeholders. Raises Rejected."""
    with translate_mongo_errors():
        found = await database[APPS.name].find_one({"_id": app})
        if found is None:
            known = await read_all(database[APPS.name], {}, {"_id": 1})
            hint = suggest(app, [str(one["_id"]) for one in known])
            raise Rejected(f"there is no app {app}{hint}")
    return tuple(found.get("allowedLogins") or ())
