"""Measures of names and docstrings."""

from __future__ import annotations

import pytest

from tests.style.docstrings import begins_with_article, begins_wrongly, docstrings_of
from tests.style.glossary import read_glossary, term_words
from tests.style.names import find_old_words, find_replaced, old_words
from tests.style.prose import find_reporting_words
from tests.style.sources import Source

GLOSSARY = """
| term | definition |
| --- | --- |
| dead letter | a record that no stage can handle |
| `door_key`, `Gate Keeper` | a key |

text | with a bar
"""


def wrong(text: str, code: str = "def f(size: int) -> None:") -> bool:
    source = Source("shared/a.py", f'{code}\n    """{text}"""\n')
    ((node, docstring),) = docstrings_of(source)
    return begins_wrongly(node, docstring)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tellPages", ["tell"]),
        ("_JUDGE_SECONDS", ["judge"]),
        ("HTTPGate", ["gate"]),
        ("dead_letter_id", []),
        ("letter_id", ["letter"]),
        ("DeadLetters", []),
        ("roll_up", []),
        ("roll", ["roll"]),
        ("MAX_MASKED_LETTERS", []),
        ("delegate", []),
    ],
)
def test_old_words_are_found_however_joined(name: str, found: list[str]) -> None:
    assert old_words(name) == found


def test_names_are_found_wherever_they_are_defined() -> None:
    text = """
        class Guest: ...
        def f(rider, *, gate=0):
            trial: int = 0
            self.shelf = [deed for deed in ()]
            import x as caution
        """
    found = find_old_words([Source("shared/door.py", "if True:" + text)])
    names = {finding.text.split()[0] for finding in found}
    assert names == {"Guest", "rider", "gate", "trial", "shelf", "deed", "caution", "door"}


def test_names_of_scripts_are_found() -> None:
    found = find_old_words([Source("ingest_service/a.js", "var x;\nfunction tellPage() {}")])
    assert [(finding.line, finding.text) for finding in found] == [(2, "tellPage (tell)")]


def test_glossary_terms_of_several_words_are_allowed() -> None:
    entries = read_glossary(GLOSSARY)
    assert [entry.terms for entry in entries] == [("dead letter",), ("door_key", "Gate Keeper")]
    terms = term_words(entries)
    assert old_words("the_door_key_seconds", terms) == []
    assert old_words("GateKeeper", terms) == []
    assert old_words("door", terms) == ["door"]


def test_whole_names_are_replaced_in_their_folder_only() -> None:
    text = "class Refused: ...\nhand_out = 1\ndef _hand_out(): ..."
    found = find_replaced(
        [Source("sender_service/cli/a.py", text), Source("sender_service/dispatcher/b.py", text)]
    )
    assert [str(finding) for finding in found] == [
        "sender_service/cli/a.py:1: Refused -> ApiError",
        "sender_service/cli/a.py:3: _hand_out -> _release",
        "sender_service/dispatcher/b.py:3: _hand_out -> _release",
    ]


def test_reports_are_counted_in_code_comments_and_strings() -> None:
    first, second = "tol" + "d", "sai" + "d"
    text = f"{first} = 1  # {second}, untold\nx_{second} = 'is{first.title()} {second.upper()}'"
    assert [finding.line for finding in find_reporting_words([Source("shared/a.py", text)])] == [
        1,
        1,
        2,
        2,
        2,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Of those to whom nothing was sent.",
        "What it is.",
        "None where there is none.",
        "(a, b).",
        "Is it there?",
        "Its key.",
        "One of them.",
        "All that is there.",
        "Named by its id.",
        "`size`: in bytes.",
        "503 when it stalled.",
    ],
)
def test_wrong_starts_are_found(text: str) -> None:
    assert wrong(text)


@pytest.mark.parametrize(
    "text",
    [
        "Return the app that owns the key.",
        "Raises NotFound.",
        "One run of the stage.",
        "All texts of a campaign.",
        "`POST /notifications` for one job.",
        "The exit code.",
        "Seed in the background.",
    ],
)
def test_good_starts_are_not_found(text: str) -> None:
    assert not wrong(text)


def test_a_class_is_none_of_its_fields() -> None:
    text = 'class A:\n    """`size` is in bytes."""\n\n    size: int\n    def publish(self): ...'
    ((node, docstring),) = docstrings_of(Source("shared/a.py", text))
    assert begins_wrongly(node, docstring)
    assert begins_wrongly(node, "`publish` raises LogUnavailable.")
    assert not begins_wrongly(node, "`POST` of an app.")


def test_articles_are_counted_for_functions_only() -> None:
    text = '"""A module."""\ndef f():\n    """The key."""\n@property\ndef g():\n    """The key."""'
    found = [begins_with_article(*each) for each in docstrings_of(Source("shared/a.py", text))]
    assert found == [False, True, False]
