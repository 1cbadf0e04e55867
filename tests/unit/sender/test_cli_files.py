"""Files that the command line reads."""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path

import pytest

from sender_service.cli.ops import ApiError, read_json


@pytest.mark.parametrize(
    "content",
    [
        BOM_UTF8 + b'{"name": "Zo\xc3\xab"}',
        '{"name": "Zoë"}'.encode(),
        '{"name": "Zoë"}'.encode("utf-16"),  # as PowerShell's `>` writes it
    ],
)
def test_f12_a_byte_order_mark_is_skipped(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "app.json"
    path.write_bytes(content)
    assert read_json(str(path)) == {"name": "Zoë"}


def test_f12_a_byte_order_mark_of_an_option_is_skipped() -> None:
    assert read_json('\ufeff{"a": 1}', "--variables") == {"a": 1}


def test_f12_half_of_utf16_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "app.json"
    path.write_bytes('{"a": 1}'.encode("utf-16")[:-1])
    with pytest.raises(ApiError, match="is not JSON"):
        read_json(str(path))


def test_c3_a_file_or_option_with_faulty_json_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "campaign.json"
    path.write_text('{\n  "name": "Jana"\n  "policy": {}\n}')
    with pytest.raises(ApiError) as caught:
        read_json(str(path))
    assert str(caught.value) == f"{path} is not JSON: line 3, column 3: a comma or a }} is expected"
    with pytest.raises(ApiError) as caught:
        read_json("{name: 1}", "--variables")
    assert str(caught.value).startswith(
        "--variables is not JSON: line 1, column 2: a key in double"
    )
    path.write_bytes('{"a":\n "ž"}'.encode("cp1250"))
    with pytest.raises(ApiError, match="line 2, column 3: it is not UTF-8"):
        read_json(str(path))
