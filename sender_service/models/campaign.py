"""A campaign: an offer in the location `PushNotificationLocation`, its texts and its policy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import orjson
from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from sender_service.models.policy import Policy
from sender_service.models.templates import check_template, is_template
from shared.models.wire import Storable, Wire

MAX_TEXT = 200  # characters; browsers cut sooner (PERSOO.md)
MAX_DATA_BYTES = 1_500  # OneSignal takes 2,048 with our tag in it

MAX_DATA_DEPTH = 6  # a webhook brings it back inside its own, of which ingest reads eight levels
MAX_SOURCES = 200_000  # characters of all texts together: compiling takes 20 µs for each
# The context in which what is stored is read: it was checked by the rules of its day, and checking it
# anew takes longer than to plan with it. Rendering has bounds of its own.
STORED = {"stored": True}

MAX_LINK = 2_000
LINK_OR_TEMPLATE = "|".join(
    [r"^http://[^\s/?#\[\]]+([/?#]\S*)?$", r"^https://[^\s/?#\[\]]+([/?#]\S*)?$", r"\{[{%#]"]
)
LINK_IS = "an http(s) URL, or a Jinja2 template that renders to one"
TEXT_IS = f"at most {MAX_TEXT} characters, or a Jinja2 template that renders to that"


# Tabs and ends of lines are blanks; blanks that keep a number and its unit together stay.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_BLANKS = re.compile(r"[^\S\u00a0\u202f]+")
_NOT_IN_LINKS = re.compile(r"[\s\x00-\x20\x7f-\x9f]")
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and a pattern without any ink


def check_text(text: str) -> str:
    """Return it as it is shown. Raises ValueError."""
    if _CONTROL.search(text):
        raise ValueError("a text has a control character in it")
    text = _BLANKS.sub(" ", text).strip(" ")
    if not any(map(_is_visible, text)):
        raise ValueError("a text is empty")
    if len(text) > MAX_TEXT:
        raise ValueError(f"a text has more than {MAX_TEXT} characters")
    return _whole(text)


def _is_visible(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind[0] not in "CZ" and character not in _FILLERS


def check_link(link: str) -> str:
    """Return it as it is followed. Raises ValueError."""
    link = link.strip()
    if _NOT_IN_LINKS.search(link):
        raise ValueError("a link has a blank or a control character in it")
    if not _is_http(link) or len(link) > MAX_LINK:
        raise ValueError("a link is not an http(s) URL")
    return _whole(link)


def _is_http(link: str) -> bool:
    try:
        parts = urlsplit(link)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a bracket without its other, or a port above 65535
        return False
    if parts.scheme not in ("http", "https") or port == 0:
        return False
    if host in ("http", "https") and parts.path.startswith("//"):  # a second scheme
        return False
    labels = host.removesuffix(".").split(".")
    return all(any(map(str.isalnum, label)) for label in labels) or ":" in host


def _whole(text: str) -> str:
    """A template can write half a character (`"\\ud800"`), which no JSON can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text has half a character in it") from None
    return text


def _depth_of(value: Any) -> int:
    """Count the objects and lists within each other."""
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth_of, inner), default=0)


def _unless_template(check: Callable[[str], str]) -> AfterValidator:
    """What is written out is checked now, what is rendered then. Kept as it was written."""

    def judge(source: str, info: ValidationInfo) -> str:
        if not is_template(source) and info.context is not STORED:
            check(source)
        return source

    return AfterValidator(judge)


def _check_source(source: str, info: ValidationInfo) -> str:
    return source if info.context is STORED else check_template(source)


Template = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_check_source)]
Text = Annotated[
    Template,
    _unless_template(check_text),
    Field(json_schema_extra={"pattern": r"\S"}, description=TEXT_IS),
]
Link = Annotated[
    Template,
    _unless_template(check_link),
    Field(json_schema_extra={"pattern": LINK_OR_TEMPLATE}, description=LINK_IS),
]
Texts = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Za-z]{2,4})?$")], Text],
    Field(
        json_schema_extra={"required": ["en"], "additionalProperties": False},
        description="by language; `en` is for the others",
    ),
]


class Button(Wire):
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    text: Text
    url: Link | None = None
    icon: Link | None = None


class Variant(Wire):
    """`contents` has at least `en`: what a language is missing falls back to it."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    weight: float = Field(default=1, ge=0, le=1_000)
    headings: Texts
    contents: Texts
    url: Link
    icon: Link | None = None
    image: Link | None = None
    buttons: list[Button] = Field(default=[], max_length=2)
    data: Storable = {}

    def sources(self) -> Iterator[str]:
        """Everything that is rendered, in all languages."""
        yield from self.headings.values()
        yield from self.contents.values()
        links = (self.url, self.icon, self.image)
        yield from (link for link in links if link)
        for button in self.buttons:
            yield from (source for source in (button.text, button.url, button.icon) if source)

    @model_validator(mode="after")
    def _shallow(self, info: ValidationInfo) -> Self:
        if info.context is not STORED and _depth_of(self.data) > MAX_DATA_DEPTH:
            raise ValueError(f"data is nested at most {MAX_DATA_DEPTH} objects deep")
        return self

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
    def _short(self, info: ValidationInfo) -> Self:
        length = sum(len(source) for variant in self.variants for source in variant.sources())
        if length > MAX_SOURCES and info.context is not STORED:
            raise ValueError(f"variants: all texts together have at most {MAX_SOURCES} characters")
        return self

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

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> Self:
        """A campaign out of the database."""
        return cls.model_validate(document, context=STORED)

    def sources(self) -> list[str]:
        """Everything that is rendered, of all variants."""
        return [source for variant in self.variants for source in variant.sources()]
