"""An export of OneSignal's, imported by the command into a service that runs."""

from __future__ import annotations

import gzip
import uuid
from pathlib import Path

import orjson

from shared.settings import Settings
from tests import stack
from tests.integration.ingest.running import client_of, one_signal, seeded, until, until_known
from tests.integration.ingest.test_replay import command, tell

HEADER = (
    "id,identifier,session_count,language,timezone,device_type,tags,last_active,created_at,"
    "invalid_identifier,notification_types,external_user_id\n"
)


def line(player: str, **fields: str) -> str:
    tags = fields.get("tags", '"{""city"":""Brno""}"')
    kind, login = fields.get("device", "5"), fields.get("login", "")
    return f"{player},token,1,cs,3600,{kind},{tags},1756800000,1700000000,f,1,{login}\n"


async def test_export_becomes_people(settings: Settings, tmp_path: Path) -> None:
    players = [str(uuid.uuid4()) for _ in range(1_200)]
    known, forged, named = players[0], "not-a-player", players[1]
    rows = [line(p, login="eva" if p == named else "") for p in players]
    rows[3:3] = [line(forged), line(str(uuid.uuid4()), device="11")]
    export = tmp_path / "users.csv.gz"
    export.write_bytes(gzip.compress((HEADER + "".join(rows)).encode()))
    async with seeded(settings) as database:
        with stack.service("ingest_service", settings) as server:
            async with client_of(server) as client:
                await until(client, 200, "ready")
                await tell(client, one_signal("browser", known))
                await until_known(client, "browser", known)
                code, told = await command(settings, "import", str(export), "--app", "demo")
                assert code == 1
                assert "line 5: id: must be a UUID" in told
                assert "1,200 imported, 1 are not web push, 1 bad" in told

                async def are_all_there() -> bool:
                    return await database["players"].count_documents({}) == len(players)

                await stack.eventually(are_all_there, 60)
                assert await database["profiles"].find_one({"visitors": f"os:{known}"}) is None
                eva = await database["profiles"].find_one({"login": "eva"})
                assert eva is not None and eva["players"][0]["id"] == named
                code, told = await command(settings, "import", str(export), "--app", "demo")
                assert "1,200 imported" in told  # nothing was left to be done
                assert await database["players"].count_documents({}) == len(players)


async def test_import_goes_on_where_it_was_cut_off(settings: Settings, tmp_path: Path) -> None:
    export = tmp_path / "users.csv"
    export.write_text(HEADER + "".join(line(str(uuid.uuid4())) for _ in range(600)))
    async with seeded(settings):
        code, told = await command(settings, "import", str(export), "--app", "demo")
        assert code == 0, told
        (notes,) = (settings.data_dir / "import").glob("*.json")
        cursor = orjson.loads(notes.read_bytes())
        notes.write_bytes(orjson.dumps({**cursor, "rows": 500, "published": 500}))
        code, told = await command(settings, "import", str(export), "--app", "demo")
        assert code == 0 and "600 imported" in told
        assert orjson.loads(notes.read_bytes())["rows"] == 600


async def test_what_is_no_export_is_refused(settings: Settings, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.csv"
    nothing.write_text("name,age\neva,30\n")
    async with seeded(settings):
        code, told = await command(settings, "import", str(nothing), "--app", "demo")
        assert code == 2 and "no column" in told
        code, told = await command(settings, "import", str(nothing), "--app", "nobody")
        assert code == 2 and "no app" in told
        code, told = await command(settings, "import", str(tmp_path / "absent"), "--app", "demo")
        assert code == 2 and "can't be read" in told
