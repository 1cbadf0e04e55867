"""Stores of sends: their lists and pages, and what became of each member."""

from __future__ import annotations

from dataclasses import dataclass

from sender_service.store.interactions import InteractionStore
from sender_service.store.outcomes import OutcomeReader
from sender_service.store.pages import PageStore
from sender_service.store.parked import ParkedStore
from sender_service.store.parts import PartStore
from sender_service.store.reports import ReportStore
from sender_service.store.send_list import SendList
from sender_service.store.sends import SendStore
from shared.mongo.client import Database


@dataclass(frozen=True, kw_only=True)
class SendStores:
    interactions: InteractionStore
    outcomes: OutcomeReader
    pages: PageStore
    parked: ParkedStore
    parts: PartStore
    reports: ReportStore
    send_list: SendList
    sends: SendStore


def open_send_stores(database: Database) -> SendStores:
    return SendStores(
        interactions=InteractionStore(database),
        outcomes=OutcomeReader(database),
        pages=PageStore(database),
        parked=ParkedStore(database),
        parts=PartStore(database),
        reports=ReportStore(database),
        send_list=SendList(database),
        sends=SendStore(database),
    )
