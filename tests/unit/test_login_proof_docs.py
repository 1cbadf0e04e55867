"""Tests that what docs/browser.md shows for proving a login makes the proof that ingest checks (A6)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_service.collect.login_proof import LoginProof
from shared.models.app import App
from shared.secrets import Vault

DOC = Path(__file__).parents[2] / "docs" / "browser.md"
LOGIN, SECRET = "eva@shop.example ř", "login secret"
# Language: the interpreter, what goes before the example, and a call that prints its result.
LANGUAGES = {
    "python": (sys.executable, "", "print(login_hash({0}, {1}))"),
    "js": ("node", "", "console.log(loginHash({0}, {1}))"),
    "php": ("php", "<?php\n", "echo login_hash({0}, {1});"),
    "ruby": ("ruby", "", "puts login_hash({0}, {1})"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a6_example_makes_a_proof(language: str, tmp_path: Path) -> None:
    program, before, call = LANGUAGES[language]
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    found = re.search(rf"```{language}\n(.*?)```", DOC.read_text(), re.DOTALL)
    assert found is not None
    script = tmp_path / "example"
    script.write_text(before + found[1] + call.format(f"{LOGIN!r}", f"{SECRET!r}") + "\n")
    done = subprocess.run(
        [program, str(script)], capture_output=True, text=True, check=True, timeout=30
    )
    vault = Vault("k" * 40)
    app = App.model_validate({
        "_id": "shop", "name": "Shop", "version": 1, "oneSignal": {"appId": "a", "restApiKey": "s"},
        "loginHash": {"secret": vault.encrypt(SECRET)},
    })  # fmt: skip
    data = {"login": LOGIN}
    proof = done.stdout.strip()
    assert LoginProof(vault).apply(app, "browser", data, proof).data["proven"] is True
