"""Text files as UTF-8 without a byte order mark, in whatever encoding an editor saved them."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE


def as_utf8(content: bytes) -> bytes:
    """Return the content in UTF-8; as it is where its mark doesn't fit."""
    # PowerShell's `>` writes UTF-16, with a mark. The parser refuses what doesn't fit.
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        try:
            return content.decode("utf-16").encode()
        except UnicodeError:
            return content
    return content.removeprefix(BOM_UTF8)
