"""A campaign: an offer in the location `PushNotificationLocation`, its texts and its policy."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import orjson
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from sender_service.models.policy import Policy
from sender_service.models.templates import check_template
from shared.models.wire import Storable, Wire

LOCATION = "PushNotificationLocation"
MAX_TEXT = 200  # characters; browsers cut sooner (PERSOO.md)
MAX_DATA_BYTES = 1_500  # OneSignal takes 2,048 with our tag in it

Template = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(check_template)]
Text = Annotated[Template, StringConstraints(min_length=1)]
Texts = dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Za-z]{2,4})?$")], Text]


class Button(Wire):
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    text: Text
    url: Template | None = None
    icon: Template | None = None


class Variant(Wire):
    """`contents` has at least `en`: what a language is missing falls back to it."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    weight: float = Field(default=1, ge=0, le=1_000)
    headings: Texts
    contents: Texts
    url: Text
    icon: Template | None = None
    image: Template | None = None
    buttons: list[Button] = Field(default=[], max_length=2)
    data: Storable = {}

    @model_validator(mode="after")
    def _english(self) -> Self:
        for name, texts in (("headings", self.headings), ("contents", self.contents)):
            if "en" not in texts:
                raise ValueError(f"{name}.en is required: other languages fall back to it")
        if "carillon" in self.data:
            raise ValueError("data.carillon is the push's own tag")
        if len(orjson.dumps(self.data)) > MAX_DATA_BYTES:
            raise ValueError(f"data has at most {MAX_DATA_BYTES} bytes as JSON")
        return self


class CampaignBody(Wire):
    """What `PUT` takes."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    location: Literal["PushNotificationLocation"] = "PushNotificationLocation"
    enabled: bool = True
    variants: list[Variant] = Field(min_length=1, max_length=10)
    policy: Policy = Policy()

    @model_validator(mode="after")
    def _variants(self) -> Self:
        if len({v.id for v in self.variants}) != len(self.variants):
            raise ValueError("variants: ids must differ")
        if not any(v.weight for v in self.variants):
            raise ValueError("variants: at least one needs a weight above 0")
        return self


class Campaign(CampaignBody):
    """A campaign as stored; a send freezes the version it started with."""

    id: str
    app: str
    version: int
