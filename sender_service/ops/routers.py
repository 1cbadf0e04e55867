"""Composition of the ops API: its routers, its tokens, its middlewares."""

from __future__ import annotations

from fastapi import FastAPI

from sender_service.ops.access_routers import ACCESS_ROUTERS
from sender_service.ops.app import create_app
from sender_service.ops.app_keys import keys_router
from sender_service.ops.apps import apps_router
from sender_service.ops.auth import Tokens
from sender_service.ops.campaign_results import results_router
from sender_service.ops.campaigns import campaigns_router
from sender_service.ops.context import OpsContext
from sender_service.ops.dead_letters import dead_letters_router
from sender_service.ops.guesses import Guesses
from sender_service.ops.people import people_router
from sender_service.ops.preview import preview_router
from sender_service.ops.scenario_backfills import backfills_router
from sender_service.ops.scenario_drafts import scenario_drafts_router
from sender_service.ops.scenario_people import scenario_people_router
from sender_service.ops.scenarios import scenarios_router
from sender_service.ops.send_list import send_list_router
from sender_service.ops.sends import sends_router
from sender_service.ops.unknown_app import add_known_apps
from shared.mongo.client import ping

# In the document's order; of two routes that a path fits, the first one answers.
ROUTERS = (
    apps_router,
    keys_router,
    campaigns_router,
    results_router,
    preview_router,
    scenarios_router,
    scenario_people_router,
    scenario_drafts_router,
    backfills_router,
    send_list_router,
    sends_router,
    people_router,
    dead_letters_router,
    *ACCESS_ROUTERS,
)


class OpsApi(OpsContext):
    """The ops API of a context."""

    def api(self) -> FastAPI:
        tokens = Tokens(
            bootstrap=self.settings.ops.token.get_secret_value(),
            store=self.stores.tokens,
            vault=self.vault,
            clock=self.clock,
            monotonic=self.monotonic,
        )
        api = create_app(
            self.settings.sender,
            (tokens, Guesses(self.monotonic)),
            (self.stores.audit, self.clock),
            self.health,
            lambda: ping(self.database),
            [router(self) for router in ROUTERS],
        )
        add_known_apps(api, self.apps)
        return api
