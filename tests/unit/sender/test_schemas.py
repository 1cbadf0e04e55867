"""The schemas that others build on: generated, current, and true of what they describe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sender_service.cli.schemas import OUT
from sender_service.models.schemas import MESSAGES, Message, asyncapi, files
from shared.kafka.topics import TOPICS

ROOT = Path(__file__).parents[3]


def test_committed_schemas_are_current() -> None:
    # If not: `python -m sender_service schemas`.
    committed = {path.name: path.read_text() for path in (ROOT / OUT).glob("*.json")}
    assert committed == files()


@pytest.mark.parametrize(
    "message", {m.name: m for m in MESSAGES.values()}.values(), ids=lambda m: m.name
)
def test_examples_are_what_the_services_read(message: Message) -> None:
    read = message.model.parse(json.dumps(message.example).encode())
    written = json.loads(read.dump())
    assert {name: written[name] for name in message.example} == message.example


def test_every_topic_has_its_channel() -> None:
    document = asyncapi()
    assert set(document["channels"]) == {topic.name for topic in TOPICS}
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]


def test_references_lead_somewhere() -> None:
    written = files()
    for message in asyncapi()["components"]["messages"].values():
        assert message["payload"]["$ref"].removeprefix("./") in written
