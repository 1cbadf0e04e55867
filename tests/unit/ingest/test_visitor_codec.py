"""A browser's document: as stored and back, with the names that other programs read."""

from __future__ import annotations

from typing import cast

import pytest

from ingest_service.projector.visitor import Epoch, Visitor
from ingest_service.projector.visitor_codec import decode_head, decode_visitor, encode_visitor
from shared.documents import visitor as documents
from tests.support.ops_events import erasure, undoing
from tests.support.projector_doubles import APP, ProjectorHarness, event, one_signal

PLAYER = "11111111-1111-4111-8111-111111111111"


async def _stored(steps: int) -> documents.Visitor:
    """Return a browser's document after the first steps of a history that has everything."""
    history = ProjectorHarness()
    eva = history.people.of_login(APP, "eva")
    anonymous = history.people.of_visitor(APP, "desk", "0")
    events = [
        event("pageview", "desk", 1, itemID="hat", categoryID="c"),
        one_signal("desk", 2, PLAYER),
        event("identify", "desk", 3, login="eva", email="eva@shop.test", proven=True),
        event("logout", "desk", 4),
        one_signal("desk", 5, PLAYER, "optedOut"),
        undoing("desk", 6, anonymous),
        event("identify", "desk", 7, login="adam"),
        erasure("desk", 8, history.people.of_login(APP, "adam")),
        event("pageview", "desk", 9),
        erasure("desk", 10, eva),
    ]
    for one in events[:steps]:
        await history.apply(one)
    (stored,) = history.store.kept["visitors"].values()
    return cast(documents.Visitor, stored)


@pytest.mark.parametrize("steps", range(1, 11))
async def test_document_stays_equal(steps: int) -> None:
    stored = await _stored(steps)
    assert encode_visitor(decode_visitor(stored)) == stored


async def test_stored_names_of_epochs() -> None:
    stored = await _stored(6)
    assert stored.keys() == {
        "_id", "app", "visitor", "rev", "epochs", "players", "statusHistory", "persons", "seenEvents",
        "seenBoundaries",
    }  # fmt: skip
    first, second, third = stored["epochs"]
    always = {"openedBy", "login", "anonymousId", "identifiedAt", "contribution", "proven"}
    assert second.keys() == third.keys() == always
    assert first.keys() == always | {"unmerged", "neverMergeWith"}
    assert first.get("unmerged", [])[0].keys() == {"person", "at", "event", "undone"}
    assert [epoch["login"] for epoch in stored["epochs"]] == [None, "eva", None]
    assert [epoch["proven"] for epoch in stored["epochs"]] == [False, True, False]


async def test_stored_names_of_an_erasure() -> None:
    stored = await _stored(8)
    assert stored.get("nextEpochFrom") == "desk-8"
    erased = stored.get("erased")
    assert erased is not None and erased.keys() == {"at", "event", "players", "persons"}
    assert erased["players"][0].keys() == {"id", "at", "event", "received", "offset", "proof"}


async def test_optional_fields_of_an_epoch() -> None:
    epoch = Epoch("0", "eva", None, None, {}, was_proven=True, never_merge_with=["adam"])
    visitor = Visitor("id", APP, None, epochs=[epoch])
    stored = encode_visitor(visitor)
    assert stored["epochs"][0].get("wasProven") is True
    assert stored["epochs"][0].get("neverMergeWith") == ["adam"]
    assert decode_visitor(stored) == visitor


async def test_head_has_no_large_fields() -> None:
    stored = await _stored(8)
    head = decode_head(stored)
    assert (head.id, head.visitor_id) == (stored["_id"], "desk")
    assert head.persons == stored["persons"] and head.next_epoch_from == "desk-8"
    assert len(head.epochs) == len(stored["epochs"])
    assert (head.players, head.status_history, head.seen_events, head.erased) == ([], {}, b"", None)
