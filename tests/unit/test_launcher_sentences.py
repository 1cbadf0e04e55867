"""The launcher's screen: sentences for what services say as JSON."""

from __future__ import annotations

import logging

import httpx
import orjson
import pytest

from deploy.local.errors import NotReady
from deploy.local.probes import probe_http
from deploy.local.sentences import read_health, read_log_line
from shared.clock import utc_now
from shared.errors import StoreUnavailable
from shared.health import Health
from shared.logs import JsonFormatter


def log_line(message: str, error: Exception | None = None, **extra: object) -> str:
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("carillon.x", logging.ERROR, "", 0, message, (), info)
    vars(record).update(extra)
    return JsonFormatter("sender").format(record)


def test_c3_log_lines_are_service_message_and_code() -> None:
    line = log_line("dependency unwell", code="mongo_unavailable", component="mongo", mongoCode=18)
    message = read_log_line(line)
    assert message == "sender: dependency unwell: mongo_unavailable (component mongo, mongoCode 18)"
    assert read_log_line(log_line("crashed", ValueError("jana"))) == "sender: crashed: ValueError"
    assert read_log_line(log_line("started")) == "sender: started"


@pytest.mark.parametrize("line", ["panicked at 'disk full'", "{broken", "[1]", '{"a": 1}', ""])
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert read_log_line(line) == line


async def test_c3_what_is_awaited_is_a_sentence() -> None:
    health = Health(utc_now, lambda: 0.0)
    mongo = health.component("mongo", deadline_seconds=5, critical=True)
    health.component("kafka", deadline_seconds=5, critical=True).beat()
    mongo.wait_for(StoreUnavailable("away"))
    body = orjson.dumps(health.report()[1])
    transport = httpx.MockTransport(lambda _: httpx.Response(503, content=body))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(NotReady) as caught:
            await probe_http(client, "http://sender/health/ready")
    waits = "it waits for mongo (mongo_unavailable)"
    assert str(caught.value) == f"http://sender/health/ready answers 503: {waits}"


def test_answers_of_another_kind() -> None:
    assert read_health("<html>") == "<html>"
    assert read_health('{"message": "the request failed"}') == "the request failed"
    assert read_health("{}") == "it gives no reason"
    assert len(read_health("word " * 200)) <= 300
