"""Names of push providers that both services know."""

from __future__ import annotations

DEFAULT_PROVIDER = "onesignal"  # of players, chunks and jobs that name none
