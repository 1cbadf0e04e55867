"""The tables of tests/odd_values through an import's rows and files."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from ingest_service.importer.columns import missing
from ingest_service.importer.csv_rows import Table
from ingest_service.importer.row_event import Imported, NotWebPush, read_row
from shared.errors import Rejected
from tests.odd_values.exports import ABSENT, APP, BAD, DEVICES, STATES
from tests.odd_values.identity import BAD as BAD_LOGIN
from tests.odd_values.identity import LOGINS, NOBODY
from tests.odd_values.names import PLAYERS
from tests.odd_values.places import LANGUAGES, ZONES
from tests.odd_values.times import SEEN_TIMES
from tests.support.projector_doubles import START

P = "11111111-1111-4111-8111-111111111111"
COLUMNS = ("id", "external_user_id", "timezone_id", "language", "tags", "device_type", "last_active",
           "notification_types", "invalid_identifier")  # fmt: skip


def imported(**fields: str) -> Imported:
    return read_row({"id": P, **fields}, "demo", START)


@pytest.mark.parametrize(("fields", "state"), STATES)
def test_f22_states(fields: dict[str, str], state: str) -> None:
    if state == BAD:
        with pytest.raises(Rejected) as refused:
            imported(**fields)
        assert refused.value.code == "status"
        return
    found = imported(**fields)
    assert found.event.data["state"] == state
    stated = fields.get("subscribed", "") + fields.get("notification_types", "")
    assert found.is_stated is (state != "subscribed" or stated not in ("", "nan", "None"))


@pytest.mark.parametrize("name", ["device_type", "channel"])
@pytest.mark.parametrize(("device", "browser"), DEVICES)
def test_f22_devices(name: str, device: str, browser: str) -> None:
    if browser == APP:
        with pytest.raises(NotWebPush):
            imported(**{name: device})
        return
    assert (imported(**{name: device}).event.context or {}).get("browser", "") == browser


@pytest.mark.parametrize("column", [c for c in COLUMNS if c != "id"])
@pytest.mark.parametrize("text", ABSENT)
def test_f22_absent_in_every_column(column: str, text: str) -> None:
    bare, found = imported(), imported(**{column: text})
    assert (found.event.data, found.event.context) == (bare.event.data, bare.event.context)
    assert found.left_out == [] and found.is_stated is False


@pytest.mark.parametrize("text", ABSENT)
def test_f22_no_player_is_no_row(text: str) -> None:
    with pytest.raises(Rejected):
        imported(id=text)


@pytest.mark.parametrize(("player", "becomes"), [(p, b) for p, b in PLAYERS if isinstance(p, str)])
def test_f22_players(player: str, becomes: str | None) -> None:
    if becomes is None and player.strip() != player:  # a cell's blanks are nobody's
        becomes = player.strip().lower()
    if becomes is None:
        with pytest.raises(Rejected):
            imported(id=player)
        return
    assert imported(id=player).event.player_id == becomes


@pytest.mark.parametrize(("login", "becomes"), [(x, b) for x, b in LOGINS if isinstance(x, str)])
def test_f22_logins(login: str, becomes: str | None) -> None:
    found = imported(external_id=login)
    known = None if becomes in (NOBODY, BAD_LOGIN) else becomes
    assert found.event.data.get("login") == known
    assert bool(found.left_out) is (becomes == BAD_LOGIN)


def test_f22_an_app_may_allow_a_real_login() -> None:
    row = {"id": P, "external_id": "none"}
    assert read_row(row, "demo", START, ["none"]).event.data["login"] == "none"
    assert "login" not in read_row(row, "demo", START).event.data


def test_f22_whole_numbers_of_tools_without_them() -> None:
    assert imported(external_user_id="123.0").event.data["login"] == "123"


@pytest.mark.parametrize(("language", "becomes"), LANGUAGES)
@pytest.mark.parametrize("column", ["language", "language_code"])
def test_f22_languages(column: str, language: str, becomes: str | None) -> None:
    found = imported(**{column: language})
    assert (found.event.context or {}).get("language") == becomes
    is_absent = language == "undefined"
    assert bool(found.left_out) is (becomes is None and not is_absent)


@pytest.mark.parametrize(("zone", "becomes"), ZONES)
def test_f22_zones(zone: str, becomes: str | None) -> None:
    assert (imported(timezone_id=zone).event.context or {}).get("timeZone") == becomes


@pytest.mark.parametrize(("seen", "seconds"), SEEN_TIMES)
def test_f25_times(seen: str, seconds: int | None) -> None:
    found = imported(last_active=seen)
    if seconds is None:
        assert found.left_out == ["seen: must be a date and time"]
        assert (found.event.occurred_at, found.event.data["undated"]) == (START, True)
    else:
        assert found.event.occurred_at.timestamp() == seconds


@pytest.mark.parametrize("tags", ["{", "[]", "5", "{'a': 1}", '{"a": NaN}', "a=b"])
def test_f25_tags_that_cannot_be_read_cost_themselves(tags: str) -> None:
    found = imported(tags=tags, external_id="eva")
    assert found.event.data["login"] == "eva" and "tags" not in found.event.data
    assert [what.partition(":")[0] for what in found.left_out] == ["tags"]


def table(content: bytes) -> list[Any]:
    return [row for _, row in Table(io.BytesIO(content)).rows()]


CSV = f"id,external_id\n{P},Zoë\n"


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-16"),
        CSV.encode("utf-16-le"),
        CSV.encode("utf-16-be"),
        gzip.compress(CSV.encode("utf-8-sig"), mtime=0),
        gzip.compress(CSV[:20].encode(), mtime=0) + gzip.compress(CSV[20:].encode(), mtime=0),
        CSV.replace(",", ";").encode(),
        CSV.replace(",", "\t").encode("utf-16"),
        CSV.replace(",", "|").encode(),
        ("sep=;\r\n" + CSV.replace(",", ";")).encode("utf-8-sig"),
        ("sep=,\n" + CSV).encode(),
        ("sep=\t\n" + CSV.replace(",", "\t")).encode(),
        ("\n \r\n,,\n" + CSV).encode(),
        CSV.replace("\n", "\r\n").encode(),
        ("\ufeff\n" + CSV).encode(),
        CSV.replace("id,external_id", '"Subscription ID","External-ID"').encode(),
    ],
)
def test_f25_files_as_tools_save_them(content: bytes) -> None:
    (row,) = table(content)
    assert set(row.values()) == {P, "Zoë"}


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"name,age\neva,30\n", b"\x89PNG\r\n\x1a\n\0\0", b"sep=;\n"]
)
def test_f25_what_is_no_export_is_named(content: bytes) -> None:
    with pytest.raises(Rejected):
        table(content)


def test_f22_onesignal_id_is_no_player() -> None:
    with pytest.raises(Rejected, match="names people, not their subscriptions"):
        table(f"onesignal_id,subscribed\n{P},Yes\n".encode())
    both = table(f"onesignal_id,subscription_id\n{P[:-1]}2,{P}\n".encode())
    assert read_row(both[0], "demo", START).event.player_id == P


@pytest.mark.parametrize("encoding", ["cp1250", "latin-1"])
def test_f22_a_byte_that_is_not_utf8_refuses_the_row(encoding: str) -> None:
    content = CSV.encode(encoding) + f"{P},eva\n".encode()
    bad, good = table(content)
    assert isinstance(bad, Rejected) and bad.code == "encoding" and "UTF-8" in bad.message
    assert good == {"id": P, "external_id": "eva"}


def test_f25_lines_are_counted_behind_blank_ones() -> None:
    found = Table(io.BytesIO(("\n\nsep=;\n" + CSV.replace(",", ";")).encode()))
    assert [line for line, _ in found.rows()] == [5]


def test_f25_missing_columns_are_named() -> None:
    assert missing(COLUMNS) == []
    sentences = " ".join(missing(["id"]))
    for extra in ("notification_types", "external_user_id", "timezone_id"):
        assert f"`{extra}`" in sentences
    assert not any("unsubscribed" in what for what in missing(["id", "subscribed"]))
