"""Summary at the end of a start: where everything is, and what to try."""

from __future__ import annotations

from pathlib import Path

from deploy.local import demo
from deploy.local.settings import HOST, Port, Ports
from shared.settings import DEVELOPMENT_OPS_TOKEN, Settings


def write_summary(settings: Settings, ports: Ports, data: Path) -> str:
    broker = ports.broker
    database = ports.database
    sandbox = ports.sandbox
    is_default = settings.ops.token.get_secret_value() == DEVELOPMENT_OPS_TOKEN
    token = DEVELOPMENT_OPS_TOKEN if is_default else "the one in CARILLON_OPS__TOKEN"
    rows = (
        ("demo shop", ports.shop.url),
        ("ingest", f"{ports.ingest.url}  (/docs, /health/ready, /metrics)"),
        ("sender", f"{ports.sender.url}  (/docs, /health/ready, /metrics)"),
        ("OneSignal", f"{sandbox.url}  the sandbox" if sandbox else settings.onesignal.base_url),
        ("Kafka", f"127.0.0.1:{broker.number}" if broker else settings.kafka.bootstrap_servers),
        (
            "MongoDB",
            f"mongodb://127.0.0.1:{database.number}" if database else "CARILLON_MONGO__URI",
        ),
        ("data, logs", f"{data}, {data / 'logs'}"),
        ("app", demo.APP),
        ("keys", f"write {demo.WRITE_KEY}, server {demo.SERVER_KEY}, webhook {demo.WEBHOOK_KEY}"),
        ("secrets", f"Event Streams {demo.STREAM_SECRET}, ops token {token}"),
    )
    pages = " ".join(f"-L {p.number}:{HOST}:{p.number}" for p in _called_by_pages(ports))
    erased = (
        "Erasing a person clears the documents and snapshots. The embedded database's own log and the"
        "\n  sandbox's file keep what was in them until `make clean`."
        if database or sandbox
        else ""
    )
    table = "\n".join(f"  {name:<11} {value}" for name, value in rows)
    ends = (
        "Ctrl-C stops everything and keeps the data.",
        f"All listens on this machine only. From another: ssh {pages} THIS-MACHINE",
        erased,
    )
    rest = "\n".join(f"  {end}" for end in ends if end)
    return f"Carillon is running.\n\n{table}\n\n{rest}"


def _called_by_pages(ports: Ports) -> list[Port]:
    """Return the ports that the demo's pages call."""
    # On loopback, as browsers push to secure origins only.
    return [p for p in (ports.shop, ports.ingest, ports.sandbox) if p is not None]
