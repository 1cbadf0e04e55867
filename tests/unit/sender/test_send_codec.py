"""Tests that sends come back from the store as they went in."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

from sender_service.models.malformed import BadName, Malformed
from sender_service.models.scenario.reference import ScenarioRef
from sender_service.models.send import Parts, Send, SendOverview, SendRow
from sender_service.store.send_codec import (
    OVERVIEW_FIELDS,
    ROW_FIELDS,
    decode_overview,
    decode_row,
    decode_send,
    encode_changes,
    encode_send,
)
from tests.support.clocks import START
from tests.support.sends import build_send

LIST = Parts(total=2, shared_digest="d", received={"1": "a"}, recipients=3, complete=False)
FULL = build_send(
    "0b6c2a1e", START, parts=LIST, trigger={"app": "demo"}, campaign_snapshot={"id": "c"},
    malformed={"0": Malformed(2, (BadName(7, "id_type", "must be text"),))},
    warnings=[{"field": "a"}], planner="p", begun=1, pages_at_begin=2, looks=3, pages=4, error="e",
    closed_at=START, sealed=True, rolled_up=True, test=True,
    sealed_at=START + timedelta(seconds=1),
    scenario=ScenarioRef(id="welcome", step="day", version=2),
)  # fmt: skip


def test_every_field_of_a_send_is_stored() -> None:
    for send in (FULL, build_send("0b6c2a1e", START)):
        assert decode_send(encode_send(send)) == send
    assert len(encode_send(FULL)) == len(fields(Send)) + 1  # the first characters of the id


def test_names_in_the_store_are_those_of_the_documents() -> None:
    document = encode_send(FULL)
    assert document["head"] == "0b6c2a"
    assert document["campaignSnapshot"] == {"id": "c"} and document["rolledUp"] is True
    assert document["parts"] == {
        "total": 2, "sharedDigest": "d", "received": {"1": "a"}, "recipients": 3, "complete": False,
    }  # fmt: skip


def test_malformed_names_are_stored_by_part() -> None:
    name = {"index": 7, "code": "id_type", "message": "must be text"}
    assert encode_send(FULL)["malformed"] == {"0": {"count": 2, "names": [name]}}


def test_optional_fields_are_left_out_where_they_mean_nothing() -> None:
    assert not {"test", "sealedAt", "scenario"} & encode_send(build_send("0b6c2a1e", START)).keys()


def test_partial_reads_need_only_what_they_read() -> None:
    document = encode_send(FULL)
    for query, decode, model in (
        (OVERVIEW_FIELDS, decode_overview, SendOverview),
        (ROW_FIELDS, decode_row, SendRow),
    ):
        read = decode({name: value for name, value in document.items() if name not in query})
        assert type(read) is model
        assert all(getattr(read, f.name) == getattr(FULL, f.name) for f in fields(model))


def test_changes_have_the_stored_names() -> None:
    changed = encode_changes({"pages_at_begin": 1, "looks": 2, "campaign_snapshot": {}})
    assert changed == {"pagesAtBegin": 1, "looks": 2, "campaignSnapshot": {}}
