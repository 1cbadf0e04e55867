"""Amounts as people write them: one table for ingest's rule (`Amount`) and the snippet's `number`.

Two things differ on purpose, and stand in no table. Of a list the snippet takes the first, as of all
words of a data layer, while ingest refuses it. And of a number below 1e-6, which JavaScript writes as
`1e-7`, the snippet takes nothing: no price is that small.
"""

from __future__ import annotations

from typing import Any

# None: left out, because it isn't one number, or is below none.
AMOUNTS: list[tuple[Any, float | None]] = [
    (0, 0), (7, 7), (1234.5, 1234.5), (7.0, 7), (0.1, 0.1), (1e12, 1e12), (1_000_000_000_001, None),
    (1e21, None), (-1, None), (-0.5, None), (True, None), (False, None), (None, None), ({}, None),
    ([], None), ("0", 0), ("00", 0), ("007", 7), ("12.50", 12.5), ("12,5", 12.5), ("12,50", 12.5),
    ("5,", 5), ("5.", 5), (".5", 0.5), (",5", 0.5), ("0,125", 0.125), ("1.249", 1.249),
    ("1,2345", 1.2345), ("1.23456789012", 1.23456789012), ("$.50", 0.5), ("$ .50", 0.5), ("Rs .5", 0.5),
    ("..5", None), (".", None), (",", None), ("-", None), ("1,234", 1234), ("$1,234", 1234),
    ("1,234.50", 1234.5), ("1,234,567", 1234567), ("1,234,567.5", 1234567.5), ("1.234,50", 1234.5),
    ("1.234.567", 1234567), ("1.234.567,89", 1234567.89), ("1.249,-", 1249), ("1.249,–", 1249),
    ("1249,-", 1249), ("500.-", 500), ("5,--", 5), ("500/-", 500), ("1,00,000", 100000),
    ("12,34,567.00", 1234567), ("1 249,50", 1249.5), ("1 299", 1299), ("1\u00a0299", 1299),
    ("1\u202f249,00", 1249), ("1 234 567,89", 1234567.89), ("1'249.50", 1249.5),
    ("CHF 1’249.50", 1249.5),
    ("1\u00a0249 Kč", 1249), ("12,50 €", 12.5), ("€12.50", 12.5), ("Rs. 500", 500), ("Rs.500", 500),
    ("Rs. 500.", 500), ("kr.1.249,00", 1249), ("1 249,- Kč", 1249), (" 5 ", 5), ("\ufeff5", 5),
    ("5 ks", 5), ("5%", 5), ("0 Kč", 0), ("1.000", 1), ("100.000", 100), ("10,000.00", 10000),
    ("1e3", None), ("1E3", None), ("1e-3", None), ("0x10", None), ("1_000", None), ("2x 50", None),
    ("2×50", None), ("-5", None), ("−5", None), ("–5", None), ("- 5", None), ("-$5", None),
    ("(5.00)", None), ("5-", None), ("5 -", None), ("10-20", None), ("10–20", None), ("1/2", None),
    ("12:30", None), ("1.2.3", None), ("1,2,3", None), ("1.2,3.4", None), ("1,234,5", None),
    ("1.234.5", None), ("1.234.567.8", None), ("1,234.567,8", None), ("1,,5", None), ("1..5", None),
    ("2 50", None), ("1 2345", None), ("1 249 50", None), ("12 345.678,90", None), ("5 .5", None),
    ("5 6", None), ("", None), (" ", None), ("''", None), ("?", None), ("ten", None), ("NaN", None),
    ("Infinity", None), ("null", None), ("undefined", None), ("{{ price }}", None),
    ("[object Object]", None), ("9" * 400, None), ("٣", None), ("５", None), ("1000000000000", 1e12),
    ("1000000000001", None), ("999999999999.99", 999999999999.99), ("5\n", 5), ("5\n6", None),
    ("-\n5", None), ("5 €/ks", 5), ("od 5 Kč", 5), ("5 Kč / 2 ks", None), ("1,234.", 1234),
    ("3.999,00 zł", 3999),
]  # fmt: skip
