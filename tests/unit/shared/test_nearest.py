"""The nearest known name."""

from __future__ import annotations

import time

import pytest

from shared.nearest import did_you_mean, distance, is_near, nearest, suggest

TRIGGER = ("id", "app", "campaign", "priority", "variables", "sendAt", "expiresAt", "audience",
           "recipients", "part", "parts")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "meant"),
    [("sendat", "sendAt"), ("send_at", "sendAt"), ("sendAtt", "sendAt"), ("snedAt", "sendAt"),
     ("campain", "campaign"), ("variable", "variables"), ("expires-at", "expiresAt"),
     ("recipient", "recipients"), ("apps", "app"), ("nothingLikeIt", None), ("kind", None),
     ("", None), ("x" * 100_000, None)],
)  # fmt: skip
def test_n1_nearest_known_name_is_found(name: str, meant: str | None) -> None:
    assert nearest(name, TRIGGER) == meant


@pytest.mark.parametrize(
    ("name", "meant"),
    [("polcy", "policy"), ("hold_out", "holdout"), ("quietHour", "quietHours"),
     ("requird", "required"), ("loginhash", "loginHash"),
     ("CARILLON_MONGO_URI", "CARILLON_MONGO__URI"),
     ("CARILLON_KAFKA__BOOTSTRAP_SERVER", "CARILLON_KAFKA__BOOTSTRAP_SERVERS")],
)  # fmt: skip
def test_b6_and_n2_names_of_the_log_are_found(name: str, meant: str) -> None:
    known = [
        *("policy", "holdout", "quietHours", "required", "loginHash", "enabled", "name"),
        *("CARILLON_MONGO__URI", "CARILLON_MONGO__DATABASE", "CARILLON_KAFKA__BOOTSTRAP_SERVERS"),
    ]
    assert nearest(name, known) == meant


def test_f7_two_letters_are_near_and_three_are_not() -> None:
    assert is_near("sendat", "sendAt") and is_near("send_at", "sendAt")
    assert not is_near("whenToSendIt", "sendAt")
    assert not is_near("kind", "id") and is_near("ids", "id")


def test_distance_counts_slips() -> None:
    assert distance("abc", "abc", 2) == 0
    assert distance("abc", "acb", 2) == 1
    assert distance("abc", "xyz", 2) == 3
    assert distance("", "ab", 2) == 2


def test_question_is_asked_only_where_there_is_an_answer() -> None:
    assert did_you_mean("sendat", TRIGGER) == "; did you mean `sendAt`?"
    assert did_you_mean("weather", TRIGGER) == ""


def test_long_names_cost_nothing() -> None:
    began = time.monotonic()
    for _ in range(1_000):
        nearest("y" * 1_000_000, TRIGGER)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("known", "suggestion"),
    [
        ([], "; there is none yet"),
        (["demo", "shop"], "; did you mean `demo`?"),
        (["shop"], "; there is only shop"),
        (["b", "a"], "; there are a, b"),
        ([f"shop-{n:02}" for n in range(12)], ", shop-09 and 2 more"),
    ],
)
def test_c3_names_are_suggested_or_listed(known: list[str], suggestion: str) -> None:
    assert suggest("demmo", known).endswith(suggestion)
