"""Codec of entry rules: their classes, and `enter` of a stored scenario, which is `PUT`'s too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from pydantic.alias_generators import to_camel

from sender_service.models.scenario.entry_rules import (
    EntryRule,
    OnBackInStock,
    OnBasket,
    OnBought,
    OnCategory,
    OnDaily,
    OnEvent,
    OnIdentified,
    OnNewIn,
    OnOnce,
    OnPriceDrop,
    OnSegment,
    OnSubscribed,
    OnViewed,
)
from shared.mongo.client import Document

RULE_OF: Mapping[str, type[EntryRule]] = MappingProxyType(
    {
        "basket": OnBasket,
        "viewed": OnViewed,
        "category": OnCategory,
        "bought": OnBought,
        "identified": OnIdentified,
        "subscribed": OnSubscribed,
        "event": OnEvent,
        "daily": OnDaily,
        "once": OnOnce,
        "segment": OnSegment,
        "newIn": OnNewIn,
        "priceDrop": OnPriceDrop,
        "backInStock": OnBackInStock,
    }
)
_KIND_OF = {rule: kind for kind, rule in RULE_OF.items()}


def encode_entry(rule: EntryRule) -> Document:
    """Return `enter`, without parameters that have no value."""
    document: Document = {"on": _KIND_OF[type(rule)]}
    for field in fields(rule):
        value = getattr(rule, field.name)
        if value not in ((), None):
            document[to_camel(field.name)] = _encode(field.name, value)
    return document


def decode_entry(document: Document) -> EntryRule:
    """Return the rule of `enter`."""
    rule = RULE_OF[document["on"]]
    names = {to_camel(field.name): field.name for field in fields(rule)}
    given = {names[key]: _decode(key, value) for key, value in document.items() if key != "on"}
    return rule(**given)


def _encode(name: str, value: Any) -> Any:
    if isinstance(value, time):
        return encode_time(value)
    if isinstance(value, timedelta):
        return value.days
    if name == "where":
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _decode(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if key == "at":
        return value if isinstance(value, datetime) else time.fromisoformat(value)
    if key == "where":
        return tuple(sorted(value.items(), key=lambda pair: str(pair[0])))
    return timedelta(days=value) if key == "viewedWithin" else value


def encode_time(at: time) -> str:
    return at.isoformat("minutes")
