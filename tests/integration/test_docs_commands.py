"""Commands of the docs pages, run against a real stack as a reader would run them.

A fenced `sh` block is run where the line before it is `<!-- run -->`. All marked blocks of a page are
one script, in their order: variables go on, and the first command that fails ends it. `<!-- run,
prints "text" -->` asks for that text on the screen besides. A block is shown as it is run: only the
default ports are exchanged for the stack's, and the folder is a new one with links to `.venv` and `docs`.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.carillon import Carillon

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN_SECONDS = 300  # a command takes 0.7 s of CPU to start, on a busy machine ten times as long
PORTS = {8080: "ingest", 8090: "sender", 8095: "sandbox", 8099: "shop", 19092: "broker",
         27117: "database"}  # fmt: skip
MARKED = re.compile(
    r'^<!-- run(?:, prints "(?P<prints>[^"]+)")? -->\n```sh\n(?P<body>.*?)^```$', re.M | re.S
)
ANY_MARK = re.compile(r"^ *<!-- *run\b", re.M)


@dataclass(frozen=True)
class Block:
    body: str
    prints: str | None


def marked_blocks(text: str) -> list[Block]:
    return [Block(found["body"], found["prints"]) for found in MARKED.finditer(text)]


def to_script(blocks: list[Block], ports: dict[str, int]) -> str:
    body = "".join(block.body for block in blocks)
    for default, name in PORTS.items():
        body = re.sub(rf"\b(localhost|127\.0\.0\.1):{default}\b", rf"\1:{ports[name]}", body)
    return "set -euo pipefail\n" + body


BLOCKS = {page: found for page in PAGES if (found := marked_blocks(page.read_text()))}


@pytest.fixture(scope="module")
async def carillon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Carillon]:
    stack = Carillon(tmp_path_factory.mktemp("carillon"))
    try:
        yield await stack.start()
    finally:
        assert await stack.stop() == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a new folder, in which commands find what the checkout has beside them."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    return tmp_path


def run(script: str, carillon: Carillon, folder: Path) -> tuple[int | None, str]:
    """Return the exit code, None where it took too long, and all that was on the screen."""
    env = {**carillon.cli_env, "PYTHONPATH": str(ROOT)}
    screen = folder / "screen.txt"
    with screen.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-xc", script], cwd=folder, env=env, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            code = process.wait(RUN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None, screen.read_text()
    return code, screen.read_text()


@pytest.mark.parametrize("page", list(BLOCKS), ids=lambda page: page.name)
async def test_commands_of_the_page_work(carillon: Carillon, page: Path, folder: Path) -> None:
    blocks = BLOCKS[page]
    code, screen = await asyncio.to_thread(run, to_script(blocks, carillon.ports), carillon, folder)
    assert code == 0, screen
    for block in blocks:
        assert block.prints is None or block.prints in screen, screen


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_marks_are_where_a_block_is_run(page: Path) -> None:
    # A mark with a slip in it, or before another kind of block, would run nothing.
    text = page.read_text()
    assert len(ANY_MARK.findall(text)) == len(marked_blocks(text))


def test_ports_are_exchanged_and_marks_read() -> None:
    text = 'x\n<!-- run, prints "ok" -->\n```sh\ncurl localhost:8080/v1\n```\n```sh\nrm -r x\n```\n'
    (block,) = marked_blocks(text)
    assert block.prints == "ok"
    ports = dict.fromkeys(PORTS.values(), 7)
    assert to_script([block], ports) == "set -euo pipefail\ncurl localhost:7/v1\n"
