"""A broker of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings import Settings
from tests.support import stack


@pytest.fixture
def alone(fresh_broker: stack.Server, mongo_uri: str, tmp_path: Path) -> Settings:
    return stack.settings_for(fresh_broker.address, mongo_uri, tmp_path)
