"""Request bodies: read no further than their limit, and unpacked."""

from __future__ import annotations

import zlib

from starlette.types import Receive

from shared.errors import InvalidPayload, Rejected, TooLarge

GZIP_WBITS = zlib.MAX_WBITS | 16  # zlib's code for a gzip header
# Each costs a decompressor and a copy of what follows it. A file compressed in blocks of 64 KiB,
# as bgzip does, has 16 in a MiB.
MAX_MEMBERS = 64


class UnsupportedMediaType(Rejected):
    code = "unsupported_media_type"
    status = 415


class Disconnected(Exception):
    """The client disconnected while its body was read, so no response is possible."""


def check_head(declared: bytes | None, encoding: bytes | None, limit: int) -> bool:
    """Return whether the body will be packed, by its headers.

    Raises TooLarge, UnsupportedMediaType.
    """
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    if encoding is None or encoding in (b"", b"identity"):
        return False
    if encoding.lower() not in (b"gzip", b"x-gzip"):
        raise UnsupportedMediaType("the only Content-Encoding is gzip", code="unsupported_encoding")
    return True


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read a body; stop as soon as it is too large. Raises TooLarge, Disconnected."""
    message = await receive()
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        if not message.get("more_body", False):
            return b"".join([*chunks, chunk]) if chunks else chunk
        chunks.append(chunk)
        message = await receive()


def unpack(packed: bytes, limit: int) -> bytes:
    """Unpack gzip, of one member or several as files have them.

    At most one byte more than the limit is unpacked, however much is in it.
    Raises TooLarge, InvalidPayload.
    """
    parts: list[bytes] = []
    size = 0
    for _ in range(MAX_MEMBERS):
        stream = zlib.decompressobj(GZIP_WBITS)
        try:
            parts.append(stream.decompress(packed, limit + 1 - size))
        except zlib.error as exc:
            raise _not_gzip() from exc
        size += len(parts[-1])
        if size > limit:
            raise too_large(limit)
        if not stream.eof:
            raise _not_gzip()
        packed = stream.unused_data.lstrip(b"\0")  # files are padded with zeros
        if not packed:
            return b"".join(parts)
    raise _not_gzip()


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes")


def _not_gzip() -> InvalidPayload:
    return InvalidPayload(
        f"the body is not whole gzip of at most {MAX_MEMBERS} members", code="invalid_encoding"
    )
