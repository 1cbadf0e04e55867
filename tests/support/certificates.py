"""One root certificate in the place of all: no test speaks TLS, and each HTTP client reads them anew.

Reading all takes 45 ms of CPU, one takes 1 ms; a run opens thousands of clients.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import certifi

_FIRST = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)


def keep_one_certificate(folder: Path) -> None:
    """Let clients of this process and of its children read one certificate only."""
    found = _FIRST.search(Path(certifi.where()).read_text(encoding="ascii", errors="ignore"))
    assert found is not None, f"no certificate in {certifi.where()}"
    path = folder / "certificate.pem"
    path.write_text(found[0])
    os.environ["SSL_CERT_FILE"] = str(path)
    certifi.where = lambda: str(path)  # for clients without trust in the environment
