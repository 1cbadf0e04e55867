"""The `reports` and `send_reports` collections: breakdowns of deleted and of present sends."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from sender_service.models.report import Report, SendReport
from sender_service.models.send import SendRow
from sender_service.store.report_codec import (
    decode_report,
    decode_send_report,
    encode_report,
    encode_send_report,
)
from shared.mongo.client import (
    Database,
    Document,
    if_unchanged,
    retry_on_conflict,
    translate_mongo_errors,
)
from shared.mongo.collections import REPORTS, SEND_REPORTS
from shared.mongo.whole_reads import read_all


class ReportStore:
    """Stores reports. Every method raises StoreUnavailable when MongoDB is away."""

    def __init__(self, database: Database) -> None:
        self._reports = database[REPORTS.name]
        self._of_sends = database[SEND_REPORTS.name]

    async def report(self, key: str) -> Report | None:
        with translate_mongo_errors():
            found = await self._reports.find_one({"_id": key})
        return None if found is None else decode_report(found)

    async def write(self, report: Report) -> bool:
        """Write a report; return False if its `rev` changed since it was read."""
        document = encode_report(report) | {"rev": report.rev + 1}
        with translate_mongo_errors():
            if report.rev == 0:
                try:
                    await self._reports.insert_one(document)
                except DuplicateKeyError:
                    return False
                return True
            query = if_unchanged({"_id": report.id, "rev": report.rev})
            return (await self._reports.replace_one(query, document)).matched_count == 1

    async def forget_pending(self, key: str, send: str) -> None:
        """Remove a rolled-up send from the report's pending ones, and delete its breakdown."""
        with translate_mongo_errors():
            await self._reports.update_one(
                {"_id": key}, {"$pull": {"pendingSends": send}, "$inc": {"rev": 1}}
            )
            await self._of_sends.delete_one({"_id": send})

    async def of_sends(self, app: str, campaign: str) -> dict[str, SendReport]:
        """Return send → its computed report; reports may be out of date."""
        query = {"app": app, "campaign": campaign}
        with translate_mongo_errors():
            return {
                d["_id"]: decode_send_report(d)
                for d in await read_all(self._of_sends, query)
                if "cells" in d
            }

    async def keep(self, send: SendRow, report: SendReport) -> None:
        place = {"app": send.app, "campaign": send.campaign, "requested": False}
        await self._upsert(send.id, place | encode_send_report(report))

    async def request_report(self, sends: Sequence[SendRow]) -> None:
        """Mark the reports of these sends to be computed by any replica."""
        for send in sends:
            place = {"app": send.app, "campaign": send.campaign}
            await self._upsert(send.id, {**place, "requested": True})

    async def requested_reports(self, limit: int) -> list[str]:
        with translate_mongo_errors():
            found = self._of_sends.find({"requested": True}, {"_id": 1}).limit(limit)
            return [str(d["_id"]) async for d in found]

    async def forget(self, send: str) -> None:
        with translate_mongo_errors():
            await self._of_sends.delete_one({"_id": send})

    async def _upsert(self, key: str, fields: Document) -> None:
        write = UpdateOne({"_id": key}, {"$set": fields}, upsert=True)
        with translate_mongo_errors():
            await retry_on_conflict(lambda: self._of_sends.bulk_write([write]))
