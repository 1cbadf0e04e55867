"""Rules of apps, read for decisions: scenarios as they are now, and the versions that runs name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sender_service.models.decide.app_rules import AppRules, Version
from sender_service.models.scenario.requirements import quiet_hours_of
from sender_service.models.scenario.scenario import Scenario
from sender_service.store.campaigns import CampaignStore
from sender_service.store.scenarios import ScenarioStore
from shared.apps import AppRegistry
from shared.clock import Clock, Monotonic
from shared.errors import StoreUnavailable
from shared.models.app import App
from shared.models.quiet_hours import QuietHours

NIGHTS_KEPT_SECONDS = 5.0
VERSIONS_KEPT = 1_000  # a version never changes
VERSION_KEPT_SECONDS = 86_400.0  # then it is read again, and kept for longer
Nights = Mapping[str, QuietHours | None]


@dataclass(slots=True)
class _Known:
    """Knowledge of an app from earlier reads. `nights` are those of campaigns."""

    present: dict[str, Scenario] = field(default_factory=dict)
    nights: Nights = field(default_factory=dict)
    of_app: QuietHours | None = None
    read_at: float = 0.0


class RulesLoader:
    """Reads rules. An edit counts at once: of what is known only changed versions are read again."""

    def __init__(
        self,
        scenarios: ScenarioStore,
        campaigns: CampaignStore,
        apps: AppRegistry,
        monotonic: Monotonic,
        clock: Clock,
    ) -> None:
        self._scenarios = scenarios
        self._campaigns = campaigns
        self._apps = apps
        self._monotonic = monotonic
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._versions: dict[tuple[str, str, int], tuple[float, Scenario]] = {}

    async def load(self, app: str) -> AppRules | None:
        """Return the rules of an app's scenarios as they are now; None of an unknown app.

        Raises StoreUnavailable.
        """
        found = self._apps.get(app)
        if found is None and not self._apps.loaded:
            raise StoreUnavailable("the apps aren't known yet")
        if found is None:
            return None
        known = self._known.setdefault(app, _Known())
        known.present = await self._read_present(app, known.present)
        rules = AppRules(
            app=app,
            present=known.present,
            zone=found.time_zone,
            gap=timedelta(minutes=found.scenarios.gap_minutes),
            night=quiet_hours_of(None, found.quiet_hours),
        )
        return await self._with_nights(rules, known.present.values())

    async def add_versions(self, rules: AppRules, versions: Collection[Version]) -> AppRules:
        """Return the rules with these versions, of runs. Raises StoreUnavailable."""
        missing = {one for one in versions if rules.version(*one) is None}
        if not missing:
            return rules
        read = {one: await self._read_version(rules.app, *one) for one in sorted(missing)}
        own = {one: scenario for one, scenario in read.items() if scenario is not None}
        return await self._with_nights(replace(rules, own={**rules.own, **own}), own.values())

    async def put_draft(self, rules: AppRules, draft: Scenario) -> AppRules:
        """Return the rules with a draft in the place of the present version. Raises StoreUnavailable."""
        present = {**rules.present, draft.id: draft}
        return await self._with_nights(replace(rules, present=present), [draft])

    async def _read_present(self, app: str, known: Mapping[str, Scenario]) -> dict[str, Scenario]:
        present: dict[str, Scenario] = {}
        for id, version in (await self._scenarios.present_versions(app)).items():
            before = known.get(id)
            is_current = before is not None and before.version == version
            one = before if is_current else await self._scenarios.get(app, id)
            if one is not None:
                present[id] = one
        return present

    async def _read_version(self, app: str, scenario: str, version: int) -> Scenario | None:
        key, now = (app, scenario, version), self._monotonic()
        known = self._versions.pop(key, None)
        if known is None or now - known[0] > VERSION_KEPT_SECONDS:
            found = await self._scenarios.get_version(app, scenario, version)
            if found is None:
                return None
            await self._scenarios.keep_version(app, scenario, version, self._clock())
            known = now, found
        while len(self._versions) >= VERSIONS_KEPT:
            del self._versions[next(iter(self._versions))]
        self._versions[key] = known
        return known[1]

    async def _with_nights(self, rules: AppRules, scenarios: Iterable[Scenario]) -> AppRules:
        """Return the rules with the quiet hours of the campaigns that these scenarios push."""
        campaigns = {step.campaign for one in scenarios for step in one.steps}
        found = self._apps.get(rules.app)
        if found is None or not campaigns - rules.nights.keys():
            return rules
        return replace(rules, nights={**rules.nights, **await self._nights(found, campaigns)})

    async def _nights(self, app: App, campaigns: Collection[str]) -> Nights:
        known, now = self._known[app.id], self._monotonic()
        is_old = now - known.read_at > NIGHTS_KEPT_SECONDS or known.of_app != app.quiet_hours
        if is_old:
            known.nights, known.of_app, known.read_at = {}, app.quiet_hours, now
        missing = set(campaigns) - known.nights.keys()
        if missing:
            read = await self._campaigns.by_ids(app.id, sorted(missing))
            nights = {one: quiet_hours_of(read.get(one), app.quiet_hours) for one in missing}
            known.nights = {**known.nights, **nights}
        return known.nights
