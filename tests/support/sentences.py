"""Words of libraries and regular expressions, which no message for people may contain."""

from __future__ import annotations

import re

FOREIGN = re.compile(
    r"should |Input|String|Field required|not permitted|valid (string|integer|number|dict|list|date"
    r"|bool)|Invalid|Unable|[A-Za-z]*Error|\^|\\[sxz]|\{[0-9]+,|\[A-Z|\[a-z"
)
