"""A campaign: an offer in the location `PushNotificationLocation`, its texts and its policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from sender_service.models.policy import Policy
from sender_service.models.push import MAX_PUSH_BYTES, Push, PushButton, push_size
from sender_service.models.push_texts import MAX_PREVIEW_TEXT, check_link, check_text
from sender_service.models.templates import check_template, is_template
from shared.models.sentences import text_like
from shared.models.wire import Storable, Wire

MAX_DATA_BYTES = 1_500  # a provider takes 2,048 with our tag in it
MAX_DATA_DEPTH = 6  # a webhook brings it back inside its own, of which ingest reads eight levels
MAX_SOURCES = 200_000  # characters of all texts together: compiling takes 20 µs for each
# The context in which what is stored is read: it was checked by the rules of its day, and checking it
# anew takes longer than to plan with it. Rendering has bounds of its own.
STORED = {"stored": True}
MAX_TEMPLATE = 2_000  # characters of one text, as it is written
MAX_TEXTS = 1_000  # of all variants, in all languages

LINK_OR_TEMPLATE = "|".join(
    [r"^http://[^\s/?#\[\]]+([/?#]\S*)?$", r"^https://[^\s/?#\[\]]+([/?#]\S*)?$", r"\{[{%#]"]
)
# A language, then perhaps its script, its region and a variant.
LANGUAGE_PATTERN = r"^[a-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{4,8})?$"
LINK_IS = "an http(s) URL, or a Jinja2 template that renders to one"
TEXT_IS = f"at most {MAX_PREVIEW_TEXT} characters, or a Jinja2 template that renders to that"


def _depth_of(value: Any) -> int:
    """Count the objects and lists within each other."""
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth_of, inner), default=0)


def _written(source: str | None) -> str:
    """Return the source if it isn't a template, else an empty text."""
    return "" if source is None or is_template(source) else source


def _longest(sources: Iterable[str]) -> str:
    return max(map(_written, sources), key=len, default="")


def _unless_template(check: Callable[[str], str]) -> AfterValidator:
    """Return a validator that checks plain texts now; templates are checked when rendered."""

    def check_plain(source: str, info: ValidationInfo) -> str:
        if not is_template(source) and info.context is not STORED:
            check(source)
        return source

    return AfterValidator(check_plain)


def _check_source(source: str, info: ValidationInfo) -> str:
    return source if info.context is STORED else check_template(source)


Template = Annotated[str, StringConstraints(max_length=MAX_TEMPLATE), AfterValidator(_check_source)]
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
Language = Annotated[
    str, text_like(LANGUAGE_PATTERN, "must be a language, as en, cs, pt-BR or zh-Hant-HK")
]


def _one_of_each(texts: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    if len({name.lower() for name in texts}) != len(texts) and info.context is not STORED:
        raise ValueError("two languages differ in their capitals only, as pt-BR and pt-br do")
    return texts


Texts = Annotated[
    dict[Language, Text],
    AfterValidator(_one_of_each),
    Field(
        json_schema_extra={"required": ["en"], "additionalProperties": False},
        description="by language; `en` is for the others",
    ),
]

ShortId = Annotated[
    str,
    text_like(
        r"^[A-Za-z0-9_-]{1,32}$", "must have 1 to 32 letters, digits, or any of _ -, as blue"
    ),
]


class Button(Wire):
    id: ShortId
    text: Text
    url: Link | None = None
    icon: Link | None = None


class Variant(Wire):
    """A variant of a campaign. `contents` has at least `en`, the fallback of missing languages."""

    id: ShortId
    weight: float = Field(default=1, ge=0, le=1_000)
    headings: Texts
    contents: Texts
    url: Link
    icon: Link | None = None
    image: Link | None = None
    buttons: list[Button] = Field(default=[], max_length=2)
    data: Storable = {}

    def sources(self) -> Iterator[str]:
        """Yield every rendered text of the variant, in all languages."""
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
    def _light(self, info: ValidationInfo) -> Self:
        """Check the push's size without its templates. Raises ValueError."""
        if info.context is STORED:
            return self
        push = Push(
            title=_longest(self.headings.values()),
            text=_longest(self.contents.values()),
            url=_written(self.url),
            icon=self.icon and _written(self.icon),
            image=self.image and _written(self.image),
            buttons=tuple(
                PushButton(b.id, _written(b.text), *(p and _written(p) for p in (b.url, b.icon)))
                for b in self.buttons
            ),
            data=self.data,
        )
        if (size := push_size(push)) > MAX_PUSH_BYTES:
            raise ValueError(f"a push has {size} bytes: at most {MAX_PUSH_BYTES} are delivered")
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


def texts_in(value: Any) -> list[str]:
    """Return all templates of an unvalidated body. Raises ValueError for too many."""
    found: list[str] = []
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and len(one) <= MAX_TEMPLATE and is_template(one):
            found.append(one)  # a longer one is refused by its length, before it is compiled
        elif isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
    if len(found) > MAX_TEXTS or sum(map(len, found)) > MAX_SOURCES:
        raise ValueError(
            f"variants: at most {MAX_TEXTS} texts with {MAX_SOURCES} characters together"
        )
    return found


class CampaignBody(Wire):
    """The body of `PUT` for a campaign."""

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
        """Return a campaign as it is stored."""
        return cls.model_validate(document, context=STORED)

    def sources(self) -> list[str]:
        """Return every rendered text of all variants."""
        return [source for variant in self.variants for source in variant.sources()]
