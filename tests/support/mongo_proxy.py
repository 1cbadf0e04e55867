"""A server between a service and its database, which gives some of the answers itself.

It forwards to the real database. `decide` says what becomes of each command: answered with an error
instead of being carried out, carried out and then answered with one, or carried out by half (a bulk
write). `rewrite` may change what is asked. It has a thread of its own, so a test may start processes
meanwhile.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from pymongo.uri_parser import parse_uri

from deploy.kafka.ports import HOST
from tests.support.mongo_wire import Document, Message, answer_to, read_message

How = Literal["refuse", "refuse_after", "half"]
INVENTED = 50463173  # no MongoDB has it; an engine that promises its protocol answered so
HELLO = frozenset({"hello", "isMaster", "ismaster", "ping", "buildInfo", "endSessions", ""})
WRITES = frozenset({"insert", "update", "delete"})


@dataclass(frozen=True)
class Refusal:
    """An error in the stead of the true answer. `half` is `refuse` for what brings one document."""

    code: int = INVENTED
    name: str | None = None
    how: How = "refuse"

    def body(self) -> Document:
        named = {"codeName": self.name} if self.name else {}
        return {"ok": 0.0, "code": self.code, "errmsg": "planted: refused by the test", **named}


Decide = Callable[[Message], Refusal | None]


@dataclass
class MongoProxy:
    """Listens while the block lasts. `decide` is asked in the proxy's thread, about all but hellos."""

    upstream: tuple[str, int]
    decide: Decide = lambda _: None
    rewrite: Callable[[Message], Message] = lambda request: request
    hits: Counter[tuple[str, str, How]] = field(default_factory=Counter)
    port: int = 0
    user: str = ""  # and its password, as an address has them

    @classmethod
    def before(cls, uri: str, decide: Decide = lambda _: None) -> Self:
        """Return a proxy in front of the first server of an address, under its user."""
        host, port = parse_uri(uri)["nodelist"][0]
        user = re.match(r"mongodb://([^/@]*@)?", uri)
        return cls((host, port or 27017), decide, user=(user and user[1]) or "")

    @property
    def uri(self) -> str:
        # Directly: a member of a replica set names itself, and drivers go there.
        return f"mongodb://{self.user}{HOST}:{self.port}/?directConnection=true"

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self, started: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(started))

    async def _serve(self, started: threading.Event) -> None:
        self._stop = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._accept, HOST, self.port)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.create_task(self._connect(reader, writer))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward until either side ends; the other one is ended then, as if there were no proxy."""
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                answers, requests = await asyncio.open_connection(*self.upstream)
                try:
                    await _Call(self, writer, requests).carry(reader, answers)
                finally:
                    requests.close()
        finally:
            writer.close()

    def count(self, request: Message, refusal: Refusal) -> None:
        self.hits[request.command, request.collection, refusal.how] += 1


class _Call:
    """One connection: requests one after another, as drivers make them."""

    def __init__(
        self, proxy: MongoProxy, caller: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._caller = caller
        self._server = server
        self._changes: dict[int, Callable[[Message], Message]] = {}  # by request, of its answer

    async def carry(self, requests: asyncio.StreamReader, answers: asyncio.StreamReader) -> None:
        ways = [
            asyncio.create_task(self._ask(requests)),
            asyncio.create_task(self._answer(answers)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _ask(self, requests: asyncio.StreamReader) -> None:
        while True:
            request = self._proxy.rewrite(await read_message(requests))
            refusal = None if request.command in HELLO else self._proxy.decide(request)
            if refusal is None:
                self._server.write(request.encode())
                await self._server.drain()
                continue
            self._proxy.count(request, refusal)
            await self._refuse(request, refusal)

    async def _refuse(self, request: Message, refusal: Refusal) -> None:
        is_bulk = request.command in WRITES and request.writes > 1
        if refusal.how == "refuse_after":
            self._changes[request.request] = lambda _: answer_to(request, refusal.body())
            self._server.write(request.encode())
        elif refusal.how == "half" and is_bulk:
            done = request.writes // 2
            self._changes[request.request] = lambda answer: _cut(answer, request, done, refusal)
            self._server.write(request.with_writes(done).encode())
        else:
            self._caller.write(answer_to(request, refusal.body()).encode())
        await asyncio.gather(self._server.drain(), self._caller.drain())

    async def _answer(self, answers: asyncio.StreamReader) -> None:
        while True:
            answer = await read_message(answers)
            change = self._changes.pop(answer.response_to, None)
            self._caller.write((change(answer) if change else answer).encode())
            await self._caller.drain()


def _cut(answer: Message, request: Message, done: int, refusal: Refusal) -> Message:
    """Return the true answer of the first documents, and an error for each of the others."""
    ordered = bool(request.body.get("ordered", True))
    last = done + 1 if ordered else request.writes
    failed = [
        {"index": index, "code": refusal.code, "errmsg": "planted: refused by the test"}
        for index in range(done, last)
    ]
    found = [*answer.body.get("writeErrors", []), *failed]
    return answer.with_body({**answer.body, "writeErrors": found})
