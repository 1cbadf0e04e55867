"""Webhook and Event Stream messages as OneSignal sends them."""

from __future__ import annotations

from datetime import timedelta

from tests.support.ingest_api import NOW, SHOP

STREAM_URL = "/v1/webhooks/onesignal/wh_open/stream"
STREAM_BEARER = {"Authorization": "Bearer st_open"}
MESSAGE = "5f1b9a52-3c7e-4a6d-8a51-9d0c2e7b1f34"
PLAYER = "6b2a3c1e-58d4-4b8a-9a61-0f4c1f2a7d10"
TAG = "v1.ab12.5f1b9a52-3c7e-4a6d-8a51-9d0c2e7b1f34.0.0.bWFj"
CLICKED_AT = NOW - timedelta(minutes=5)
STREAM_MESSAGE = {
    "event.kind": "message.push.clicked",
    "event.id": "0b7c9c5e-1111-4222-8333-444444444444",
    "event.timestamp": str(int(CLICKED_AT.timestamp())),
    "event.datetime": CLICKED_AT.isoformat(),
    "event.subscription_id": PLAYER,
    "event.onesignal_id": "",
    "event.data.failure_reason": "",
    "message.id": MESSAGE,
    "message.name": TAG,
    "user.tags": "",
}
PUSH_TEXT = {"heading": "Summer sale", "content": "Everything 20% off until Sunday"}
SALE_URL = f"{SHOP}/sale"


WEBHOOK_V16 = {
    "notificationId": MESSAGE, **PUSH_TEXT, "additionalData": {"carillon": TAG, "n": 3},
    "url": SALE_URL, "subscriptionId": PLAYER,
}  # fmt: skip
