"""`make audit`: which of the pinned production dependencies have known advisories, by name.

Asks PyPI's advisory data by pip-audit. It ends with 0 only when all were checked and nothing was found.
Where PyPI can't be asked (an index that serves packages only) it reports so, with a code of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from shared.terminal import run_to_pipe

LOCKS = ("requirements/base.txt", "requirements/embedded.txt")
TOOL = (
    Path(sys.prefix) / "audit" / "bin" / "pip-audit"
)  # apart: it brings much that nothing else needs
SECONDS = 300.0
WAY_OUT = (
    "run `make audit` where PyPI itself can be asked, or give these files there to a scanner of yours: "
    + ", ".join(LOCKS)
)
SOUND, UNSOUND, NOT_ASKED = 0, 1, 3  # exit codes; 2 is make's own for any failure


@dataclass(frozen=True)
class Findings:
    asked: int
    unknown: tuple[str, ...]  # no advisory data about them could be had
    advisories: tuple[str, ...]


def read_report(raw: bytes) -> Findings:
    """Read pip-audit's JSON. Raises ValueError where there is none."""
    entries: list[dict[str, Any]] = orjson.loads(raw)["dependencies"]
    unknown = tuple(entry["name"] for entry in entries if "skip_reason" in entry)
    advisories = tuple(
        f"{entry['name']} {entry['version']}: {found['id']}"
        f" ({', '.join(found['fix_versions']) or 'no fixed version yet'})"
        for entry in entries
        for found in entry.get("vulns", ())
    )
    return Findings(len(entries), unknown, advisories)


def sentences(findings: Findings) -> list[str]:
    known = findings.asked - len(findings.unknown)
    lines = [f"advisory: {one}" for one in findings.advisories]
    if known:
        lines.append(f"{known} dependencies asked about, {len(findings.advisories)} advisories")
    if findings.unknown:
        lines.append(
            f"not asked: no advisory data from here about {len(findings.unknown)} of"
            f" {findings.asked} dependencies; {WAY_OUT}"
        )
    return lines


def exit_code_of(findings: Findings) -> int:
    """Return the exit code: an advisory counts before an unknown dependency."""
    if findings.advisories:
        return UNSOUND
    return NOT_ASKED if findings.unknown or not findings.asked else SOUND


def _ask(locks: Sequence[str]) -> bytes:
    options = ["--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json"]
    files = [argument for lock in locks for argument in ("-r", lock)]
    command = [str(TOOL), *options, *files]
    return subprocess.run(command, capture_output=True, timeout=SECONDS, check=False).stdout


def main() -> int:
    try:
        findings = read_report(_ask(LOCKS))
    except (OSError, ValueError, subprocess.TimeoutExpired) as exc:
        sys.stdout.write(f"not asked: pip-audit gave no report ({type(exc).__name__}); {WAY_OUT}\n")
        return NOT_ASKED
    for line in sentences(findings):
        sys.stdout.write(f"{line}\n")
    return exit_code_of(findings)


if __name__ == "__main__":
    sys.exit(run_to_pipe(main))
