"""A request's body, read no further than its limit, unpacked where it comes packed."""

from __future__ import annotations

import zlib

from starlette.types import Receive

from shared.errors import InvalidPayload, Rejected, TooLarge

GZIP = zlib.MAX_WBITS | 16  # zlib's way to say: with gzip's header


class UnsupportedMediaType(Rejected):
    code = "unsupported_media_type"
    status = 415


class Disconnected(Exception):
    """The client went away while its body was read: there is nobody to answer."""


async def read_body(
    receive: Receive, declared: bytes | None, encoding: bytes | None, limit: int
) -> bytes:
    """Refused as soon as it is known to be too large, packed or unpacked.

    Raises TooLarge, InvalidPayload, UnsupportedMediaType, Disconnected.
    """
    packed = _packed(encoding, limit)
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    message = await receive()
    chunks: list[bytes] = []
    received = size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        received += len(chunk)
        if packed is not None:
            chunk = packed.unpack(chunk)
        size += len(chunk)
        if size > limit or received > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            if packed is not None:
                packed.finish()
            return b"".join([*chunks, chunk]) if chunks else chunk
        chunks.append(chunk)
        message = await receive()


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes")


class Packed:
    """One gzip stream, unpacked as it arrives."""

    def __init__(self, limit: int) -> None:
        self._stream = zlib.decompressobj(GZIP)
        self._limit = limit

    def unpack(self, chunk: bytes) -> bytes:
        """At most one byte more than the limit, however much is in it."""
        try:
            return self._stream.decompress(chunk, self._limit + 1)
        except zlib.error as exc:
            raise _not_gzip() from exc

    def finish(self) -> None:
        if not self._stream.eof or self._stream.unused_data:
            raise _not_gzip()


def _not_gzip() -> InvalidPayload:
    return InvalidPayload("the body is not one whole gzip stream", code="invalid_encoding")


def _packed(encoding: bytes | None, limit: int) -> Packed | None:
    if encoding is None or encoding in (b"", b"identity"):
        return None
    if encoding.lower() not in (b"gzip", b"x-gzip"):
        raise UnsupportedMediaType("the only Content-Encoding is gzip", code="unsupported_encoding")
    return Packed(limit)
