"""Raw events as the validator accepts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ingest_service.collect.event_validator import AcceptedEvent, EventValidator, RequestContext
from shared.models.app import App
from shared.secrets import Vault

NOW = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)
ONE_SIGNAL = {"appId": "a", "restApiKey": "sealed"}
APP = App.model_validate({"_id": "demo", "name": "d", "version": 1, "oneSignal": ONE_SIGNAL})


def validate_event(raw: dict[str, Any], *, crawler: bool = False) -> AcceptedEvent:
    arrival = RequestContext(APP, "browser", NOW, timedelta(0), 400, 100, crawler)
    return EventValidator.of(Vault("k" * 40), lambda: "new").validate(raw, arrival)
