"""A variant's texts, as a person reads them."""

from __future__ import annotations

from typing import Any

from sender_service.models.campaign import Variant
from sender_service.models.push import Push
from sender_service.planner.rendering import Renderer
from tests.support.builders import profile, variant


def variant_of(**fields: Any) -> Variant:
    return Variant.model_validate(variant(**fields))


def push_of(of: Variant, language: str | None = "en", shared: Any = None, **own: Any) -> Push:
    return Renderer(shared or {}).render(of, profile("p", language=language), own)


def content_of(texts: dict[str, str], language: str | None) -> str:
    return push_of(variant_of(contents=texts), language).text
