"""Names that can't be read, as the command line shows them."""

from __future__ import annotations

import pytest
import respx

from tests.contract.sender.commands import ACCOUNT, SEND, URL, run


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen on which no cell is cut, and a token."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("CARILLON_OPS__TOKEN", "cot_test")


@respx.mock(base_url=URL)
def test_f18_bad_names_of_a_send_are_shown(
    respx_mock: respx.MockRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [{"index": 17, "code": "id_type", "message": "must be a string or a whole number"},
           {"part": 2, "index": 3, "code": "visitor_id", "message": "has odd letters"}]  # fmt: skip
    people = {"sent": 3, "pending": 0, "failed": 0, "suppressed": 1, "no_player": 5, "malformed": 2}
    respx_mock.get(f"/v1/sends/{SEND}").respond(
        json={**ACCOUNT, "people": people, "malformed": bad}
    )
    assert run("send", "show", SEND) == 0
    screen = capsys.readouterr().out
    assert "names that can't be read" in screen
    assert "name 17" in screen and "part 2, name 3" in screen and "has odd letters" in screen
