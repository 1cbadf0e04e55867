"""Files that people wrote, as bytes in UTF-8 without a mark: editors and shells save others too."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE


def as_utf8(content: bytes) -> bytes:
    """Return the content in UTF-8. PowerShell's `>` makes UTF-16, whose mark says so.

    What its mark doesn't fit comes back as it was: whoever reads it says what is wrong.
    """
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        try:
            return content.decode("utf-16").encode()
        except UnicodeError:
            return content
    return content.removeprefix(BOM_UTF8)
