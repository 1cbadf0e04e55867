"""The tables of tests/odd_values through ingest's own rules; tests/browser has the snippet's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ingest_service.collect.event_schemas import Identify
from ingest_service.parsing.field_notes import FieldNotes, validate_leniently
from ingest_service.parsing.normalise import Amount
from shared.identity_values import PATTERN, is_placeholder
from shared.names import Login
from tests.odd_values.amounts import AMOUNTS
from tests.odd_values.identity import BAD, EMAILS, LOGINS, NOBODY, VISITORS

AMOUNT: TypeAdapter[float] = TypeAdapter(Amount)
LOGIN: TypeAdapter[str] = TypeAdapter(Login)


def read(adapter: TypeAdapter[Any], value: Any) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


@pytest.mark.parametrize(("given", "amount"), AMOUNTS)
def test_f24_amounts_as_people_write_them(given: Any, amount: float | None) -> None:
    assert read(AMOUNT, given) == amount


@pytest.mark.parametrize(("given", "login"), LOGINS)
def test_f01_logins(given: Any, login: str | None) -> None:
    text = read(LOGIN, given)
    if login == NOBODY:
        assert text is not None and is_placeholder(text)
    elif login in (BAD, None):
        assert text is None
    else:
        assert text == login and not is_placeholder(text)


@pytest.mark.parametrize(("given", "email"), EMAILS)
def test_f01_emails(given: Any, email: str | None) -> None:
    notes = FieldNotes()
    data = {"login": "eva", "email": given}
    read = validate_leniently(Identify, data, notes, needed=frozenset({"login"}), prefix="data.")
    is_good = email is not None and "@" in email
    assert read.email == (email if is_good else None)
    codes = [note.code for note in notes.found]
    assert ("placeholder_email" in codes) == (email == "placeholder_email")


@pytest.mark.parametrize(("visitor", "is_one"), VISITORS)
def test_f01_visitors(visitor: str, is_one: bool) -> None:
    assert is_placeholder(visitor) is not is_one


def test_f01_the_browsers_pattern_is_the_same_list() -> None:
    pattern = re.compile(PATTERN)
    texts = [str(given).strip().strip("'\"\ufeff").strip() for given, _ in (*LOGINS, *EMAILS)]
    for text in filter(None, texts):
        assert bool(pattern.search(text.lower())) == is_placeholder(text), text
