"""Names that follow from what they name: these values are on the wire and in stores, they may not move."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import (
    SLOTS,
    dead_letter_id,
    derived_id,
    idempotency_key,
    is_uuid,
    slot_of,
    stable_fraction,
)
from shared.kafka.client import partition_of

SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"


def test_idempotency_key_is_the_pinned_uuid5() -> None:
    expected = str(uuid.uuid5(uuid.UUID(SEND), "3.7:1"))
    assert idempotency_key(SEND, 3, "7", 1) == expected
    assert expected == "9ceae6a4-126e-598e-8011-34beb091306e"


def test_each_part_of_the_name_makes_another_key() -> None:
    keys = {
        idempotency_key(SEND, 3, "7", 1), idempotency_key(SEND, 3, "7", 2),
        idempotency_key(SEND, 3, "7.1", 1), idempotency_key(SEND, 3, "71", 1),
        idempotency_key(SEND, 37, "", 1), idempotency_key(str(uuid.uuid4()), 3, "7", 1),
    }  # fmt: skip
    assert len(keys) == 6


@given(st.text())
def test_slot_is_in_range_and_stable(person: str) -> None:
    assert 0 <= slot_of(person) < SLOTS
    assert slot_of(person) == slot_of(person)


def test_slots_are_spread() -> None:
    used = {slot_of(f"person-{i}") for i in range(40_000)}
    assert len(used) > SLOTS * 0.99


def test_shares_are_uniform() -> None:
    shares = [stable_fraction("holdout", "demo", f"person-{i}") for i in range(20_000)]
    assert all(0 <= share < 1 for share in shares)
    for tenth in range(10):
        inside = sum(tenth / 10 <= share < (tenth + 1) / 10 for share in shares)
        assert 1_800 < inside < 2_200


def test_purposes_are_independent() -> None:
    both = sum(stable_fraction("holdout", f"p{i}") < 0.5 and stable_fraction("variant", f"p{i}") < 0.5
               for i in range(10_000))  # fmt: skip
    assert 2_300 < both < 2_700


def test_parts_do_not_run_together() -> None:
    assert stable_fraction("ab", "c") != stable_fraction("a", "bc")
    assert derived_id("ab", "c") != derived_id("a", "bc")


def test_dead_letter_is_named_by_log_and_place() -> None:
    here = dead_letter_id("log-1", "carillon.events", 0, 5)
    assert here == dead_letter_id("log-1", "carillon.events", 0, 5)
    others = {dead_letter_id("log-2", "carillon.events", 0, 5),
              dead_letter_id("log-1", "carillon.triggers", 0, 5),
              dead_letter_id("log-1", "carillon.events", 1, 5),
              dead_letter_id("log-1", "carillon.events", 0, 6)}  # fmt: skip
    assert here not in others and len(others) == 4


@pytest.mark.parametrize("text", [SEND, SEND.upper(), "1dd608f2-c6a1-11e3-851d-000c2940e62c"])
def test_uuid_of_any_version_is_one(text: str) -> None:
    assert is_uuid(text)


@pytest.mark.parametrize(
    "text", [None, 5, "", SEND[:-1], SEND + "\n", SEND.replace("-", ""), f"{{{SEND}}}"]
)
def test_anything_else_is_no_uuid(text: object) -> None:
    assert not is_uuid(text)


@pytest.mark.parametrize(
    ("key", "hashed"),
    # org.apache.kafka.common.utils.UtilsTest.testMurmur2
    [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536),
     ("a-little-bit-longer-string", -1486304829), ("abc", 479470107),
     ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)],
)  # fmt: skip
def test_partitions_are_those_of_the_java_client(key: str, hashed: int) -> None:
    for partitions in (1, 3, 6, 12):
        assert partition_of(key.encode(), partitions) == (hashed & 0x7FFFFFFF) % partitions
