"""Names that can be read but identify nobody, left out of triggers of known apps. Pure."""

from __future__ import annotations

from collections.abc import Collection

from sender_service.models.malformed import BadName, LeftOut, refuse_all, why_nobody
from sender_service.models.trigger import Audience, Terms, Trigger
from shared.errors import InvalidPayload

Address = tuple[str, str]


def without_nobody(
    trigger: Terms | InvalidPayload, allowed: Collection[str]
) -> Terms | InvalidPayload:
    """Return the trigger without names of nobody, or the error if no name is left.

    The digest was computed before: an app's later settings don't change it.
    """
    field, names = _listed(trigger)
    bad: dict[int, BadName] = {}
    malformed = trigger.malformed if isinstance(trigger, Trigger) else None
    for index, (kind, name) in enumerate(names):
        why = why_nobody(kind, name, allowed)
        if why is not None and isinstance(trigger, Trigger) and malformed is not None:
            bad[index] = BadName(trigger.place_of(index), *why)
            malformed = malformed.with_name(bad[index])
    if not bad or not isinstance(trigger, Trigger) or malformed is None:
        return trigger
    if len(bad) == len(names) and trigger.part is None:
        return refuse_all(LeftOut({}, malformed, field, is_empty=True))
    rest = trigger.model_copy(update=_without(trigger, bad))
    rest._malformed = malformed
    return rest


def _listed(trigger: Terms | InvalidPayload) -> tuple[str, list[Address]]:
    """Return the list's field and its names in order."""
    if not isinstance(trigger, Trigger):
        return "", []
    if trigger.recipients is not None:
        return "recipients", [recipient.address for recipient in trigger.recipients]
    for field in ("logins", "visitors", "players"):
        names = getattr(trigger.audience, field)
        if names is not None:
            return f"audience.{field}", [(field[:-1], name) for name in names]
    return "", []


def _without(trigger: Trigger, bad: Collection[int]) -> dict[str, object]:
    """Return the changed fields of the trigger. An empty list becomes one of recipients."""
    if trigger.recipients is not None:
        kept = [r for index, r in enumerate(trigger.recipients) if index not in bad]
        return {"recipients": kept}
    assert isinstance(trigger.audience, Audience)
    field = next(f for f in ("logins", "visitors", "players") if getattr(trigger.audience, f))
    left = [n for i, n in enumerate(getattr(trigger.audience, field)) if i not in bad]
    if not left:
        return {"audience": None, "recipients": []}
    return {"audience": trigger.audience.model_copy(update={field: left})}
