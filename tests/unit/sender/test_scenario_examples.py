"""Tests that the worked examples of docs/scenarios.md go as the page has it, row by row."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sender_service.models.decide.app_rules import AppRules
from sender_service.models.decide.decide import decide, decide_together
from sender_service.models.decide.decision import Decision, End, Push, Skip, Wait
from sender_service.models.decide.folding import fold_profile
from sender_service.models.decide.person import Person
from sender_service.models.decide.progress import proceed, push_run
from sender_service.models.decide.reaction import react
from sender_service.models.decide.rules import Rules
from sender_service.models.decide.world import EMPTY_WORLD
from sender_service.models.scenario.language import ScenarioRequest
from sender_service.models.scenario.run import FiredStep, Run
from sender_service.models.scenario.scenario import Scenario
from sender_service.models.send_quiet_hours import USUAL_NIGHT
from shared.documents.profile import Profile
from shared.models.facts import BasketChanged, Bought, CustomEvent, Fact, FactLine
from shared.models.person_moment import PersonMoment
from tests.support.documents import build_profile
from tests.unit.sender.scenario_builders import app_rules

PAGE = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
PRAGUE, YEAR = ZoneInfo("Europe/Prague"), 2027
BEGIN = re.compile(
    r"^### (?P<title>[^\n]+)\n\n<!-- scenario -->\n```json\n(?P<body>.*?)^```$", re.M | re.S
)
TABLE = re.compile(r"^\| when \| what happens \| then \|\n\| --- .*\n(?P<rows>(?:\|.*\n)+)", re.M)
LINE = re.compile(r"(\d+) × (\S+) at (\d+)")


@dataclass(frozen=True)
class Example:
    scenario: Scenario
    zone: str | None
    rows: list[tuple[datetime, str, str]]  # when, what happens, then


def read_examples() -> dict[str, Example]:
    """Return the examples of the page, one a table."""
    found: dict[str, Example] = {}
    for begin in BEGIN.finditer(PAGE):
        rest = PAGE[begin.end() :]
        text = rest[: re.search(r"^##", rest, re.M).start()]  # type: ignore[union-attr]
        scenario = ScenarioRequest.model_validate_json(begin["body"]).to_scenario("demo", "example")
        zone = "Europe/London" if "in London" in text else None
        for n, table in enumerate(TABLE.finditer(text), 1):
            rows = [_read_row(line) for line in table["rows"].splitlines()]
            found[f"{begin['title']}, {n}"] = Example(replace(scenario, version=1), zone, rows)
    return found


def _read_row(line: str) -> tuple[datetime, str, str]:
    when, happens, then = (cell.strip() for cell in line.strip("|").split("|"))
    at = datetime.strptime(f"{YEAR} {when}", "%Y %d %b %H:%M").replace(tzinfo=PRAGUE)
    return at, happens, then


EXAMPLES = read_examples()


@dataclass
class Story:
    """Way of one person, as entries, the waker and planning would have it."""

    rules: AppRules
    today: Profile
    moments: list[PersonMoment] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)

    @property
    def person(self) -> Person:
        return Person.of(fold_profile(self.moments, self.today), self.runs.values())

    def due_before(self, at: datetime) -> list[Run]:
        return [run for run in self.runs.values() if run.ended is None and run.due < at]

    def happen(self, at: datetime, what: str) -> list[str]:
        """Take what the person does; return what becomes of her."""
        facts = _facts_of(what, at, f"e-{len(self.moments)}")
        moment = PersonMoment(
            app="demo",
            person="p-1",
            seen_at=at,
            zone=self.today["timeZone"],
            subscribed=1,
            facts=facts,
        )
        self.moments.append(moment)
        found = react(self.person, [moment], self.rules, EMPTY_WORLD, at)
        self.runs |= {run.id: run for run in (*found.ended, *found.begun)}
        ends = [f"ends: `{run.ended.why}`" for run in found.ended if run.ended]
        enters = [f"enters, due {_written(run.due)}" for run in found.begun]
        return [*ends, *enters, *(f"no entry: `{why}`" for _, why in found.refused)]

    def look(self, at: datetime) -> list[str]:
        """Look at what is due, until nothing is; return what becomes of it."""
        found: list[str] = []
        while due := [run for run in self.runs.values() if run.ended is None and run.due <= at]:
            of_runs = [(run, self._rules(run)) for run in due]
            for run, decision in decide_together(self.person, of_runs, EMPTY_WORLD, at):
                found.append(self._follow(run, decision, at))
        return found

    def _follow(self, run: Run, decision: Decision, at: datetime) -> str:
        rules = self._rules(run)
        match decision:
            case Push():
                return self._push(run, rules, at)
            case Wait(until=until):
                text = f"waits until {_written(until)}"
            case Skip(step=step, why=why):
                text = f"skips `{step}`: `{why}`"
            case End(why=why):
                text = f"ends: `{why}`"
            case _:
                raise AssertionError(decision)
        self.runs[run.id] = proceed(run, decision, self.person, rules, at)
        return text

    def _push(self, run: Run, rules: Rules, at: datetime) -> str:
        assert run.step is not None
        fired = FiredStep(run=run, step=run.step)
        planned = decide(self.person, fired, rules, EMPTY_WORLD, at, "planning")
        assert isinstance(planned, Push)
        self.runs[run.id] = push_run(run, "f-1", rules.own, at)
        about = " and ".join(claim.item for claim in planned.about)
        return f"pushes `{run.step}`" + (f" about {about}" if about else "")

    def _rules(self, run: Run) -> Rules:
        found = self.rules.of_version(run.scenario, run.version)
        assert found is not None
        return found


def _facts_of(what: str, at: datetime, id: str) -> list[Fact]:
    kind, _, rest = what.partition(": ")
    match kind:
        case "basket":
            lines = [FactLine(item, int(n), float(price)) for n, item, price in LINE.findall(rest)]
            total = sum(line.quantity * (line.price or 0) for line in lines)
            return [BasketChanged(id, at, lines, total, "EUR")]
        case "order":
            return [Bought(id, at, id, [FactLine(rest, 1, 9.0)], "page", 9.0, "EUR")]
        case "event":
            type_, data = rest.split(" ", 1)
            values: dict[str, Any] = json.loads(data)
            return [CustomEvent(id, at, type_, values)]
        case "a page":
            return []
    raise AssertionError(what)


def _written(at: datetime) -> str:
    local = at.astimezone(PRAGUE)
    return f"{local.day} {local:%b %H:%M}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_goes_as_the_page_has_it(name: str) -> None:
    example = EXAMPLES[name]
    rules = app_rules(example.scenario, zone=PRAGUE.key, night=USUAL_NIGHT)
    story = Story(rules, build_profile("p-1", timeZone=example.zone))
    for at, happens, then in example.rows:
        assert story.due_before(at) == [], "the waker looks in between"
        found = story.happen(at, happens) if happens else story.look(at)
        assert "; ".join(found or ["nothing"]) == then, (at, happens)


def test_page_has_three_examples() -> None:
    assert len({name.rpartition(",")[0] for name in EXAMPLES}) == 3
    assert PAGE.count("<!-- scenario -->") == 3
