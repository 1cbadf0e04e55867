"""Priority of a send: transactional ones have topics, connections and a share of the budget."""

from __future__ import annotations

from typing import Literal

Priority = Literal["marketing", "transactional"]
