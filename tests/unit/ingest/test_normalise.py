"""Loose shapes of shops (docs/persoo.md) and what they become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ingest_service.collect.event_schemas import EVENT_MODELS
from ingest_service.onesignal.subscription_status import read_status
from ingest_service.parsing.input_model import InputModel
from ingest_service.parsing.normalise import Amount, Id
from shared.names import PlayerId

ID: TypeAdapter[str] = TypeAdapter(Id)
AMOUNT: TypeAdapter[float] = TypeAdapter(Amount)
PLAYER: TypeAdapter[str] = TypeAdapter(PlayerId)
P = "11111111-1111-4111-8111-111111111111"


def code_of(adapter: TypeAdapter[Any] | type[InputModel], value: Any) -> str:
    check = adapter.validate_python if isinstance(adapter, TypeAdapter) else adapter.model_validate
    with pytest.raises(ValidationError) as caught:
        check(value)
    return str(caught.value.errors()[0]["type"])


@pytest.mark.parametrize("loose", ["'123'", '"123"', " 123 ", "123", 123, 123.0])
def test_ids_are_one_string(loose: Any) -> None:
    assert ID.validate_python(loose) == "123"


@pytest.mark.parametrize(
    "bad", [None, True, 1.5, 1e20, float(2**53), [], {}, "", "''", "a\x00b", "x" * 129]
)
def test_bad_ids_are_refused(bad: Any) -> None:
    assert code_of(ID, bad)


@pytest.mark.parametrize(
    ("loose", "number"),
    [
        ("12.50", 12.5),
        ("12,5", 12.5),
        ("1 299,00", 1299),
        ("1\u00a0299", 1299),
        (7, 7),
        (7.0, 7),
        ("1,234.50", 1234.5),
        ("1,234,567.5", 1234567.5),
        ("1.234,50", 1234.5),
    ],
)
def test_amounts_are_numbers(loose: Any, number: float) -> None:
    assert AMOUNT.validate_python(loose) == number


@pytest.mark.parametrize(
    "bad", ["2 99", "-1", -1, "1e5", "ten", "", None, True, float("inf"), 1e13]
)
def test_bad_amounts_are_refused(bad: Any) -> None:
    assert code_of(AMOUNT, bad)


def test_player_id_is_lower_case() -> None:
    assert PLAYER.validate_python(P.upper()) == P


def test_local_player_id_has_its_own_code() -> None:
    assert code_of(PLAYER, f"local-{P}") == "local_player_id"


@pytest.mark.parametrize(
    ("given", "status", "state", "reason"),
    [
        ("subscribed", "subscribed", "subscribed", None),
        (1, "subscribed", "subscribed", None),
        ("1", "subscribed", "subscribed", None),
        (17, "subscribed", "subscribed", None),
        ("optedOut", "optedOut", "unsubscribed", "opted_out"),
        (-2, "optedOut", "unsubscribed", "opted_out"),
        ("-2", "optedOut", "unsubscribed", "opted_out"),
        ("blocked", "blocked", "unsubscribed", "blocked"),
        (-10, "blocked", "unsubscribed", "not_subscribed"),
        (-21, "blocked", "unsubscribed", "permission_revoked"),
        (-22, "blocked", "unsubscribed", "subscription_revoked"),
        (-31, "optedOut", "unsubscribed", "disabled_by_api"),
        ("default", "default", "unsubscribed", "never_subscribed"),
        (0, "default", "unsubscribed", "never_subscribed"),
        (-77, "default", "unsubscribed", "unknown"),
    ],
)
def test_statuses_are_four(given: Any, status: str, state: str, reason: str | None) -> None:
    found = read_status(given)
    assert found is not None
    assert (found.status, found.state, found.reason) == (status, state, reason)


@pytest.mark.parametrize("bad", ["Subscribed", "", None, True, 1.0, [], "1.0"])
def test_other_statuses_are_none(bad: Any) -> None:
    assert read_status(bad) is None


def dumped(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return EVENT_MODELS[kind].model_validate(data).model_dump(by_alias=True, exclude_none=True)


def test_plugins_pageview_is_normalised() -> None:
    loose = {
        "pageType": "basket",
        "basketItems": {"'123'": {"quantity": "2", "price": "199,90"}, "456": {"quantity": 1}},
        "basketTotal": "399.8",
        "currency": "czk",
        "impressedProducts": "['1','2']",
        "email": "eva@example.test",
    }
    assert dumped("pageview", loose) == {
        "pageType": "basket",
        "basketItems": [
            {"item": "123", "quantity": 2, "price": 199.9},
            {"item": "456", "quantity": 1},
        ],
        "basketTotal": 399.8,
        "currency": "CZK",
        "impressedProducts": ["1", "2"],
    }


@pytest.mark.parametrize(
    ("loose", "code"), [("Kč", "CZK"), (" € ", "EUR"), ("Ft.", "HUF"), ("usd", "USD")]
)
def test_signs_of_currencies_are_codes(loose: str, code: str) -> None:
    assert dumped("pageview", {"currency": loose}) == {"currency": code}


def test_purchase_may_come_as_the_data_layer_has_it() -> None:
    loose = {
        "transaction": {"id": 1001, "revenue": "99.5", "shipping": 0},
        "basketItems": {"'7'": {"quantity": 1, "price": 99.5}},
    }
    assert dumped("purchase", loose) == {
        "id": "1001",
        "items": [{"item": "7", "quantity": 1, "price": 99.5}],
        "revenue": 99.5,
        "shipping": 0,
    }


def test_purchase_may_list_its_items() -> None:
    found = dumped("purchase", {"id": "o1", "items": [{"itemID": 7, "quantity": 2}]})
    assert found == {"id": "o1", "items": [{"item": "7", "quantity": 2}]}


def test_status_number_becomes_a_name() -> None:
    found = dumped("oneSignal", {"playerID": P, "status": -2, "permission": "granted"})
    assert found == {
        "playerID": P,
        "status": "optedOut",
        "permission": "granted",
        "state": "unsubscribed",
        "reason": "opted_out",
    }


def test_state_cannot_be_claimed() -> None:
    found = dumped("oneSignal", {"playerID": P, "status": 0, "state": "subscribed"})
    assert found["state"] == "unsubscribed"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("oneSignal", {"playerID": P}),
        ("oneSignal", {"status": 1}),
        ("oneSignal", {"playerID": P, "status": "maybe"}),
        ("oneSignalWebhook", {"kind": "view", "notificationId": P, "playerID": P}),
        ("identify", {}),
        ("identify", {"email": "nobody"}),
        ("identify", {"login": ""}),
        ("addToBasket", {}),
        ("pageview", {"basketItems": "['1']"}),
        ("pageview", {"basketItems": {"1": 2}}),
        ("pageview", {"currency": "crowns"}),
    ],
)
def test_known_types_are_strict(kind: str, data: dict[str, Any]) -> None:
    assert code_of(EVENT_MODELS[kind], data)


def test_identity_is_cleaned() -> None:
    found = dumped("identify", {"login": 42, "email": " Eva@Example.TEST ", "phone": "1"})
    assert found == {"login": "42", "email": "eva@example.test"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["playerID", "status", "basketItems", "transaction", "items", "itemID", "login", "email", "id"]
)


@given(st.sampled_from(sorted(EVENT_MODELS)), st.dictionaries(FIELDS, ANYTHING, max_size=4))
def test_any_data_is_taken_or_refused(kind: str, data: dict[str, Any]) -> None:
    try:
        once = dumped(kind, data)
    except ValidationError:
        return
    assert dumped(kind, once) == once  # what is normal stays as it is
