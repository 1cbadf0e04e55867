"""The search of the logs finds what it is for, and not what logs are for."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.marks import Listener, listening_in, search

ID = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Yield a folder of logs apart from this run's, which is searched in the end."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize(
    "line",
    [
        "key wk_demo is unknown",
        "sk_shop",
        "wh_shop-1",
        '"key":"st_x"',
        "cot_Zm9v",
        "os_v2_app_secret",
        "development-only-secret-key-of-carillon",
        "gAAAAABm",
        "Authorization: Bearer x",
        "jana@shop.test",
        "GET https://shop.test/basket?token=1",
        "https://shop.example/basket",
        "from 203.0.113.7",
        '"client":"8.8.8.8"',
        """{'visitorId': 'v1'}""",
        '{\\"login\\": \\"jana\\"}',
        "a planted word",
    ],
)
def test_what_must_not_be_there_is_found(folder: Path, line: str) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "ingest.log").write_text(f'{{"message":"ok"}}\n{line}\n')
    (found,) = search(folder)
    assert found.startswith("ingest.log:2: ")


@pytest.mark.parametrize(
    "line",
    [
        f'{{"message":"released","send":"{ID}","page":0,"chunk":"0","app":"demo","players":3}}',
        f'{{"message":"event accepted","event":"{ID}","type":"identify"}}',
        '{"message":"service started","host":"127.0.0.1","port":8080}',
        '{"message":"service started","host":"0.0.0.0"}',
        '{"at":["/usr/lib/python3.11/asyncio/x.py:12 run"],"route":"/v1/people/{person}/export"}',
        '{"code":"unknown_key","message":"login secret unreadable"}',
    ],
)
def test_what_logs_are_for_is_not(folder: Path, line: str) -> None:
    (folder / "sender.log").write_text(f"{line}\n")
    assert search(folder) == []


def test_values_are_found_too(folder: Path) -> None:
    (folder / "replica-sender.log").write_text(f"player {ID}\n")
    assert search(folder) == []
    assert len(search(folder, [ID])) == 1


def test_only_our_services_logs_are_searched(folder: Path) -> None:
    (folder / "sandbox.log").write_text("wk_demo\n")
    assert search(folder) == []


def test_services_inside_of_pytest_are_heard() -> None:
    with listening_in() as listener:
        logging.getLogger("carillon.any").info("taken", extra={"send": ID})
        assert (listener.heard, listener.found) == (1, [])
    logging.getLogger("carillon.any").info("not heard any more")
    assert listener.heard == 1


def test_what_they_state_is_searched_as_they_would_write_it() -> None:
    listener = Listener()
    listener.handle(logging.makeLogRecord({"msg": "taken", "send": ID, "login": "planted"}))
    (found,) = listener.found
    assert '"login":"planted"' in found
