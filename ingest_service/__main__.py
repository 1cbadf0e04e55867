"""`python -m ingest_service [--only api|projector] [--port N]`."""

from __future__ import annotations

import argparse
import sys

from ingest_service.main import ROLES, run
from shared.service import run_service


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ingest_service", description=__doc__)
    parser.add_argument("--only", default=",".join(ROLES), help="roles, separated by commas")
    parser.add_argument("--port", type=int, help="instead of CARILLON_INGEST__PORT")
    arguments = parser.parse_args()
    arguments.roles = frozenset(arguments.only.split(","))
    unknown = arguments.roles - set(ROLES)
    if unknown:
        parser.error(f"--only knows {', '.join(ROLES)}, not {', '.join(sorted(unknown))}")
    return arguments


if __name__ == "__main__":
    given = _arguments()
    sys.exit(
        run_service("ingest", lambda settings, stop: run(settings, stop, given.roles, given.port))
    )
