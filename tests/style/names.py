"""Names with words of the old dialect, and whole names that the glossary replaces."""

from __future__ import annotations

from collections.abc import Iterable

from tests.style.definitions import definitions_of, things_of
from tests.style.dialect import PLAIN, TERMS, WORDS
from tests.style.finding import Finding
from tests.style.glossary import PATH, read_glossary, term_words
from tests.style.replaced import replacement_of
from tests.style.sources import Checkout, Source
from tests.style.words import split_name

Terms = Iterable[tuple[str, ...]]


def allowed_terms(checkout: Checkout) -> frozenset[tuple[str, ...]]:
    """Return the standard terms, with the glossary's."""
    return TERMS | term_words(read_glossary(checkout.text(PATH)))


def old_words(name: str, terms: Terms = TERMS) -> list[str]:
    """Return the words of the old dialect in a name, without those of standard terms."""
    if name in PLAIN:
        return []
    words = split_name(name)
    kept = {at for term in terms for at in _positions(words, term)}
    return [word for at, word in enumerate(words) if word in WORDS and at not in kept]


def _positions(words: list[str], term: tuple[str, ...]) -> Iterable[int]:
    size = len(term)
    for start in range(len(words) - size + 1):
        if tuple(words[start : start + size]) == term:
            yield from range(start, start + size)


def find_old_words(sources: Iterable[Source], terms: Terms = TERMS) -> list[Finding]:
    """Find names with words of the old dialect; a name counts once a file."""
    return sorted(
        Finding(source.path, line, f"{name} ({', '.join(found)})")
        for source in sources
        for name, line in definitions_of(source).items()
        if (found := old_words(name, terms))
    )


def find_replaced(sources: Iterable[Source]) -> list[Finding]:
    """Find modules, classes, functions and constants whose names the glossary replaces."""
    return sorted(
        Finding(source.path, line, f"{name} -> {new}")
        for source in sources
        for name, line in things_of(source).items()
        if (new := replacement_of(source.path, name)) is not None
    )
