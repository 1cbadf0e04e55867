"""Render a campaign's variant as a push in a person's language."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import orjson

from sender_service.models.campaign import Button, Campaign, Texts, Variant
from sender_service.models.formats import LANGUAGE, TIME_ZONE
from sender_service.models.languages import choose
from sender_service.models.metering import PUSH_STEPS, meter
from sender_service.models.push import MAX_PUSH_BYTES, Push, PushButton, push_size
from sender_service.models.push_texts import check_link, check_text
from sender_service.models.templates import (
    GLOBALS,
    PROFILE,
    compile_source,
    is_compiled,
    is_template,
    render_more,
    variables_of,
)
from shared.documents.profile import Profile
from shared.errors import Rejected
from shared.models.quiet_hours import zone_for

MEMO_BYTES = 4 * 1024 * 1024
MEMO_ENTRY_BYTES = 500  # of what Python needs beside the texts
LONG_KEY = 64
PROFILE_ONLY = frozenset({PROFILE})
PLANNED_SEND_STEPS = 20_000_000  # about two seconds
PERSON_STEPS = 5_000  # for each push of a send beyond: half a millisecond


async def compiling(campaign: Campaign) -> AsyncIterator[str]:
    """Compile the campaign's texts in a worker thread, one after another."""
    for source in campaign.sources():
        if not is_compiled(source):
            await asyncio.to_thread(compile_source, source)
            yield source


async def compile_short(campaign: Campaign, most: int) -> bool:
    """Compile a campaign's texts; return False where they have more than `most` characters left."""
    missing = sum(len(source) for source in campaign.sources() if not is_compiled(source))
    if 0 < missing <= most:
        async for _ in compiling(campaign):
            pass
    return missing <= most


class SendTooDear(Exception):
    """The send's texts take more rendering steps than a send may have."""


@dataclass
class Allowance:
    """Budget of rendering steps for all texts of one send."""

    base: int = PLANNED_SEND_STEPS
    each: int = PERSON_STEPS
    spent: int = 0
    pushes: int = 0

    def take(self, steps: int) -> None:
        """Count the steps. Raises SendTooDear."""
        self.spent += steps
        if self.spent > self.base + self.each * self.pushes:
            raise SendTooDear


@dataclass(frozen=True)
class _VariantNames:
    """Variables that a variant's texts use, with the values that are shared by all people."""

    # A send may have a million bytes of other variables, which aren't copied for each person.

    names: frozenset[str]
    shared: Mapping[str, Any]


