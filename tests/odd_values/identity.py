"""Logins, emails and visitor ids as templates write them: one table for ingest's rule and the snippet's.

Two things differ on purpose, and stand in no table. Of a list the snippet takes the first, as of all
words of a data layer, while ingest refuses it. And a number above 2^53 is refused by the snippet, since
JavaScript has lost its digits already; ingest reads all of them.
"""

from __future__ import annotations

from typing import Any

NOBODY = "placeholder_login"
BAD = "bad_login"  # by the snippet's name: ingest has one for each reason
ABSENT = None  # no value was given: nothing to report

# What is given, and the login that it is; or why it is none.
LOGINS: list[tuple[Any, str | None]] = [
    ("1", "1"), ("007", "007"), ("00", "00"), ("Anna", "Anna"), (" Anna ", "Anna"), ("'Anna'", "Anna"),
    ('"1"', "1"), ("' 1 '", "1"), ("\u00a01", "1"), ("anna@shop.example", "anna@shop.example"),
    ("Nguyễn Ánh", "Nguyễn Ánh"), ("řehoř", "řehoř"), ("null@shop.example", "null@shop.example"),
    ("undefined1", "undefined1"), ("a{b}", "a{b}"), ("$5", "$5"), ("{1}", "{1}"), ("object", "object"),
    ("x [object Object]", "x [object Object]"), ("'", "'"), ("''1", "''1"), ("🔔", "🔔"),
    ("🔔" * 256, "🔔" * 256), ("x" * 256, "x" * 256), ("-2", "-2"), ("1.5", "1.5"), ("1e3", "1e3"),
    ("000", "000"), ("(null", "(null"), ("null)", "null)"), (1, "1"), (7.0, "7"), (-2, "-2"),
    (9007199254740991, "9007199254740991"), ("9007199254740993", "9007199254740993"),
    ("undefined", NOBODY), ("UNDEFINED", NOBODY), ("Undefined", NOBODY), (" undefined ", NOBODY),
    ("'undefined'", NOBODY), ("null", NOBODY), ("NULL", NOBODY), ('"null"', NOBODY), ("(null)", NOBODY),
    ("none", NOBODY), ("None", NOBODY), ("(none)", NOBODY), ("nil", NOBODY), ("nan", NOBODY),
    ("NaN", NOBODY), ("n/a", NOBODY), ("N/A", NOBODY), ("na", NOBODY), ("void", NOBODY), ("0", NOBODY),
    (0, NOBODY), (-0.0, NOBODY), (0.0, NOBODY), ("0.0", NOBODY), ("'0'", NOBODY), ("-1", NOBODY),
    (-1, NOBODY), ("false", NOBODY), ("False", NOBODY), ("true", NOBODY), ("-", NOBODY), ("_", NOBODY),
    ("?", NOBODY), ("empty", NOBODY), ("(empty)", NOBODY), ("not set", NOBODY), ("not_set", NOBODY),
    ("(not set)", NOBODY), ("unknown", NOBODY), ("anonymous", NOBODY), ("guest", NOBODY),
    ("Guest", NOBODY), ("00000000-0000-0000-0000-000000000000", NOBODY), ("[object Object]", NOBODY),
    ("[object Window]", NOBODY), ("[OBJECT OBJECT]", NOBODY), ("{{ customer.id }}", NOBODY),
    ("{{customer.id}}", NOBODY), ("u-{{ id }}", NOBODY), ("{{", NOBODY), ("${user}", NOBODY),
    ("id-${user.id}", NOBODY), ("{% if x %}", NOBODY), ("<%= login %>", NOBODY), ("\ufeffnull", NOBODY),
    ("un\u212anown", NOBODY), ("[]", NOBODY), ("{}", NOBODY), ("#{id}", NOBODY), ("u#{user.id}", NOBODY),
    ("<?= $id ?>", NOBODY), ("<?php echo $id", NOBODY), ("%{id}", NOBODY), ("@{user.id}", NOBODY),
    ("{$user.id}", NOBODY), ("{# id #}", NOBODY), ("*|EMAIL|*", NOBODY), ("undefined@undefined", NOBODY),
    ("Null@none", NOBODY), ("undefined@", NOBODY), ("undefined@shop.example",) * 2, ("@null", "@null"),
    ("{id}", "{id}"), ("#1", "#1"), ("a|b*", "a|b*"), ("[1]", "[1]"), ("x<y", "x<y"),
    (1.5, BAD), (1e20, BAD), (1e300, BAD), ("x" * 257, BAD), ("🔔" * 257, BAD),
    ("a\nb", BAD), ("", ABSENT), (" ", ABSENT), ("''", ABSENT), ("' '", ABSENT), (None, ABSENT),
    (True, ABSENT), (False, ABSENT), ({}, ABSENT), ({"id": 1}, ABSENT), ([], ABSENT),
]  # fmt: skip

# Ingest alone looks through them: the snippet has no room for the list.
UNSEEN_LOGINS: list[tuple[str, str | None]] = [
    ("\u200b", NOBODY), ("\u200b\u2060 \u00ad", NOBODY), ("\u3164", NOBODY), ("\u2800", NOBODY),
    ("\u200bundefined\u200b", NOBODY), ("nu\u200bll@null", NOBODY), ("\ufe0f", NOBODY),
    ("Anna\u200d", "Anna\u200d"), ("👩\u200d🚀", "👩\u200d🚀"),
]  # fmt: skip

# Emails are also templates' and scripts'.
EMAILS: list[tuple[Any, str | None]] = [
    ("a@shop.example", "a@shop.example"), (" a@shop.example ", "a@shop.example"),
    ("null@shop.example", "null@shop.example"), ("{{ email }}", "placeholder_email"),
    ("{{email}}@shop.example", "placeholder_email"), ("${a}@shop.example", "placeholder_email"),
    ("undefined", "placeholder_email"), ("null", "placeholder_email"),
    ("undefined@undefined", "placeholder_email"), ("<?= $email ?>", "placeholder_email"),
    ("#{email}", "placeholder_email"), ("[object Object]", "placeholder_email"),
    (0, "placeholder_email"), ("a", "bad_email"),
    ("a@", "bad_email"), ("@b", "bad_email"), ("a@b@c", "bad_email"), ("a b@c", "bad_email"),
    ("", ABSENT), (None, ABSENT), (True, ABSENT),
]  # fmt: skip

VISITORS: list[tuple[str, bool]] = [
    ("7b31b86c-30d2-4c9d-8a68-eb60c4173b48", True),
    ("00000000-0000-0000-0000-000000000000", False),
]
