"""A campaign's variant becomes OneSignal's content fields, in a person's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from sender_service.models.campaign import Texts, Variant, check_link, check_text
from sender_service.models.templates import PROFILE, render, variables_of
from shared.errors import Rejected

Body = dict[str, Any]
MEMO_LIMIT = 10_000


class Renderer:
    """Renders each distinct (variant, language, variables) once, as far as texts don't ask for the
    profile."""

    def __init__(self, shared: Mapping[str, Any]) -> None:
        self._shared = dict(shared)
        self._memo: dict[bytes, Body | Rejected] = {}

    def body(self, variant: Variant, profile: Mapping[str, Any], own: Mapping[str, Any]) -> Body:
        """Raises Rejected (bad_variables)."""
        if self.reads_profile(variant):
            return self._render(variant, profile, own)
        language = str(profile.get("language") or "en")
        key = orjson.dumps([variant.id, language, own], option=orjson.OPT_SORT_KEYS, default=str)
        known = self._memo.get(key)
        if known is None:
            try:
                known = self._render(variant, profile, own)
            except Rejected as exc:
                known = exc
            if len(self._memo) < MEMO_LIMIT:
                self._memo[key] = known
        if isinstance(known, Rejected):
            raise known
        return known

    @staticmethod
    def reads_profile(variant: Variant) -> bool:
        """Return whether its texts say what only the person is to know."""
        return any(PROFILE in variables_of(source) for source in _sources(variant))

    def _render(self, variant: Variant, profile: Mapping[str, Any], own: Mapping[str, Any]) -> Body:
        context = {**self._shared, **own, PROFILE: _visible(profile)}
        language = str(profile.get("language") or "en")
        body: Body = {
            "headings": {"en": _text(pick(variant.headings, language), context)},
            "contents": {"en": _text(pick(variant.contents, language), context)},
            "url": _url(variant.url, context),
            "data": variant.data,
        }
        if variant.icon:
            icon = _url(variant.icon, context)
            body |= {"chrome_web_icon": icon, "firefox_icon": icon}
        if variant.image:
            body["chrome_web_image"] = _url(variant.image, context)
        if variant.buttons:
            body["web_buttons"] = [
                {
                    "id": b.id,
                    "text": _text(b.text, context),
                    **({"url": _url(b.url, context)} if b.url else {}),
                    **({"icon": _url(b.icon, context)} if b.icon else {}),
                }
                for b in variant.buttons
            ]
        return body


def pick(texts: Texts, language: str) -> str:
    """The text for `de-AT`: `de-AT`, else `de`, else `en`."""
    return texts.get(language) or texts.get(language.split("-")[0].lower()) or texts["en"]


def _visible(profile: Mapping[str, Any]) -> dict[str, Any]:
    """What a template may see of a person."""
    fields = ("language", "timeZone", "viewed", "categories", "basket", "purchases", "db")
    return {field: profile.get(field) for field in fields}


def _sources(variant: Variant) -> Iterator[str]:
    yield from variant.headings.values()
    yield from variant.contents.values()
    yield variant.url
    for source in (variant.icon, variant.image):
        if source:
            yield source
    for button in variant.buttons:
        yield from (source for source in (button.text, button.url, button.icon) if source)


def _text(source: str, context: dict[str, Any]) -> str:
    return _checked(check_text, render(source, context))


def _url(source: str, context: dict[str, Any]) -> str:
    return _checked(check_link, render(source, context))


def _checked(check: Callable[[str], str], rendered: str) -> str:
    try:
        return check(rendered)
    except ValueError as exc:
        raise Rejected(str(exc), code="bad_variables") from exc
