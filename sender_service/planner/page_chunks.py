"""Chunks of a page that is built: members with equal pushes share a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from sender_service.models.push import Push
from sender_service.models.scenario.run import ItemClaim
from sender_service.pages.document import ChunkDocument, new_chunk

NO_CHUNK = ""  # of members that no call names


@dataclass(slots=True)
class PageChunks:
    """Chunks by name, and the push of each. `most`: provider → members of a chunk."""

    most: Mapping[str, int]
    now: datetime
    chunks: dict[str, ChunkDocument] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)
    _filling: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    _keys: dict[tuple[int, str, str], tuple[Push, bytes]] = field(default_factory=dict)  # made once

    def add(
        self,
        variant: str,
        push: Push,
        zone: str,
        provider: str,
        claims: tuple[ItemClaim, ...] = (),
    ) -> str:
        """Return a chunk with room for one more member with this push; add one if there is none.

        `claims`: what the push says of items, and must still be true when it is released.
        """
        most = self.most[provider]
        _, key = self._keys.get((id(push), zone, provider), (push, b""))
        if not key:
            key = orjson.dumps([variant, zone, provider, push, claims], option=orjson.OPT_SORT_KEYS)
            self._keys[id(push), zone, provider] = push, key
        chunk, size = self._filling.get(key, (NO_CHUNK, most))
        if size >= most:
            chunk, size = str(len(self.pushes)), 0
            self.pushes.append(push)
            self.chunks[chunk] = new_chunk(variant, self.now, zone, provider)
        self._filling[key] = (chunk, size + 1)
        return chunk
