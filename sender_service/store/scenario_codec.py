"""Codec of scenarios: a stored one's `body` is what `PUT` takes, with all defaults in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from pydantic import TypeAdapter

from sender_service.models.scenario.scenario import (
    MINUTE,
    After,
    Again,
    At,
    Choose,
    ItemFilter,
    OffInterval,
    Scenario,
    Step,
)
from sender_service.models.segment import Condition, Segment
from sender_service.models.segment_values import Range
from sender_service.store.entry_codec import decode_entry, encode_entry, encode_time
from shared.mongo.client import Document

_CONDITION: TypeAdapter[Condition] = TypeAdapter(Segment)
NO_BODY = None  # of a deleted scenario: its number stays, so that a new one goes on from it


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedScenario:
    """Version of a scenario that says no more than that it was deleted."""

    version: int
    off: tuple[OffInterval, ...]


def encode_body(scenario: Scenario) -> Document:
    """Return the body, without optional fields that have no value."""
    return {
        "name": scenario.name,
        "enabled": scenario.enabled,
        "priority": scenario.priority,
        "enter": encode_entry(scenario.entry),
        **_encode_condition("if", scenario.condition),
        "steps": [_encode_step(step) for step in scenario.steps],
        "until": list(scenario.until),
        "again": {"days": scenario.again.length.days, "from": scenario.again.since},
        "maxLate": scenario.max_late // MINUTE,
        "spread": scenario.spread // MINUTE,
    }


def decode_stored(document: Document) -> Scenario | DeletedScenario:
    if document["body"] is NO_BODY:
        return DeletedScenario(version=document["version"], off=decode_off(document["off"]))
    return decode_scenario(document)


def decode_scenario(document: Document) -> Scenario:
    """Return the scenario of a document with a body."""
    body = document["body"]
    again = body["again"]
    return Scenario(
        app=document["app"],
        id=document["id"],
        version=document["version"],
        name=body["name"],
        enabled=body["enabled"],
        priority=body["priority"],
        entry=decode_entry(body["enter"]),
        condition=_decode_condition(body.get("if")),
        steps=tuple(_decode_step(step) for step in body["steps"]),
        until=tuple(body["until"]),
        again=Again(length=timedelta(days=again["days"]), since=again["from"]),
        max_late=body["maxLate"] * MINUTE,
        spread=body["spread"] * MINUTE,
        off=decode_off(document["off"]),
        timed_since=document["timedSince"],
    )


def encode_off(off: tuple[OffInterval, ...]) -> list[Document]:
    return [{"from": interval.start, "to": interval.end} for interval in off]


def decode_off(off: list[Document]) -> tuple[OffInterval, ...]:
    return tuple(OffInterval(start=interval["from"], end=interval["to"]) for interval in off)


def _encode_step(step: Step) -> Document:
    return {
        "id": step.id,
        "campaign": step.campaign,
        **_encode_wait(step.wait),
        **_encode_condition("only", step.only),
        **({} if step.choose is None else {"choose": _encode_choose(step.choose)}),
    }


def _decode_step(document: Document) -> Step:
    choose = document.get("choose")
    return Step(
        id=document["id"],
        campaign=document["campaign"],
        wait=_decode_wait(document),
        only=_decode_condition(document.get("only")),
        choose=None if choose is None else _decode_choose(choose),
    )


def _encode_wait(wait: After | At) -> Document:
    if isinstance(wait, After):
        return {"after": {"minutes": wait.length // MINUTE, "of": wait.of}}
    return {"at": {"time": encode_time(wait.time), "days": wait.days, "zone": wait.zone}}


def _decode_wait(step: Document) -> After | At:
    if "after" in step:
        return After(length=step["after"]["minutes"] * MINUTE, of=step["after"]["of"])
    at = step["at"]
    return At(time=time.fromisoformat(at["time"]), days=at["days"], zone=at["zone"])


def _encode_choose(choose: Choose) -> Document:
    otherwise, within = choose.otherwise, choose.within
    document: Document = {"from": choose.source, "take": choose.take}
    if within is not None:
        document["in"] = list(within) if isinstance(within, tuple) else within
    if choose.where is not None:
        document["where"] = _encode_filter(choose.where)
    document["else"] = _encode_choose(otherwise) if isinstance(otherwise, Choose) else otherwise
    return document


def _decode_choose(document: Document) -> Choose:
    within, where, otherwise = document.get("in"), document.get("where"), document["else"]
    return Choose(
        source=document["from"],
        within=tuple(within) if isinstance(within, list) else within,
        where=None if where is None else _decode_filter(where),
        take=document["take"],
        otherwise=_decode_choose(otherwise) if isinstance(otherwise, dict) else otherwise,
    )


def _encode_filter(where: ItemFilter) -> Document:
    limits = {"price": where.price, "discountPercent": where.discount_percent}
    document: Document = {name: _dump(range) for name, range in limits.items() if range is not None}
    return {**document, "brand": list(where.brand)} if where.brand else document


def _decode_filter(document: Document) -> ItemFilter:
    limits = {name: document.get(name) for name in ("price", "discountPercent")}
    price, discount = (
        None if limit is None else Range.model_validate(limit) for limit in limits.values()
    )
    brand = tuple(document.get("brand", ()))
    return ItemFilter(price=price, discount_percent=discount, brand=brand)


def encode_segment(condition: Condition) -> dict[str, Any]:
    """Return the condition as a trigger's audience has it."""
    return _dump(condition)


def _encode_condition(name: str, condition: Condition | None) -> Document:
    return {} if condition is None else {name: _dump(condition)}


def _decode_condition(document: Document | None) -> Condition | None:
    return None if document is None else _CONDITION.validate_python(document)


def _dump(model: Condition | Range) -> dict[str, Any]:
    return model.model_dump(by_alias=True, exclude_none=True)
