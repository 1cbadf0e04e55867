"""Language tags of browsers and shops: the text for a person, and the tags of a language. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

# The scripts of Chinese, and where people read them.
CHINESE = {"hans": {"cn", "sg", "my"}, "hant": {"tw", "hk", "mo"}}
# Names of one language, and of one that its readers read as well, the nearest first.
READ_TOO: Mapping[str, tuple[str, ...]] = {
    "nb": ("no", "nn"), "nn": ("no", "nb"), "no": ("nb", "nn"),
    "he": ("iw",), "iw": ("he",), "id": ("in",), "in": ("id",), "yi": ("ji",), "ji": ("yi",),
}  # fmt: skip
# A segment of `nn` means those who write it, not all Norwegians.
ALSO_WRITTEN = {**READ_TOO, "nb": ("no",), "nn": ()}


def choose(texts: Mapping[str, str], language: str) -> str:
    """Return the key of the text for a language: for `de-AT` `de-AT`, else `de`, else `en`."""
    if language in texts:
        return language
    names = {plain(name): name for name in texts}
    return next((names[one] for one in fallbacks(language) if one in names), "en")


@lru_cache(maxsize=1_024)
def fallbacks(language: str) -> tuple[str, ...]:
    """Return the languages that a person can read, nearest first.

    `zh-TW` becomes `zh-tw`, `zh-hant`, `zh`.
    """
    parts = plain(language).split("-")
    names = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    if parts[0] == "zh":
        script = next((p for p in parts if p in CHINESE), None) or next(
            (script for script, regions in CHINESE.items() if regions.intersection(parts)), "hans"
        )
        names.insert(-1, f"zh-{script}")
    for other in READ_TOO.get(parts[0], ()):
        names += ["-".join([other, *parts[1:length]]) for length in range(len(parts), 0, -1)]
    return tuple(dict.fromkeys(names))


def plain(name: str) -> str:
    return name.replace("_", "-").lower()


def spellings(name: str) -> Iterator[str]:
    """Yield the spellings of a tag that a profile may have, without further regions.

    Browsers write `cs-CZ`, other tools `cs_CZ` or `cs-cz`; `zh-Hant` is read where `zh-TW` is.
    """
    parts = plain(name).split("-")
    tags = [parts]
    if parts[0] == "zh" and len(parts) == 2 and parts[1] in CHINESE:
        tags += [["zh", region] for region in sorted(CHINESE[parts[1]])]
    tags += [[other, *parts[1:]] for other in ALSO_WRITTEN.get(parts[0], ())]
    for language, *rest in tags:
        written = [part.title() if len(part) == 4 else part.upper() for part in rest]
        for subtags in dict.fromkeys((tuple(written), tuple(rest))):
            for separator in "-_" if rest else "-":
                yield separator.join((language, *subtags))
