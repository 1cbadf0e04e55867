"""One root certificate in the place of all: no test speaks TLS, and each HTTP client reads them anew.

Reading all takes 45 ms of CPU, one takes 1 ms; a run opens thousands of clients.
"""

from __future__ import annotations

import re
from pathlib import Path

import certifi

_FIRST = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)
_path: str | None = None


def keep_one_certificate(folder: Path) -> None:
    """Let this process's clients, and services that tests start, read one certificate only."""
    global _path
    found = _FIRST.search(Path(certifi.where()).read_text(encoding="ascii", errors="ignore"))
    assert found is not None, f"no certificate in {certifi.where()}"
    path = folder / "certificate.pem"
    path.write_text(found[0])
    _path = str(path)
    certifi.where = lambda: str(path)  # httpx asks it for each client


def certificate_environment() -> dict[str, str]:
    """Return what a child process needs to read that certificate only."""
    return {"SSL_CERT_FILE": _path} if _path else {}
