"""Models of events: the envelope as received, and the data of each known type.

Known types keep only the fields that are declared here, so that no other personal data gets onto the
log. Custom events keep their data as it is.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ingest_service.onesignal.subscription_status import State, Status, read_status
from ingest_service.parsing.basket_lines import MAX_BASKET_LINES, lines_reader
from ingest_service.parsing.input_model import InputModel, SenderTime
from ingest_service.parsing.normalise import (
    Amount,
    Count,
    Id,
    Ids,
    Name,
    Path,
    Uuid,
    check_currency,
    to_currency,
)
from shared.events.payloads import InteractionKind
from shared.events.registry import (
    ADD_TO_BASKET,
    IDENTIFY,
    LOGOUT,
    ONESIGNAL,
    ONESIGNAL_WEBHOOK,
    PAGEVIEW,
    PURCHASE,
    REMOVE_FROM_BASKET,
    RESERVED_PREFIX,
)
from shared.ids import VISITOR_ID_PATTERN
from shared.models.sentences import described, text_like
from shared.models.wire import empty_list_as_object
from shared.names import Email, Login, PlayerId

Url = Annotated[str, StringConstraints(max_length=8_192)]
Short = Annotated[str, StringConstraints(max_length=128)]
VisitorId = Annotated[
    str,
    text_like(
        VISITOR_ID_PATTERN, "must have 1 to 64 letters, digits, or any of _ - . :, as v-5f0c1d9b"
    ),
]
TYPE_NAME = r"^[A-Za-z][A-Za-z0-9_.:\-]{0,63}\z"
TypeName = Annotated[
    str,
    text_like(
        TYPE_NAME,
        "must be a type of event: a letter, then at most 63 letters, digits, or any of _ . : -,"
        " as pageview",
    ),
]


class Page(InputModel):
    url: Url | None = None
    title: Annotated[str, StringConstraints(max_length=1_024)] | None = None
    referrer: Url | None = None


class Context(InputModel):
    timeZone: Annotated[str, StringConstraints(max_length=64)] | None = None
    language: Annotated[str, StringConstraints(max_length=35)] | None = None
    browser: Short | None = None
    sdk: Short | None = None


def _object(value: Any) -> Any:
    return {} if value is None else empty_list_as_object(value)


class Envelope(InputModel):
    """An event as received. Its type's own model validates `data`."""

    id: Uuid | None = None
    type: TypeName
    visitor_id: VisitorId = Field(alias="visitorId")
    occurred_at: SenderTime | None = Field(default=None, alias="occurredAt")
    page: Page | None = None
    context: Context | None = None
    data: Annotated[dict[str, Any], BeforeValidator(_object)] = {}

    @model_validator(mode="after")
    def _not_reserved(self) -> Envelope:
        if self.type.startswith(RESERVED_PREFIX):
            raise PydanticCustomError(
                "reserved_type", "types that begin with carillon. are Carillon's own"
            )
        return self


class OneSignalStatus(InputModel):
    """A browser's player id, with its subscription and permission."""

    player_id: PlayerId = Field(alias="playerID")
    status: Status
    permission: Literal["default", "granted", "denied"] | None = None
    state: State
    reason: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_status(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "status" not in data:
            return data  # the fields' own errors name what is missing
        found = read_status(data["status"])
        if found is None:
            return {**data, "status": "", "state": "unsubscribed", "reason": None}
        return {**data, "status": found.status, "state": found.state, "reason": found.reason}


class Interaction(InputModel):
    kind: InteractionKind
    notification_id: Uuid = Field(alias="notificationId")
    player_id: PlayerId = Field(alias="playerID")
    action: Annotated[str, StringConstraints(max_length=256)] | None = None
    url: Url | None = None
    data: dict[str, Any] | None = None


class Line(InputModel):
    """One line of a basket or an order, as documented; `lines_reader` reads them."""

    item: Id
    quantity: Amount = 1
    price: Amount | None = None


_LINES = WithJsonSchema(
    {"type": "array", "maxItems": MAX_BASKET_LINES, "items": Line.model_json_schema()}
)
BasketLines = Annotated[list[dict[str, Any]], PlainValidator(lines_reader("basketItems")), _LINES]
OrderLines = Annotated[list[dict[str, Any]], PlainValidator(lines_reader("items")), _LINES]
Currency = Annotated[
    str,
    BeforeValidator(to_currency),
    StringConstraints(
        pattern=described(r"^[A-Za-z]{3}\z", "must be a code of three letters, as EUR"),
        to_upper=True,
    ),
    AfterValidator(check_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{3}$"}),
]


class Transaction(InputModel):
    """An order; if its id can't be read, its event's id replaces it."""

    id: Id | None = None
    revenue: Amount | None = None
    shipping: Amount | None = None
    tax: Amount | None = None


class Pageview(InputModel):
    page_type: Short | None = Field(default=None, alias="pageType")
    item: Id | None = Field(default=None, alias="itemID")
    category: Id | None = Field(default=None, alias="categoryID")
    category_name: Name = Field(default=None, alias="category")
    hierarchy: Path = None
    hierarchy_ids: Path = Field(default=None, alias="hierarchyID")
    impressed: Ids = Field(default=None, alias="impressedProducts")
    results: Count = None
    basket: BasketLines | None = Field(default=None, alias="basketItems")
    basket_total: Amount | None = Field(default=None, alias="basketTotal")
    currency: Currency | None = None
    query: Annotated[str, StringConstraints(max_length=512)] | None = None
    transaction: Transaction | None = None


class BasketChange(InputModel):
    """A change of a basket's line. Without `quantity` it adds one piece, or removes the line."""

    item: Id = Field(alias="itemID")
    quantity: Amount | None = None
    price: Amount | None = None
    category: Id | None = Field(default=None, alias="categoryID")
    currency: Currency | None = None


class Purchase(InputModel):
    """An order's data, flat, or in `transaction` as in the data layer."""

    id: Id | None = None
    items: OrderLines = []
    revenue: Amount | None = None
    shipping: Amount | None = None
    tax: Amount | None = None
    currency: Currency | None = None

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        order = data.get("transaction")
        flat = {**order, **data} if isinstance(order, dict) else dict(data)
        if "basketItems" in flat:
            flat.setdefault("items", flat["basketItems"])
        return flat


class Identify(InputModel):
    login: Login | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _has_login_or_email(self) -> Identify:
        if self.login is None and self.email is None:
            raise PydanticCustomError("nobody", "must have a login or an email")
        return self


class Logout(InputModel):
    """A logout; it has no data."""


EVENT_MODELS: dict[str, type[InputModel]] = {
    ONESIGNAL: OneSignalStatus,
    ONESIGNAL_WEBHOOK: Interaction,
    PAGEVIEW: Pageview,
    ADD_TO_BASKET: BasketChange,
    REMOVE_FROM_BASKET: BasketChange,
    PURCHASE: Purchase,
    IDENTIFY: Identify,
    LOGOUT: Logout,
}
