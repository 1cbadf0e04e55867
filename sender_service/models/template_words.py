"""Template errors in words for the text's author: the parser's messages name its own tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER_AS = "a placeholder is like {{ name }}"
SIGN_OF_TOKEN: Mapping[str, str] = {
    "'end of template'": "the end of the text",
    "'end of print statement'": "}}",
    "'begin of print statement'": "{{",
    "'end of statement block'": "%}",
    "'begin of statement block'": "{%",
    "end of print statement": "}}",
    "end of statement block": "%}",
}
_LOOKED_FOR = re.compile(
    r"^(?:Unexpected end of template|Encountered unknown tag '(?P<tag>[^']*)')\."
    r".*?following tags: (?P<tags>.+?)\.(?: The innermost block.*)?$"
)
_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^unexpected end of template, expected (.+?)\.?$"), r"it ends before \1"),
    (re.compile(r"""^unexpected char ("'"|'"') at .*$"""), "a quote isn't closed"),
    (
        re.compile(r"^unexpected char (.+) at \d+$"),
        rf"the sign \1 has no meaning there; {PLACEHOLDER_AS}",
    ),
    (
        re.compile(r"^expected token (.+), got (.+)$"),
        rf"\2 stands where \1 is expected; {PLACEHOLDER_AS}",
    ),
    (re.compile(r"^expected name or number$"), "after a dot a name or a number is expected"),
    (
        re.compile(r"^Expected an expression, got (.+)$"),
        rf"\1 stands where a name is expected; {PLACEHOLDER_AS}",
    ),
    (re.compile(r"^unexpected (.+), expected (.+)$"), r"\1 stands where \2 is expected"),
    (re.compile(r"^unexpected (.+)$"), rf"\1 is not expected there; {PLACEHOLDER_AS}"),
    (re.compile(r"^Encountered unknown tag (.+)\.$"), r"there is no tag \1, or it closes nothing"),
    (re.compile(r"^No filter named (.+)\.$"), r"there is no filter \1 (docs/templates.md)"),
    (re.compile(r"^No test named (.+)\.$"), r"there is no test \1 (docs/templates.md)"),
    (re.compile(r"^Missing end of comment tag$"), "a comment isn't closed: #} is missing"),
)


_ERRORS: Mapping[str, str] = {
    "TypeError": "a value is of the wrong kind",
    "UndefinedError": "a list or an object has no such entry",
    "ZeroDivisionError": "a number is divided by 0",
}


def describe_error(error: Exception) -> str:
    """Return what failed while a text was rendered: no value is in it."""
    name = type(error).__name__
    return _ERRORS.get(name, name)


def describe_syntax(message: str) -> str:
    """Return the parser's message as a whole sentence."""
    looked = _LOOKED_FOR.match(message)
    if looked is not None:
        tags = looked["tags"].replace("'", "")
        found = f"{{% {looked['tag']} %}} stands" if looked["tag"] else "the text ends"
        return f"{found} where a tag is expected that goes on or closes: {tags}"
    for token, sign in SIGN_OF_TOKEN.items():
        message = message.replace(token, sign)
    for pattern, sentence in _SENTENCES:
        if pattern.match(message):
            return pattern.sub(sentence, message)
    return message
