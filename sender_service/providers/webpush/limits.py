"""Limits of push services that are called directly. Pure."""

from __future__ import annotations

from sender_service.providers.base import ProviderLimits

LIMITS_OF_SERVICES = ProviderLimits(
    requests_per_second=100,
    max_targets=1,  # a subscription has a key of its own
    max_data_bytes=2_048,
    max_ttl_seconds=2_419_200,  # four weeks, as browsers' push services take
    messages=None,
)
