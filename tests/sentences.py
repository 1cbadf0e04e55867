"""What no message for people has in it: words of libraries, and regular expressions."""

from __future__ import annotations

import re

FOREIGN = re.compile(
    r"should |Input|String|Field required|not permitted|valid (string|integer|number|dict|list|date"
    r"|bool)|Invalid|Unable|[A-Za-z]*Error|\^|\\[sxz]|\{[0-9]+,|\[A-Z|\[a-z"
)
