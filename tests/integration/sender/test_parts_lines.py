"""A list over HTTP, one recipient a line: cut into parts as it comes, or nothing kept."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from sender_service.intake import upload as upload_module
from tests.integration.sender.intake_harness import (
    IntakeHarness,
    a_trigger,
    logins,
    people,
    reached,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def lines(*recipients: dict[str, Any]) -> list[bytes]:
    return [orjson.dumps(recipient) for recipient in recipients]


async def test_a_list_one_a_line_is_cut_and_sent(
    harness: IntakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "PART_RECIPIENTS", 3)
    names = [f"n{i}" for i in range(8)]
    players = await people(harness, *names)
    head, body = a_trigger(), lines(*logins(*names, "n0"))
    answer = await harness.upload(head, [*body, b"", b"  "])
    assert answer.status_code == 202, answer.text
    assert await harness.parts(head["id"]) == 3
    again = await harness.upload(head, body)
    assert again.status_code == 202 and await harness.parts() == 3
    other = await harness.upload(head, body[:-1])
    assert (other.status_code, other.json()["code"]) == (409, "trigger_id_reused")
    await harness.plan()
    assert await reached(harness, head["id"]) == list(players.values())
    assert await harness.parts() == 0
    assert (await harness.upload(head, body)).status_code == 202
    assert await harness.parts() == 0


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"login": "x", "visitor": "y"}', "value_error"),
        (b'{"visitor": ""}', "too_short"),
        (b'{"login": "x", "variables": {"$set": 1}}', "value_error"),
        (b'{"login": ', "invalid_json"),
        (b"[]", "model_type"),
        (b'{"login": "undefined"}', "placeholder_login"),
        (b'{"visitor": "a b"}', "visitor_id"),
    ],
)
async def test_f18_a_bad_line_costs_itself(
    harness: IntakeHarness, monkeypatch: pytest.MonkeyPatch, line: bytes, code: str
) -> None:
    monkeypatch.setattr(upload_module, "PART_RECIPIENTS", 2)
    players = await people(harness, "a", "b", "c", "d")
    head = a_trigger()
    body = [*lines(*logins("a", "b", "c")), line, *lines(*logins("d"))]
    answer = await harness.upload(head, body)
    assert answer.status_code == 202, answer.text
    account = answer.json()
    assert account["people"]["malformed"] == 1
    assert [(name["index"], name["code"]) for name in account["malformed"]] == [(3, code)]
    await harness.plan()
    assert await reached(harness, head["id"]) == list(players.values())
    assert (await harness.upload(head, body)).status_code == 202  # the same again is the same send


@pytest.mark.parametrize("short", [True, False])
async def test_f18_a_list_of_bad_lines_only_is_refused(
    harness: IntakeHarness, monkeypatch: pytest.MonkeyPatch, short: bool
) -> None:
    monkeypatch.setattr(upload_module, "PART_RECIPIENTS", 100 if short else 1)
    head = a_trigger()
    answer = await harness.upload(head, [b"a,b", b'{"login": null}', b'{"login": "NaN"}'])
    error = answer.json()
    assert (answer.status_code, error["code"]) == (422, "no_recipients")
    assert [e["field"] for e in error["errors"]] == ["lines.0", "lines.1", "lines.2"]
    assert (
        await harness.parts() == 0
        and await harness.sender.context.stores.sends.get(head["id"]) is None
    )


async def test_f7_unknown_key_of_a_line_refuses_the_list(
    harness: IntakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "PART_RECIPIENTS", 2)
    head = a_trigger()
    answer = await harness.upload(head, [*lines(*logins("a", "b", "c")), b'{"logn": "d"}'])
    error = answer.json()
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in error["errors"]] == [("lines.5.logn", "unknown_key")]
    assert (
        await harness.parts() == 0
        and await harness.sender.context.stores.sends.get(head["id"]) is None
    )


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        ({"recipients": logins("a")}, 422, "invalid"),
        ({"part": 1, "parts": 2}, 422, "invalid"),
        ({"campaign": "other"}, 422, "unknown_campaign"),
        ({"app": "other"}, 422, "unknown_app"),
        ({"id": "x"}, 422, "invalid"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, 422, "already_expired"),
    ],
)
async def test_the_first_line_is_validated_before_the_list(
    harness: IntakeHarness, head: dict[str, Any], status: int, code: str
) -> None:
    answer = await harness.upload(a_trigger(**head), lines(*logins("a")))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_list_has_lines(harness: IntakeHarness) -> None:
    assert (await harness.upload(a_trigger(), [])).json()["code"] == "no_recipients"
    long = await harness.upload(a_trigger(), [b'{"login": "' + b"x" * 2**20 + b'"}'])
    assert (long.status_code, long.json()["code"]) == (413, "line_too_large")


async def test_a_client_that_goes_away_leaves_nothing(
    harness: IntakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_module, "PART_RECIPIENTS", 2)

    async def broken_off() -> AsyncIterator[tuple[int, bytes]]:
        yield 1, orjson.dumps(a_trigger())
        for n in range(2, 9):
            yield n, b'{"login": "a%d"}' % n
        assert await harness.parts() == 3
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await harness.sender.intake().accept_lines(broken_off())
    assert await harness.parts() == 0


async def test_whatever_way_it_comes_the_log_states_that_it_was_taken_in(
    harness: IntakeHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="carillon.intake")
    uploaded, posted = a_trigger(), a_trigger(audience={"all": True})
    refused = a_trigger(app="nobodys", audience={"all": True})
    assert (await harness.upload(uploaded, [b'{"login": "ann"}'])).is_success
    assert (await harness.http.post("/v1/sends", json=posted)).is_success
    assert not (await harness.http.post("/v1/sends", json=refused)).is_success
    taken = [r.__dict__["send"] for r in caplog.records if r.message == "trigger accepted"]
    assert taken == [uploaded["id"], posted["id"]]
