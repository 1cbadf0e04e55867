"""Value of `carillon.moments`: what one batch of events shows about a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, Field

from shared.models.facts import KINDS, Fact
from shared.models.wire import Moment, Wire


def _known_facts(facts: Any) -> Any:
    """Return the facts without those of kinds that a projector of a later version may write."""
    if not isinstance(facts, list):
        return facts
    return [fact for fact in facts if not _is_unknown(fact)]


def _is_unknown(fact: Any) -> bool:
    kind = fact.get("kind") if isinstance(fact, dict) else None
    return isinstance(kind, str) and kind not in KINDS


KnownFact = Annotated[Fact, Field(discriminator="kind")]


class PersonMoment(Wire):
    """Facts about a person from one batch of events; maybe none: then it was only seen. Key: the person.

    The person's profile is stored before, so a reader finds one at least as new. `seenAt`, `zone` and
    `subscribed`, which counts players, are the profile's; where none is left `seenAt` is absent.
    """

    v: Literal[1] = 1
    app: str
    person: str
    seen_at: Moment | None = None
    zone: str | None = None
    subscribed: int = 0
    facts: Annotated[list[KnownFact], BeforeValidator(_known_facts)] = []


def dump_moment(
    app: str,
    person: str,
    facts: Sequence[Fact],
    *,
    seen_at: datetime | None,
    zone: str | None,
    subscribed: int,
) -> bytes:
    """Return the JSON of a PersonMoment that isn't made as one: validating it costs the most."""
    moment = {
        "v": 1, "app": app, "person": person, "seenAt": seen_at, "zone": zone,
        "subscribed": subscribed, "facts": facts,
    }  # fmt: skip
    return orjson.dumps(moment, option=orjson.OPT_UTC_Z)
