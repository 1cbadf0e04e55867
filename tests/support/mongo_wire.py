"""MongoDB's wire protocol, as far as a proxy needs it: what a message asks for, and other answers to it."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field, replace
from typing import Any

import bson

Document = dict[str, Any]
HEADER = struct.Struct("<iiii")  # length, request id, response to, kind
OP_MSG = 2013
BODY, SEQUENCE = 0, 1  # kinds of sections
MOST_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class Message:
    """One OP_MSG: its body, and the sequences of documents beside it. Others have no body."""

    request: int
    response_to: int
    kind: int
    payload: bytes
    flags: int = 0
    body: Document = field(default_factory=dict)
    sequences: tuple[tuple[str, tuple[bytes, ...]], ...] = ()

    @property
    def command(self) -> str:
        return next(iter(self.body), "")

    @property
    def collection(self) -> str:
        """Return the collection's name; "" for commands that name none."""
        named = self.body.get("collection") or self.body.get(self.command)
        return named if isinstance(named, str) else ""

    @property
    def writes(self) -> int:
        """Return how many documents a write command brings."""
        return sum(len(documents) for _, documents in self.sequences)

    def with_body(self, body: Document) -> Message:
        return replace(self, body=body)

    def with_writes(self, count: int) -> Message:
        """Return the same command with only the first of its documents."""
        ((name, documents),) = self.sequences
        return replace(self, sequences=((name, documents[:count]),))

    def encode(self) -> bytes:
        payload = self.payload
        if self.body:
            payload = struct.pack("<I", self.flags & ~1)  # without a checksum
            payload += bytes([BODY]) + bson.encode(self.body)
            for name, documents in self.sequences:
                joined = name.encode() + b"\0" + b"".join(documents)
                payload += bytes([SEQUENCE]) + struct.pack("<i", len(joined) + 4) + joined
        size = HEADER.size + len(payload)
        return HEADER.pack(size, self.request, self.response_to, self.kind) + payload


def answer_to(request: Message, body: Document) -> Message:
    """Return an answer, as if the server had made it."""
    return Message(request.request, request.request, OP_MSG, b"", body=body)


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Raises IncompleteReadError at the end."""
    size, request, response_to, kind = HEADER.unpack(await reader.readexactly(HEADER.size))
    assert HEADER.size <= size <= MOST_BYTES, size
    payload = await reader.readexactly(size - HEADER.size)
    message = Message(request, response_to, kind, payload)
    return _with_sections(message) if kind == OP_MSG else message


def _with_sections(message: Message) -> Message:
    payload = message.payload
    (flags,) = struct.unpack_from("<I", payload)
    end = len(payload) - (4 if flags & 1 else 0)
    at, body, sequences = 4, Document(), []
    while at < end:
        kind, at = payload[at], at + 1
        (size,) = struct.unpack_from("<i", payload, at)
        if kind == BODY:
            body = bson.decode(payload[at : at + size])
        else:
            name, _, documents = payload[at + 4 : at + size].partition(b"\0")
            sequences.append((name.decode(), tuple(_split(documents))))
        at += size
    return replace(message, flags=flags, body=body, sequences=tuple(sequences))


def _split(joined: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(joined):
        (size,) = struct.unpack_from("<i", joined, at)
        found.append(joined[at : at + size])
        at += size
    return found
