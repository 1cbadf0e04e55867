"""A stand-in for a part: `child.py <behaviour> <port>`.

Behaviours: `serves`, `dies` (says why, exit code 7), `silent` (never listens), `clings` (serves,
ignores SIGTERM), `hides` (serves, with a child of its own that serves too), `chatters` (serves,
writes 3 MiB and then ten lines a second).
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


def chatter() -> None:
    for _ in range(3 * 1024):
        sys.stdout.write("x" * 1023 + "\n")
    while True:
        sys.stdout.write("still there\n")
        sys.stdout.flush()
        time.sleep(0.1)


def main(behaviour: str, port: int) -> None:
    if behaviour == "dies":
        sys.stderr.write("the moon is in the wrong house\n")
        sys.exit(7)
    if behaviour == "silent":
        signal.pause()
    if behaviour == "chatters":
        threading.Thread(target=chatter, daemon=True).start()
    if behaviour == "clings":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if behaviour == "hides":
        subprocess.Popen([sys.executable, __file__, "serves", "0"])
    with HTTPServer(("127.0.0.1", port), Health) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
