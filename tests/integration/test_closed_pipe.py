"""Output into a pipe that nobody reads any more: commands end quietly, as what a SIGPIPE ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sender_service.ops.examples import REPORT

ROOT = Path(__file__).parents[2]
CLOSED_PIPE = 141
# Far more than a pipe holds, in tables and as JSON.
BROWSERS = [
    {
        "browser": f"b{number}", "sent": 1, "measurable": 1, "impressions": 1, "clicks": 1, "closes": 0,
        "impressionRate": 1.0, "clickRate": 1.0,
    }
    for number in range(9_000)
]  # fmt: skip
LONG_REPORT = REPORT | {"browsers": BROWSERS}


class OpsApi(BaseHTTPRequestHandler):
    """Answers every GET with a report."""

    def do_GET(self) -> None:
        body = json.dumps(LONG_REPORT).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def serving() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), OpsApi) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run_unread(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the standard error of a command whose output nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL, text=True, timeout=120, check=False,
            env={**os.environ, "CARILLON_OPS__TOKEN": "cot_test", "PYTHONUNBUFFERED": ""},
        )  # fmt: skip
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_c3_a_report_into_a_closed_pipe_ends_quietly(more: tuple[str, ...]) -> None:
    with serving() as url:
        given = ("campaign", "report", "--app", "x", "--campaign", "hello", "--url", url, *more)
        assert run_unread("sender_service", *given) == (CLOSED_PIPE, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("sender_service", "--help"),
        ("sender_service", "schemas", "--out"),
        ("ingest_service", "--help"),
        ("ingest_service", "import", "--help"),
    ],
)
def test_c3_help_and_short_output_too(arguments: tuple[str, ...], tmp_path: Path) -> None:
    more = (str(tmp_path),) if arguments[-1] == "--out" else ()
    assert run_unread(*arguments, *more) == (CLOSED_PIPE, "")


def test_c3_what_was_refused_is_still_refused() -> None:
    code, errors = run_unread("ingest_service", "import", "/nowhere.csv", "--app", "x")
    assert code == 2 and "Traceback" not in errors
