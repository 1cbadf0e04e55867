"""An export of OneSignal's, imported by the command into a service that runs."""

from __future__ import annotations

import asyncio
import gzip
import uuid
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.kafka.topics import EVENTS_TOPIC
from shared.models.event import Event
from shared.settings import Settings
from tests.integration.ingest.commands import run_command
from tests.integration.ingest.export_rows import HEADER, export_row
from tests.integration.ingest.shop_day import publish_events
from tests.support import stack
from tests.support.ingest_process import client_of, one_signal, seeded, until, until_known


async def test_export_becomes_people(alone: Settings, tmp_path: Path) -> None:
    players = [str(uuid.uuid4()) for _ in range(1_200)]
    known, forged, named = players[0], "not-a-player", players[1]
    rows = [export_row(p, login="eva" if p == named else "") for p in players]
    rows[3:3] = [export_row(forged), export_row(str(uuid.uuid4()), device="11")]
    export = tmp_path / "users.csv.gz"
    export.write_bytes(gzip.compress((HEADER + "".join(rows)).encode()))
    async with seeded(alone) as database:
        with stack.service("ingest_service", alone) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await publish_events(client, one_signal("browser", known))
                await until_known(client, "browser", known)
                code, output = await run_command(alone, "import", str(export), "--app", "demo")
                assert code == 1
                assert "line 5: player_id: id: must be a UUID" in output
                assert "1,200 imported, 1 are not web push, 1 bad" in output

                async def are_all_there() -> bool:
                    return await database["players"].count_documents({}) == len(players)

                await stack.eventually(are_all_there, 60)
                assert await database["profiles"].find_one({"visitors": f"os:{known}"}) is None
                eva = await database["profiles"].find_one({"login": "eva"})
                assert eva is not None and eva["players"][0]["id"] == named
                code, output = await run_command(alone, "import", str(export), "--app", "demo")
                assert "1,200 imported" in output  # nothing was left to be done
                assert await database["players"].count_documents({}) == len(players)


async def test_import_goes_on_where_it_was_cut_off(settings: Settings, tmp_path: Path) -> None:
    export = tmp_path / "users.csv"
    export.write_text(HEADER + "".join(export_row(str(uuid.uuid4())) for _ in range(600)))
    async with seeded(settings):
        code, output = await run_command(settings, "import", str(export), "--app", "demo")
        assert code == 0, output
        (notes,) = (settings.data_dir / "import").glob("*.json")
        cursor = orjson.loads(notes.read_bytes())
        notes.write_bytes(orjson.dumps({**cursor, "rows": 500, "published": 500}))
        code, output = await run_command(settings, "import", str(export), "--app", "demo")
        assert code == 0 and "600 imported" in output
        assert orjson.loads(notes.read_bytes())["rows"] == 600
        for unreadable in (
            b"",
            b'{"rows":',
            b"[]",
            b'{"row": 1}',
        ):  # cut off with the power, perhaps
            notes.write_bytes(unreadable)
            code, output = await run_command(settings, "import", str(export), "--app", "demo")
            assert code == 0 and "600 imported" in output, output


