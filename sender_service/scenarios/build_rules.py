"""Loader of scenarios' rules, as each part of a sender has its own."""

from __future__ import annotations

from sender_service.context import SenderContext
from sender_service.scenarios.rules import RulesLoader


def build_rules_loader(context: SenderContext) -> RulesLoader:
    stores = context.stores
    return RulesLoader(
        stores.scenarios, stores.campaigns, context.apps, context.monotonic, context.clock
    )
