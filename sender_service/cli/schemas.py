"""`schemas --out FOLDER`: AsyncAPI and JSON Schemas of the topics, generated from the models."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from sender_service.models.schemas import files

OUT = Path("docs/schemas")


def add_schemas_command(commands: Any) -> None:
    help = "write AsyncAPI and JSON Schemas of the topics"
    parser = commands.add_parser("schemas", help=help, description=help)
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER")
    parser.set_defaults(execute=_execute)


def _execute(options: argparse.Namespace) -> int:
    options.out.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (options.out / name).write_text(content)
        sys.stdout.write(f"{options.out / name}\n")
    return 0
