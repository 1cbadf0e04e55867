"""Codec of stored runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sender_service.models.scenario.run import Entry, Run, RunEnd, RunPush, SkippedStep
from shared.clock import whole_milliseconds
from shared.mongo.client import Document, if_unchanged

RUN_RETENTION = timedelta(days=100)  # after a run's end


def encode_run(run: Run) -> Document:
    """Return the run's document; one that waits never expires."""
    ended = run.ended
    return {
        "_id": run.id,
        "app": run.app,
        "scenario": run.scenario,
        "person": run.person,
        "n": run.n,
        "version": run.version,
        "state": run.state,
        "ended": None if ended is None else {"why": ended.why, "at": ended.at},
        "entry": _encode_entry(run.entry),
        "againDays": run.again_days,
        "step": run.step,
        "basis": whole_milliseconds(run.basis),
        "due": whole_milliseconds(run.due),
        "pushes": [encode_push(push) for push in run.pushes],
        "skipped": [{"step": one.step, "why": one.why, "at": one.at} for one in run.skipped],
        "rev": run.rev,
        **({} if ended is None else {"expireAt": expiry_of(ended.at, run.again_days)}),
    }


def decode_run(document: Document) -> Run:
    ended = document["ended"]
    return Run(
        app=document["app"],
        scenario=document["scenario"],
        person=document["person"],
        n=document["n"],
        version=document["version"],
        ended=None if ended is None else RunEnd(why=ended["why"], at=ended["at"]),
        entry=_decode_entry(document["entry"]),
        again_days=document["againDays"],
        step=document["step"],
        basis=document["basis"],
        due=document["due"],
        pushes=tuple(map(_decode_push, document["pushes"])),
        skipped=tuple(SkippedStep(**one) for one in document["skipped"]),
        rev=document["rev"],
    )


def expiry_of(ended: datetime, again_days: int) -> datetime:
    """Return when a run that ended is deleted: not before its person may enter again."""
    return ended + max(RUN_RETENTION, timedelta(days=again_days))


def encode_push(push: RunPush) -> Document:
    return {"step": push.step, "firing": push.firing, "at": push.at, "items": list(push.items)}


def _decode_push(document: Document) -> RunPush:
    return RunPush(
        step=document["step"],
        firing=document["firing"],
        at=document["at"],
        items=tuple(document["items"]),
    )


def _encode_entry(entry: Entry) -> Document:
    return {
        "at": entry.at,
        "event": entry.event,
        "count": entry.count,
        "items": list(entry.items),
        "key": entry.key,
    }


def _decode_entry(document: Document) -> Entry:
    return Entry(
        at=document["at"],
        event=document["event"],
        count=document["count"],
        items=tuple(document["items"]),
        key=document["key"],
    )


def replacement_of(run: Run) -> tuple[Document, Document]:
    """Return the query of the run as it was read, and the document that replaces it."""
    document = encode_run(run)
    return if_unchanged(document), {**document, "rev": run.rev + 1}


def replaced(run: Run) -> Run:
    """Return the run as it is read once it was replaced."""
    return decode_run(encode_run(replace(run, rev=run.rev + 1)))
