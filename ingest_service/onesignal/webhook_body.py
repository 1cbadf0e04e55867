"""Bodies of OneSignal's service workers, v15 and v16, as one model (docs/onesignal.md D). Pure."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, StringConstraints, ValidationError

from ingest_service.parsing.bounded_json import load_bounded
from ingest_service.parsing.input_model import InputModel
from shared.errors import InvalidPayload
from shared.events.payloads import InteractionKind, InteractionPayload
from shared.ids import is_uuid
from shared.models.wire import invalid_payload

INTERACTION_OF_WEBHOOK: dict[str, InteractionKind] = {
    "notification.displayed": "impression",  # v15
    "notification.willDisplay": "impression",  # v16
    "notification.clicked": "click",
    "notification.dismissed": "close",
    "notification.dismiss": "close",  # 160000-160200
}

Name = Annotated[str, StringConstraints(max_length=256)]


def _text(limit: int) -> BeforeValidator:
    """Return a validator of optional texts: None for other types, or texts over the limit."""

    def read(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        text = str(value)
        return text if len(text) <= limit else None

    return BeforeValidator(read)


class WebhookBody(InputModel):
    """A webhook's body. Without `message` and `player` it can never be counted."""

    event: Name
    message: Name | None = Field(
        default=None, validation_alias=AliasChoices("notificationId", "id")
    )
    player: Name | None = Field(
        default=None, validation_alias=AliasChoices("subscriptionId", "userId")
    )
    action: Annotated[str | None, _text(256)] = Field(
        default=None, validation_alias=AliasChoices("actionId", "action")
    )
    url: Annotated[str | None, _text(8_192)] = None
    custom: Any = Field(default=None, validation_alias=AliasChoices("additionalData", "data"))

    @property
    def kind(self) -> InteractionKind:
        return INTERACTION_OF_WEBHOOK[self.event]

    @property
    def unattributable_reason(self) -> str | None:
        """The reason why it can never be counted, if any: the id that is missing."""
        if not is_uuid(self.message):
            return "no_message"
        if not is_uuid(self.player):  # absent, null, or a local id
            return "no_player"
        return None

    @property
    def message_id(self) -> str:
        return str(self.message).lower()

    @property
    def player_id(self) -> str:
        return str(self.player).lower()

    def payload(self) -> InteractionPayload:
        """Return the data of an `oneSignalWebhook` event."""
        payload: InteractionPayload = {
            "kind": self.kind,
            "notificationId": self.message_id,
            "playerID": self.player_id,
        }
        if self.action:  # v16 sends "" for a click on the body
            payload["action"] = self.action
        if self.url is not None:
            payload["url"] = self.url
        if isinstance(self.custom, dict):
            payload["data"] = self.custom
        return payload


def read_webhook(raw: bytes) -> WebhookBody:
    """Read a body. Raises InvalidPayload."""
    content = load_bounded(raw)
    try:
        body = WebhookBody.model_validate(content)
    except ValidationError as exc:
        raise invalid_payload(exc) from exc
    if body.event not in INTERACTION_OF_WEBHOOK:
        raise InvalidPayload("event: not one of the webhooks' names", code="unknown_event")
    return body
