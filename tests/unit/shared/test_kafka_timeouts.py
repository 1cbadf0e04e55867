"""Fetches that are repeated while they bring nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.protocol.fetch import FetchRequest, FetchResponse_v4
from aiokafka.protocol.metadata import MetadataRequest

from shared.kafka.fetch_repeats import FETCH_SECONDS, RepeatedFetches, Rest
from shared.loops import Wakeup
from tests.support.stack import eventually

VERSIONS = {FetchRequest.API_KEY: (0, 4)}
WAIT_SECONDS = 0.05
UNKNOWN_TOPIC = 3


def answer(end: int, records: bytes = b"", error: int = 0) -> bytes:
    partition: tuple[Any, ...] = (0, error, end, end, [], records)
    return bytes(FetchResponse_v4(0, [("topic", [partition])]).encode())


class Broker:
    """Answers each fetch with the next answer, the last one again and again; each takes its wait."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []
        self.now = 0.0

    async def send(self, node_id: int, request: Any) -> Any:
        struct = request.prepare(VERSIONS)
        self.sent.append(struct.encode())
        self.now += WAIT_SECONDS
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return found if hasattr(request, "decode") else struct.RESPONSE_TYPE.decode(found)

    def patient(self, rest: Rest | None = None) -> RepeatedFetches:
        return RepeatedFetches(self.send, WAIT_SECONDS, rest, lambda: self.now)


def request() -> FetchRequest:
    return FetchRequest(50, 1, 1_000_000, 0, [("topic", [(0, 7, 1_000)])])


async def fetch(patient: RepeatedFetches) -> tuple[Any, ...]:
    """Return what the answer says of the partition."""
    found = await patient.send(1, request())
    return tuple(found.topics[0][1][0])


async def test_d8_an_empty_fetch_lasts_as_long_as_its_timeout() -> None:
    broker = Broker(answer(7))
    assert await fetch(broker.patient()) == (0, 0, 7, 7, [], b"")
    assert FETCH_SECONDS - 0.001 <= broker.now <= FETCH_SECONDS + WAIT_SECONDS
    assert len(set(broker.sent)) == 1


async def test_d8_a_fetch_ends_with_the_first_record() -> None:
    broker = Broker(answer(7), answer(7), answer(8, b"record"))
    assert await fetch(broker.patient()) == (0, 0, 8, 8, [], b"record")
    assert len(broker.sent) == 3
    assert await fetch(broker.patient()) == (0, 0, 8, 8, [], b"record")
    assert len(broker.sent) == 4


async def test_d8_a_fetch_ends_with_an_error() -> None:
    broker = Broker(answer(-1, error=UNKNOWN_TOPIC))
    assert (await fetch(broker.patient()))[1] == UNKNOWN_TOPIC
    assert len(broker.sent) == 1


async def test_d8_the_last_answer_counts_where_it_is_another_empty_one() -> None:
    broker = Broker(answer(7), answer(9))
    assert (await fetch(broker.patient()))[2] == 9


async def test_d8_a_call_ends_a_rest_and_more_is_fetched_without_one() -> None:
    call = Wakeup()
    broker = Broker(answer(7), answer(7), answer(8, b"record"))
    fetching = asyncio.create_task(fetch(broker.patient(Rest(call, 600, lambda: broker.now))))
    await eventually(lambda: broker.sent, 10)
    await asyncio.sleep(0.05)
    assert len(broker.sent) == 1
    call.notify()
    async with asyncio.timeout(10):
        assert (await fetching)[5] == b"record"
    assert len(broker.sent) == 3


async def test_what_is_no_fetch_is_sent_as_it_is() -> None:
    passed: list[Any] = []

    async def send(node_id: int, request: Any, **more: Any) -> str:
        passed.append((node_id, request, more))
        return "answer"

    asked = MetadataRequest([])
    assert await RepeatedFetches(send, WAIT_SECONDS).send(1, asked, group=2) == "answer"
    assert passed == [(1, asked, {"group": 2})]