class Renderer:
    """Renderer of a send's texts. Steps of a person, steps of the send and memory are bounded.

    Texts that don't read the profile are rendered once for each variant, language, time zone and
    variables.
    """

    def __init__(
        self,
        shared: Mapping[str, Any],
        allowance: Allowance | None = None,
        time_zone: str | None = None,
    ) -> None:
        """Set the shared variables. `time_zone`: for people whose own isn't known."""
        self._shared = dict(shared)
        self._zone = time_zone
        self._memo: dict[bytes, Push | Rejected] = {}
        self._memo_room = MEMO_BYTES
        self._names_by_variant: dict[str, _VariantNames] = {}
        self._left = PUSH_STEPS
        self.largest = 0  # bytes of a push
        self.allowance = allowance or Allowance()

    def begin_person(self) -> None:
        """Begin a person: all their pushes together may take the steps of one push."""
        self._left = PUSH_STEPS

    def render(self, variant: Variant, profile: Profile, own: Mapping[str, Any]) -> Push:
        """Return the rendered push. Raises Rejected (bad_variables), SendTooDear."""
        self.allowance.pushes += 1
        names = self._names_of(variant).names
        given = {name: own[name] for name in own.keys() & names} if own else own
        if PROFILE in names:
            return self._counted(variant, profile, given)
        language = str(profile.get("language") or "en")
        key = _key([variant.id, language, zone_for(profile.get("timeZone"), self._zone), given])
        known = self._memo.get(key)
        if known is None:
            is_whole = self._left == PUSH_STEPS  # else others may have room for what she has none
            try:
                known = self._counted(variant, profile, given)
            except Rejected as exc:  # without what it came from, which holds all that was rendered
                known = Rejected(exc.message, code=exc.code)
            if is_whole or not isinstance(known, Rejected):
                self._remember(key, known)
        if isinstance(known, Rejected):
            raise Rejected(known.message, code=known.code)
        return known

    def reads_profile(self, variant: Variant) -> bool:
        """Return whether the variant's texts read the profile, which is private to the person."""
        return self.reads(variant, PROFILE_ONLY)

    def reads(self, variant: Variant, names: frozenset[str]) -> bool:
        """Return whether the variant's texts use one of these variables."""
        return not names.isdisjoint(self._names_of(variant).names)

    def _names_of(self, variant: Variant) -> _VariantNames:
        known = self._names_by_variant.get(variant.id)
        if known is None:
            names = frozenset().union(*map(variables_of, variant.sources()))
            shared = {name: self._shared[name] for name in names & self._shared.keys()}
            known = self._names_by_variant[variant.id] = _VariantNames(names, {**GLOBALS, **shared})
        return known

    def _remember(self, key: bytes, known: Push | Rejected) -> None:
        size = MEMO_ENTRY_BYTES + len(key)
        size += 0 if isinstance(known, Rejected) else len(orjson.dumps(known))
        if size <= self._memo_room:
            self._memo_room -= size
            self._memo[key] = known

    def _counted(self, variant: Variant, profile: Profile, own: Mapping[str, Any]) -> Push:
        meter.start(self._left)
        try:
            return self._render(variant, profile, own)
        finally:
            self._left -= meter.spent
            self.allowance.take(meter.spent)

    def _render(self, variant: Variant, profile: Profile, own: Mapping[str, Any]) -> Push:
        context = {**self._names_of(variant).shared, **own, PROFILE: _visible(profile)}
        context[TIME_ZONE] = zone_for(profile.get("timeZone"), self._zone)
        language = str(profile.get("language") or "en")
        texts = _Texts(language, choose(variant.contents, language), context)
        push = Push(
            title=texts.chosen("headings", variant.headings),
            text=texts.chosen("contents", variant.contents),
            url=texts.link("url", variant.url),
            icon=texts.link("icon", variant.icon) if variant.icon else None,
            image=texts.link("image", variant.image) if variant.image else None,
            buttons=tuple(texts.button(n, b) for n, b in enumerate(variant.buttons)),
            data=variant.data,
        )
        size = push_size(push)
        if size > MAX_PUSH_BYTES:
            message = f"the push has {size} bytes: at most {MAX_PUSH_BYTES} are delivered"
            raise Rejected(message, code="bad_variables")
        self.largest = max(self.largest, size)
        return push


@dataclass(frozen=True)
class _Texts:
    """Renderer of a person's texts; an error names the field.

    Numbers in links and buttons are formatted in the language of the chosen content.
    """

    language: str
    chosen_content: str
    context: dict[str, Any]

    def chosen(self, field: str, texts: Texts) -> str:
        name = choose(texts, self.language)
        return self.text(f"{field}.{name}", texts[name], name)

    def text(self, field: str, source: str, language: str = "") -> str:
        return self._render(check_text, field, source, language)

    def link(self, field: str, source: str) -> str:
        return self._render(check_link, field, source, "")

    def button(self, number: int, button: Button) -> PushButton:
        at = f"buttons.{number}"
        return PushButton(
            id=button.id,
            text=self.text(f"{at}.text", button.text),
            url=self.link(f"{at}.url", button.url) if button.url else None,
            icon=self.link(f"{at}.icon", button.icon) if button.icon else None,
        )

    def _render(self, check: Callable[[str], str], field: str, source: str, language: str) -> str:
        try:
            if not is_template(source):
                return _written_out(check, source)
            self.context[LANGUAGE] = language or self.chosen_content
            return check(render_more(source, self.context))
        except ValueError as exc:
            raise Rejected(f"{field}: {exc}", code="bad_variables") from exc
        except Rejected as exc:
            raise Rejected(f"{field}, {exc.message}", code=exc.code) from exc


@lru_cache(maxsize=4_096)
def _written_out(check: Callable[[str], str], source: str) -> str:
    """Check a text without a template, once for all people."""
    return check(source)


def _visible(profile: Profile) -> dict[str, Any]:
    """Return the profile's fields that a template may read."""
    fields = ("language", "timeZone", "viewed", "categories", "basket", "purchases", "db")
    return {field: profile.get(field) for field in fields}


def _key(parts: list[Any]) -> bytes:
    key = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str)
    return key if len(key) <= LONG_KEY else blake2b(key, digest_size=16).digest()
