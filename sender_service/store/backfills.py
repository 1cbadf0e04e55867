"""The `backfills` collection."""

from __future__ import annotations

from datetime import timedelta

from sender_service.models.scenario.backfill import Backfill, BackfillCounts
from sender_service.store.tasks import TaskStore, decode_task, encode_task
from shared.mongo.client import Database, Document
from shared.mongo.collections import BACKFILLS

BackfillStore = TaskStore[Backfill]


def open_backfills(database: Database) -> BackfillStore:
    return TaskStore(database, BACKFILLS, encode_backfill, decode_backfill)


def encode_backfill(backfill: Backfill) -> Document:
    counts = backfill.counts
    return {
        **encode_task(backfill),
        "scenario": backfill.scenario,
        "version": backfill.version,
        "spreadSeconds": int(backfill.spread.total_seconds()),
        "reached": backfill.reached,
        "knownSince": backfill.known_since,
        "moments": counts.moments,
        "entered": counts.entered,
        "refused": dict(counts.refused),
    }


def decode_backfill(document: Document) -> Backfill:
    return Backfill(
        **decode_task(document),
        scenario=document["scenario"],
        version=document["version"],
        spread=timedelta(seconds=document["spreadSeconds"]),
        reached=document["reached"],
        known_since=document["knownSince"],
        counts=BackfillCounts(
            moments=document["moments"],
            entered=document["entered"],
            refused=document["refused"],
        ),
    )
