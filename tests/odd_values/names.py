"""Ids of things and of players as shops and tools write them; None: refused, or left out."""

from __future__ import annotations

from typing import Any

P = "11111111-1111-4111-8111-aaaaaaaaaaaa"
# What scripts and templates write where they have no value: of an id, an address, a zone, a language.
NO_VALUES = [
    "undefined", "Undefined", "'undefined'", " undefined ", "null", "NULL", "nan", "NaN", "none", "None",
    "nil", "(null)", "(none)", "(not set)", "[object Object]", "[object Window]", "{{ id }}", "{{id}}",
    "u-{{ id }}", "${id}", "{% if x %}", "<%= id %>",
    "[]", "{}", "#{id}", "<?= $id ?>", "%{id}", "*|ID|*",
]  # fmt: skip
ITEM_IDS: list[tuple[Any, str | None]] = [
    ("1", "1"), (1, "1"), (1.0, "1"), (0, "0"), ("0", "0"), (-1, "-1"), ("007", "007"), (" a ", "a"),
    ("'1'", "1"), ('"1"', "1"), ("'1", "'1"), ("a b", "a b"), ("a/b", "a/b"), ("SKU-1/ř", "SKU-1/ř"),
    ("🔔", "🔔"), ("x" * 128, "x" * 128), ("x" * 129, None), (2**53 - 1, "9007199254740991"),
    (2**60, "1152921504606846976"), (1e15, "1000000000000000"), (1e20, None), (1.5, None), (True, None),
    (False, None), ({}, None), ({"id": 1}, None), ([], None), ("a\nb", None), ("a\x00b", None),
    ("\x7fa", None), ("gid://shopify/Product/1", "gid://shopify/Product/1"), ("1.0", "1.0"),
    ("\u00a01", "1"), ("unknown", "unknown"), ("-", "-"), ("empty", "empty"), ("undefined1", "undefined1"),
    ("null-1", "null-1"), ("nanny", "nanny"), ("N/A", "N/A"), ("[x]", "[x]"), ("(x)", "(x)"),
    *((text, None) for text in NO_VALUES),
]  # fmt: skip
PLAYERS: list[tuple[Any, str | None]] = [
    (P, P), (P.upper(), P), ("1dd608f2-c6a1-11e3-851d-000c2940e62c",) * 2, (f"local-{P}", None),
    ("local-1", None), (P.replace("-", ""), None), (f"{{{P}}}", None), (f"urn:uuid:{P}", None),
    (P[:-1], None), (P + "0", None), (P + "\n", None), ("g" + P[1:], None), (1, None), (True, None),
    (None, None), ([], None), ("undefined", None), ("", None), ("１" * 8 + P[8:], None),
]  # fmt: skip
NIL_PLAYER = "00000000-0000-0000-0000-000000000000"
# Whole ids of persons: what a list takes. A search takes any text, and finds nobody.
_PERSON = "5f0c1d9b6a3e4f7d8c2b1a0e9d8c7b6a"
PERSONS: list[tuple[Any, str | None]] = [
    (_PERSON, _PERSON), (f" '{_PERSON}'\n", _PERSON), (_PERSON.upper(), None), (_PERSON[:8], None),
    (f"{_PERSON}0", None), (P, None), ("undefined", None), ("", None), (5, None), (True, None),
    (None, None), ({}, None), ("erased-5f0c1d9b6a3e4f7d", None),
]  # fmt: skip
# Of Carillon's own; numbers and quotes are read as of other names where people write them.
VISITORS: list[tuple[Any, str | None]] = [
    ("v", "v"), ("os:" + P, "os:" + P), ("a-b_c.d:e", "a-b_c.d:e"), ("x" * 64, "x" * 64),
    ("1", "1"), ("00", "00"), ("x" * 65, None), ("a b", None), ("a/b", None), ("ř", None), ("", None),
    ("undefined", None), ("NULL", None), ("0", None), ("nan", None), ("-1", None), ("{{id}}", None),
    ("[object Object]", None), ("a\n", None), (True, None), (None, None), ({}, None), (1.5, None),
]  # fmt: skip
