"""Files that the command line reads."""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path

from sender_service.cli.ops import read_json


def test_f12_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "app.json"
    path.write_bytes(BOM_UTF8 + b'{"name": "Shop"}')
    assert read_json(str(path)) == {"name": "Shop"}
