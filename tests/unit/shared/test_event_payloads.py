"""Data of events: what ingest publishes has the keys that readers are promised."""

from __future__ import annotations

from typing import Any, NotRequired, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from ingest_service.collect.event_schemas import EVENT_MODELS, Line, Transaction
from ingest_service.parsing.input_model import InputModel
from shared.errors import InvalidPayload
from shared.events.payloads import (
    ErasePayload,
    ImportPayload,
    LinePayload,
    StreamPayload,
    TransactionPayload,
    UndoMergePayload,
)
from shared.events.registry import ERASE, IMPORT, PAYLOAD_OF_TYPE, STREAM, UNDO_MERGE, payload_of
from tests.support.projector_doubles import event

# Fields that ingest adds to the received ones (docs/decisions/0046).
ADDED = {"identify": {"proven", "claimed"}}
WITHOUT_DATA = {"logout"}


def _keys(model: type[InputModel]) -> dict[str, bool]:
    """Return the keys on the topic, each with whether it is always there: None is left out."""
    return {
        field.alias or name: field.is_required() or field.default is not None
        for name, field in model.model_fields.items()
    }


def _promised(payload: type) -> dict[str, bool]:
    is_total = bool(getattr(payload, "__total__", True))
    hints = get_type_hints(payload, include_extras=True)  # `__required_keys__` can't read text
    return {name: is_total and get_origin(hint) is not NotRequired for name, hint in hints.items()}


@pytest.mark.parametrize("kind", sorted(EVENT_MODELS.keys() - WITHOUT_DATA))
def test_received_events_have_the_promised_keys(kind: str) -> None:
    promised = _promised(PAYLOAD_OF_TYPE[kind])
    added = dict.fromkeys(ADDED.get(kind, ()), False)
    assert _keys(EVENT_MODELS[kind]) | added == promised


@pytest.mark.parametrize(
    ("model", "payload"), [(Line, LinePayload), (Transaction, TransactionPayload)]
)
def test_what_lies_in_them_has_too(model: type[InputModel], payload: type) -> None:
    assert _keys(model) == _promised(payload)


def test_each_type_with_data_is_registered() -> None:
    own = {STREAM, IMPORT, ERASE, UNDO_MERGE}
    assert PAYLOAD_OF_TYPE.keys() == (EVENT_MODELS.keys() - WITHOUT_DATA) | own
    assert {kind for kind, p in PAYLOAD_OF_TYPE.items() if issubclass(p, BaseModel)} == own


def test_received_data_is_read_as_it_is() -> None:
    seen = event("pageview", "v", 1, itemID="shoe")
    assert payload_of(seen, PAYLOAD_OF_TYPE["pageview"]) is seen.data


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (IMPORT, {"playerID": "p", "status": "subscribed"}),
        (IMPORT, {"playerID": "", "status": "subscribed", "state": "subscribed"}),
        (ERASE, {"person": 7}),
        (UNDO_MERGE, {"merge": ["one"]}),
        (UNDO_MERGE, {"merge": ["one", ""]}),
    ],
)
def test_own_events_are_refused_without_what_they_mean(kind: str, data: dict[str, Any]) -> None:
    with pytest.raises(InvalidPayload):
        payload_of(event(kind, "v", 1, **data), PAYLOAD_OF_TYPE[kind])


def test_odd_optional_values_of_own_events_count_as_absent() -> None:
    erasure = event(ERASE, "v", 1, person="eva", players="p", aliases=[1, "a"], loginHash=7)
    payload = payload_of(erasure, ErasePayload)
    assert (payload.players, payload.aliases, payload.login_hash) == ([], ["a"], None)
    odd = event(STREAM, "v", 1).model_copy(update={"data": {"kind": []}})
    assert payload_of(odd, StreamPayload).kind is None


def test_own_events_name_only_what_was_given() -> None:
    imported = ImportPayload(player_id="p", status="subscribed", state="subscribed", undated=True)
    assert imported.data() == {
        "playerID": "p", "status": "subscribed", "state": "subscribed", "undated": True,
    }  # fmt: skip
    erased = ErasePayload(person="eva", login_hash=None)
    assert erased.data() == {"person": "eva", "loginHash": None}


def test_undone_merge_names_its_pair() -> None:
    assert UndoMergePayload(merge="m").pair == {"m"}
    assert UndoMergePayload(merge="m", person="eva").pair == {"m", "eva"}
    assert UndoMergePayload.model_validate({"merge": ["m", "eva"]}).pair == {"m", "eva"}


def test_own_data_is_validated_once_and_leaves_the_event_as_it_is() -> None:
    data = {"playerID": "p", "status": "web", "state": "subscribed"}
    one, other = event(IMPORT, "v", 1, **data), event(IMPORT, "v", 1, **data)
    assert payload_of(one, ImportPayload) is payload_of(one, ImportPayload)
    assert one == other and b"payloads" not in one.dump()
