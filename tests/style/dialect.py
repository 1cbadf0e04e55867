"""Words that the glossary replaces, and the terms in which they stay.

A word is here when the glossary gives the thing another name.
"""

from __future__ import annotations

from tests.style.words import word_set

# Counted anywhere in a name. Words with a plain second use ("answer", "call", "part", "place", "look",
# "turn", "seen", "word", "holds") are absent: `replaced.py` lists the whole names instead.
WORDS = word_set(
    """
    told tell tells telling said say says saying
    bury buries buried burying burial burials undertaker
    judge judges judged judging judgement
    door doors doorman gate gates gated guest guests
    ride rides riding rider riders roll rolled express shelf lane
    shown trial trials rehearsal rehearse letter letters deed deeds verdict
    heed heeds hold held holding sighting sightings caution
    want wants wanted settle settles settled settling
    patience nudge nudges lapsed raced uncountable lonely leash material
    parted apart frozen everybody somebody whoever
    """
)

# Standard terms that hold such a word. The glossary's own terms are added when it is there.
TERMS = frozenset(
    {
        ("dead", "letter"),
        ("dead", "letters"),
        ("held", "out"),  # of a campaign: the control group
        ("roll", "up"),
        ("rolled", "up"),
    }
)

# Names in which a word has its plain meaning, as letters of a text, or is pinned.
PLAIN = frozenset(
    {
        "hold",  # of the sandbox's fault plan: docs/design.md 6 pins it
        "HEAD_LETTERS",
        "MAX_ALLOWED_LETTERS",
        "MAX_MASKED_LETTERS",
        "PERSON_LETTERS",
        "_check_letters",
        "test_f20_letters_that_the_terminal_lacks_are_replaced",
        "test_f7_two_letters_are_near_and_three_are_not",
        "test_n10_send_is_named_by_its_first_letters",
    }
)