async def test_what_is_no_export_is_refused(settings: Settings, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("name,age\neva,30\n")
    async with seeded(settings):
        code, output = await run_command(settings, "import", str(nothing), "--app", "demo")
        assert code == 2 and "no column" in output
        code, output = await run_command(settings, "import", str(nothing), "--app", "nobody")
        assert code == 2 and "no app" in output
        code, output = await run_command(
            settings, "import", str(tmp_path / "absent"), "--app", "demo"
        )
        assert code == 2 and "can't be read" in output


async def test_f22_rows_without_a_word_on_their_state(settings: Settings, tmp_path: Path) -> None:
    export = tmp_path / "subscriptions.csv"
    rows = [f"{uuid.uuid4()};{state};Web Push (Chrome);{tags}" for state, tags in
            (("Yes", ""), ("No", "{"), ("nan", ""), ("", ""))]  # fmt: skip
    rows += [f"{uuid.uuid4()};Yes;iOSPush;"]
    export.write_text("\ufeffsubscription_id;subscribed;channel;tags\n" + "\n".join(rows))
    async with seeded(settings):
        code, output = await imported(settings, export)
        assert code == 0, output
        assert "4 imported, 1 are not web push, 0 bad (see " in output
        assert "1 of them without columns that can't be read" in output
        assert "2 don't say whether they are subscribed" in output
        assert "line 3: left out: tags: must be JSON" in output
        assert "extra field `external_user_id`" in output and "`timezone_id`" in output
        assert "notification_types" not in output


async def test_f25_a_run_that_imports_nothing_does_not_end_well(
    settings: Settings, tmp_path: Path
) -> None:
    export = tmp_path / "apps.csv"
    export.write_text(
        HEADER + "".join(export_row(str(uuid.uuid4()), device="11") for _ in range(3))
    )
    async with seeded(settings):
        code, output = await imported(settings, export)
        assert code == 1 and "3 are not web push" in output and "nothing was imported" in output


async def imported(settings: Settings, export: Path) -> tuple[int, str]:
    return await run_command(settings, "import", str(export), "--app", "demo")


async def published(settings: Settings) -> list[str]:
    """Player ids on a log that only this test has."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka.bootstrap_servers)
    await consumer.start()
    try:
        places = [TopicPartition(EVENTS_TOPIC.name, n) for n in range(EVENTS_TOPIC.partitions)]
        consumer.assign(places)
        await asyncio.gather(*(consumer.seek_to_beginning(place) for place in places))
        found: list[str] = []
        while fetched := await consumer.getmany(timeout_ms=1_000):
            found += [str(Event.parse(m.value).player_id) for ms in fetched.values() for m in ms]
        return sorted(found)
    finally:
        await consumer.stop()


def own_log(settings: Settings, server: stack.Server) -> Settings:
    kafka = settings.kafka.model_copy(update={"bootstrap_servers": server.address})
    return settings.model_copy(update={"kafka": kafka})


async def test_rows_behind_a_bad_one_are_imported(
    settings: Settings, fresh_broker: stack.Server, tmp_path: Path
) -> None:
    settings = own_log(settings, fresh_broker)
    players = [str(uuid.uuid4()) for _ in range(710)]
    rows = [export_row(p) for p in players]
    huge, large = "x" * 1_100_000, "x" * 40_000
    rows[700:700] = [export_row(str(uuid.uuid4()), tags=f'"{huge}"')]
    rows[705:705] = [export_row(str(uuid.uuid4()), tags=f'"{{""a"":""{large}""}}"')]
    export = tmp_path / "users.csv"
    export.write_text(HEADER + "".join(rows))
    async with seeded(settings):
        code, output = await imported(settings, export)
        assert code == 1, output
        assert "line 702: unreadable: " in output and "line 707: event_too_large: " in output
        assert "710 imported, 0 are not web push, 2 bad" in output
        assert await published(settings) == sorted(players)


async def test_what_is_before_a_cut_is_imported_and_no_more_is_stated(
    settings: Settings, fresh_broker: stack.Server, tmp_path: Path
) -> None:
    settings = own_log(settings, fresh_broker)
    players = [str(uuid.uuid4()) for _ in range(1_800)]
    whole = gzip.compress((HEADER + "".join(export_row(p) for p in players)).encode())
    export = tmp_path / "users.csv.gz"
    export.write_bytes(whole[: len(whole) // 2])
    async with seeded(settings):
        code, output = await imported(settings, export)
        there = await published(settings)
        assert code == 2 and there == sorted(players[: len(there)]) and len(there) % 500, output
        assert f"{len(there):,} imported, 0 are not web push, 0 bad" in output
        last = output.splitlines()[-1]
        assert f"cut off, after line {len(there) + 1} (EOFError)" in last, last
        export.write_bytes(whole)
        assert (await imported(settings, export))[0] == 0
        assert await published(settings) == sorted([*there, *players])


async def test_file_that_is_no_gzip_after_all_is_a_sentence(
    settings: Settings, tmp_path: Path
) -> None:
    export = tmp_path / "users.csv.gz"
    export.write_bytes(b"\x1f\x8b\x08\x00garbage")
    async with seeded(settings):
        code, output = await imported(settings, export)
        assert code == 2 and "damaged" in output and "Traceback" not in output


async def test_bad_rows_of_a_batch_that_was_cut_off_are_reported_once(
    settings: Settings, tmp_path: Path
) -> None:
    export = tmp_path / "users.csv"
    rows = [export_row(str(uuid.uuid4())) for _ in range(600)]
    rows[10:10] = rows[550:550] = [export_row("nobody")]
    export.write_text(HEADER + "".join(rows))
    async with seeded(settings):
        assert (await imported(settings, export))[0] == 1
        (notes,) = (settings.data_dir / "import").glob("*.json")
        errors = notes.with_suffix(".errors")
        (first, second) = errors.read_text().splitlines(keepends=True)
        then = {"rows": 500, "line": 501, "published": 499, "bad": 1, "error_bytes": len(first)}
        notes.write_bytes(orjson.dumps(then))
        code, output = await imported(settings, export)
        assert code == 1 and "600 imported, 0 are not web push, 2 bad" in output
        assert errors.read_text() == first + second
