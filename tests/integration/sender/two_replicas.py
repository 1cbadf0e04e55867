"""Two wired senders on one database and one log, as two replicas are."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from sender_service.intake.request import TriggerRequest
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import begin_run, push_run
from sender_service.models.scenario.firing import Firing, trigger_of
from sender_service.models.scenario.run import Entry
from sender_service.models.trigger import parse_trigger
from sender_service.store.stores import Stores
from sender_service.wiring import Sender, open_sender
from shared.clock import utc_now
from shared.documents.profile import Profile
from shared.kafka.client import ensure_topics
from shared.kafka.topics import MARKETING_JOBS_TOPIC, TOPICS, TRANSACTIONAL_JOBS_TOPIC
from shared.models.app import AppContent, OneSignalApp
from shared.models.job import Job
from shared.mongo.client import Database
from shared.settings import MongoSettings, OneSignalSettings, PlanSettings, Settings
from tests.support.builders import campaign
from tests.support.documents import build_profile, store_people
from tests.support.firings import build_firing
from tests.support.stack import free_port
from tests.unit.sender.scenario_builders import rules_of, scenario, step

APP, CAMPAIGN = "demo", "welcome"


@dataclass
class TwoReplicas:
    """Replicas `one` and `two`, which share only MongoDB."""

    settings: Settings
    one: Sender
    two: Sender
    onesignal: str

    @property
    def database(self) -> Database:
        return self.one.context.database

    @property
    def stores(self) -> Stores:
        return self.one.context.stores

    @property
    def both(self) -> tuple[Sender, Sender]:
        return self.one, self.two

    async def start_again(self) -> None:
        """Reset to a shop with a campaign, and nothing else."""
        database = self.one.context.database
        for name in await database.list_collection_names():
            await database[name].delete_many({})
        sealed = self.one.context.vault.encrypt("os_v2_app_key")
        one_signal = OneSignalApp(app_id=self.onesignal, rest_api_key=sealed, plan="paid")
        content = AppContent(name="Demo", one_signal=one_signal)
        await self.stores.apps.change(APP, lambda _: content)
        await self.stores.campaigns.put(campaign())
        for sender in self.both:
            await sender.context.apps.refresh()
            sender.budget.counts._counts.clear()  # what it remembers of who is subscribed

    async def people(self, count: int, browsers: int = 1, **fields: Any) -> list[str]:
        """Add people, each with that many browsers; return their players' ids."""
        now = utc_now()
        profiles: list[Profile] = []
        for n in range(count):
            players = [{"id": str(uuid.uuid4())} for _ in range(browsers)]
            known = {"login": f"login{n}", "visitors": [f"v{n}"], "lastSeenAt": now, **fields}
            profiles.append(build_profile(f"p{n}", APP, players=players, **known))
        await store_people(self.database, *profiles)
        return [player["id"] for profile in profiles for player in profile["players"]]

    async def trigger(self, **fields: Any) -> str:
        """Take in a trigger; return the send's id."""
        send = str(uuid.uuid4())
        target = {} if "recipients" in fields else {"audience": {"all": True}}
        body = {"id": send, "app": APP, "campaign": CAMPAIGN, **target, **fields}
        request = TriggerRequest(*parse_trigger(orjson.dumps(body)))
        assert await self.one.intake().accept([request]) == [None]
        return send

    async def fire(self, login: str) -> str:
        """Store a firing and its run, and take in its trigger for this login; return the send's id."""
        firing = build_firing(str(uuid.uuid4()), utc_now())
        assert await self.stores.firings.insert(firing)
        await self._store_run(login, firing)
        body = {**orjson.loads(trigger_of(firing)), "recipients": [{"login": login}]}
        request = TriggerRequest(*parse_trigger(orjson.dumps(body)))
        assert await self.one.intake().accept([request]) == [None]
        return firing.id

    async def _store_run(self, login: str, firing: Firing) -> None:
        """Store the run that a firing pushes, of a scenario that asks for no knowledge."""
        now, people = firing.made_at, await self.stores.people.by_logins(APP, [login])
        own = scenario(step(firing.step), id=firing.scenario, until=())
        own = await self.stores.scenarios.put(own, now - timedelta(days=1))
        entry = Entry(at=now - timedelta(hours=1), event=f"e-{login}")
        run = begin_run(Person.of(people[login]), entry, now, rules_of(own))
        assert await self.stores.runs.insert([push_run(run, firing.id, own, now)]) == {run.id}

    async def planned(self, **fields: Any) -> str:
        send = await self.trigger(**fields)
        assert await self.one.planners()[1].plan_one()
        return send

    async def jobs(self, send: str) -> list[Job]:
        """Return the send's jobs that were released so far."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka.bootstrap_servers)
        await consumer.start()
        try:
            places = [
                TopicPartition(topic.name, n)
                for topic in (MARKETING_JOBS_TOPIC, TRANSACTIONAL_JOBS_TOPIC)
                for n in range(topic.partitions)
            ]
            consumer.assign(places)
            await asyncio.gather(*(consumer.seek_to_beginning(place) for place in places))
            found: list[Job] = []
            while fetched := await consumer.getmany(timeout_ms=400):
                jobs = [Job.parse(m.value) for messages in fetched.values() for m in messages]
                found += [job for job in jobs if job.send == send]
            return found
        finally:
            await consumer.stop()

    async def pages(self, send: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [
            p async for p in self.one.context.database["pages"].find({"send": send})
        ]
        return sorted(found, key=lambda page: page["number"])


@asynccontextmanager
async def open_pair(settings: Settings, driver: str, **plan: Any) -> AsyncIterator[TwoReplicas]:
    mongo = {
        "uri": SecretStr(settings.mongo.uri.get_secret_value()),
        "database": settings.mongo.database,
    }
    settings = settings.model_copy(
        update={
            "mongo": MongoSettings.model_validate({**mongo, "driver": driver}),
            # Nobody there: the count of subscribers is ours alone.
            "onesignal": OneSignalSettings(base_url=f"http://127.0.0.1:{free_port()}"),
            "plan": PlanSettings(**plan),
        }
    )
    await ensure_topics(settings.kafka, TOPICS)
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(open_sender(settings))
        two = await stack.enter_async_context(open_sender(settings))
        # No projector is here that could know anybody later.
        one, two = (replace(sender, unknown_names=None) for sender in (one, two))
        yield TwoReplicas(settings, one, two, str(uuid.uuid4()))


def chunks_of(jobs: Sequence[Job]) -> list[tuple[int, str, int]]:
    return sorted((job.page, job.chunk, job.release) for job in jobs)
