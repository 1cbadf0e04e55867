"""Tests that every metric is named once, well, and used; topics and collections are declared
without gaps.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from shared import metrics
from shared.kafka import topics
from shared.mongo import collections

ROOT = Path(metrics.__file__).parent.parent
SOURCES = {
    path: path.read_text()
    for package in ("shared", "ingest_service", "sender_service")
    for path in (ROOT / package).rglob("*.py")
}
METRICS = {name: m for name, m in vars(metrics).items() if isinstance(m, MetricWrapperBase)}


@pytest.mark.parametrize("name", sorted(METRICS))
def test_metric_is_used(name: str) -> None:
    assert any(f"metrics.{name}." in text for text in SOURCES.values())


@pytest.mark.parametrize("name", sorted(METRICS))
def test_metric_has_a_house_name(name: str) -> None:
    (family,) = METRICS[name].describe()
    assert re.fullmatch(r"carillon(_[a-z0-9]+)+", family.name)
    assert family.documentation
    exposed = f"{family.name}_total" if isinstance(METRICS[name], Counter) else family.name
    assert exposed in metrics.render().decode()


def test_no_metric_is_made_elsewhere() -> None:
    made = re.compile(r"\b(Counter|Gauge|Histogram)\(\s*[\"']")
    assert [p.name for p, text in SOURCES.items() if made.search(text)] == ["metrics.py"]


def test_topics_are_declared_once() -> None:
    names = [topic.name for topic in topics.TOPICS]
    assert len(set(names)) == len(names)
    declared = {t for t in vars(topics).values() if isinstance(t, topics.Topic)}
    assert declared == set(topics.TOPICS)
    assert all(topic.groups and topic.partitions for topic in topics.TOPICS)


def test_collections_have_one_writer_and_are_all_listed() -> None:
    names = [c.name for c in collections.COLLECTIONS]
    assert len(set(names)) == len(names)
    declared = {c for c in vars(collections).values() if isinstance(c, collections.CollectionSpec)}
    assert declared == set(collections.COLLECTIONS)
    writers = {c.writer for c in collections.COLLECTIONS}
    assert writers == {collections.INGEST, collections.SENDER, collections.BOTH}
    for writer in writers - {collections.BOTH}:
        assert list(collections.indexes_of(writer))
