"""Bodies of webhooks, right and wrong, and a fast way to post many of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

import aiohttp
import orjson

from tests.faults.plan import Choice

CONNECTIONS = 32
LONG_ROUNDS = 100  # with so many, the long fuzz too
LONG, SHORT = 100_000, 5_000
EVENTS = {
    "v15": ("notification.displayed", "notification.clicked", "notification.dismissed"),
    "v16": ("notification.willDisplay", "notification.clicked", "notification.dismissed"),
}


def how_many(choice: Choice, given: str | None) -> int:
    """`FUZZ=`, else by the length of the run."""
    return int(given) if given else LONG if (choice.rounds or 0) >= LONG_ROUNDS else SHORT


def body(sdk: str, event: str, message: str, player: str, tag: str | None) -> dict[str, Any]:
    """Return a webhook's body as the SDK's service worker sends it."""
    data = {} if tag is None else {"carillon": tag}
    if sdk == "v15":
        return {"event": event, "id": message, "userId": player, "heading": "h", "data": data}
    named = {"notificationId": message, "subscriptionId": player}
    return {"event": event, **named, "heading": "h", "additionalData": data, "actionId": ""}


def fuzzed(count: int, seed: str, pushes: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """Bodies that were right once; a part of them is still well formed, and names a push and the
    player who got it: but for the end of its tag it would count."""
    dice = Random(f"fuzz:{seed}")
    for _ in range(count):
        sdk, push = dice.choice(("v15", "v16")), dice.choice(pushes)
        head, _, mac = push["data"]["carillon"].rpartition(".")
        tag = f"{head}.{''.join(dice.sample(mac, len(mac)))}"
        message, player = push["notification_id"], push["player_id"]
        raw = orjson.dumps(body(sdk, dice.choice(EVENTS[sdk]), message, player, tag))
        yield _spoil(raw, dice)


def _spoil(raw: bytes, dice: Random) -> bytes:
    way = dice.randrange(8)
    at = dice.randrange(len(raw))
    if way == 0:
        return raw[:at]
    if way == 1:
        return raw[:at] + bytes([dice.randrange(256)]) + raw[at + 1 :]
    if way == 2:
        return raw[:at] + dice.randbytes(dice.randrange(1, 40)) + raw[at:]
    if way == 3:
        return dice.choice((b"", b"[]", b"null", b"{}", b'"', b"[" * 2_000, b"9" * 5_000))
    if way == 7:
        return raw  # as it was
    return _change_a_value(orjson.loads(raw), dice)


def _change_a_value(content: dict[str, Any], dice: Random) -> bytes:
    odd: tuple[Any, ...] = (
        None, True, -1, 2**63 - 1, 1e308, "", "\0", "x" * 5_000, [], {}, [[]], {"$where": 1},
        {"carillon": ["v1"]}, {"carillon": "v1." + "." * 90}, "notification.unknown",
    )  # fmt: skip
    content[dice.choice(list(content))] = dice.choice(odd)
    return orjson.dumps(content)


async def post_all(url: str, bodies: Iterable[bytes]) -> Counter[int]:
    """Return the answers by status; 0: none at all."""
    answers = Counter[int]()
    left = iter(bodies)

    async def work(session: aiohttp.ClientSession) -> None:
        for raw in left:  # shared: each takes the next one
            try:
                async with session.post(url, data=raw) as answer:
                    await answer.read()
                    answers[answer.status] += 1
            except (aiohttp.ClientError, TimeoutError):
                answers[0] += 1

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        await asyncio.gather(*(work(session) for _ in range(CONNECTIONS)))
    return answers
