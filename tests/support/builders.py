"""Campaigns, sends, profiles and pages, as small as they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sender_service.models.campaign import Campaign
from sender_service.models.push import Push
from sender_service.models.send import Send
from sender_service.pages.chunk import Chunk
from sender_service.pages.page import Page
from sender_service.planner.building import PageBuilder, SendPlan
from sender_service.planner.rendering import Renderer
from sender_service.planner.target import Candidate
from sender_service.providers.onesignal.limits import MAX_TARGETS
from shared.documents.profile import Profile
from shared.models.app import App
from shared.providers import DEFAULT_PROVIDER
from shared.secrets import Vault
from tests.support.clocks import START
from tests.support.documents import build_profile
from tests.support.pages import build_chunk, build_page
from tests.support.sends import build_send

SEND = "0b6c2a1e-58d4-4b8a-9a61-0f4c1f2a7d10"
VAULT = Vault("a secret key of at least 32 characters")
ONESIGNAL_APP_ID = "11111111-2222-4333-8444-555555555555"


def player_id(n: int) -> str:
    return f"00000000-0000-4000-8000-{n:012d}"


def variant(**fields: Any) -> dict[str, Any]:
    return {
        "id": "a",
        "headings": {"en": "Hello"},
        "contents": {"en": "Come and see"},
        "url": "https://shop.example/",
        **fields,
    }


def campaign(*variants: dict[str, Any], **policy: Any) -> Campaign:
    return Campaign.model_validate(
        {
            "id": "welcome",
            "app": "demo",
            "version": 1,
            "name": "Welcome",
            "variants": list(variants) or [variant()],
            "policy": policy,
        }
    )


def send(**fields: Any) -> Send:
    snapshot = {"policy": {"ttlSeconds": 3_600}}
    return build_send(SEND, START, **{"campaign_snapshot": snapshot, "pages": 1, **fields})


def player(n: int, state: str = "subscribed", seen: int = 0) -> dict[str, Any]:
    return {"id": player_id(n), "state": state, "browser": "Chrome",
            "lastSeenAt": START + timedelta(minutes=seen)}  # fmt: skip


def profile(person: str, *players: dict[str, Any], **fields: Any) -> Profile:
    return build_profile(person, players=players, **fields)


def chunk(**fields: Any) -> Chunk:
    return Chunk(build_chunk(**fields))


def page(
    members: Sequence[tuple[str, str, str]] = (),
    chunks: Mapping[str, Mapping[str, Any]] | None = None,
    **fields: Any,
) -> Page:
    """Members default to two players of two people in chunk "0"."""
    members = members or [(player_id(1), "p1", "0"), (player_id(2), "p2", "0")]
    return build_page(SEND, members, chunks, **fields)


def page_with(**fields: Any) -> Page:
    """Return a page whose only chunk "0" has these fields."""
    return page(chunks={"0": fields})


def plan(
    of: Campaign | None = None,
    *,
    page_members: int = 2_000,
    chunk_members: int = MAX_TARGETS,
    priority: str = "marketing",
    **variables: Any,
) -> SendPlan:
    sending = send(priority=priority, state="planning")
    most = {DEFAULT_PROVIDER: chunk_members}
    return SendPlan(sending, of or campaign(), Renderer(variables), page_members, most)


def pages_of(of: SendPlan, candidates: Sequence[Candidate]) -> list[Page]:
    """Build pages as the planner does."""
    seen: set[str] = set()
    builder, pages = PageBuilder(of, 0, START, seen), []
    for candidate in candidates:
        if not builder.add(candidate):
            pages.append(builder.page(builder.cursor))
            seen |= {member[0] for member in builder.members}
            builder = PageBuilder(of, builder.n + 1, START, seen)
            assert builder.add(candidate)
    return [*pages, builder.page(None)]


def candidates(*profiles: Profile, **fields: Any) -> list[Candidate]:
    return [Candidate(i + 1, p, **fields) for i, p in enumerate(profiles)]


def outcomes(of: SendPlan, *profiles: Profile) -> dict[str, str]:
    """Player → reason, or "" for who gets it."""
    (page,) = pages_of(of, candidates(*profiles))
    found = {}
    for index, (name, _, chunk) in enumerate(page.members):
        outcome = page.document["outcomes"].get(str(index))
        assert (outcome is None) == (chunk in page.chunks)
        found[name] = "" if outcome is None else outcome[1]
    return found


def build_push(text: str) -> Push:
    return Push(title="Hello", text=text, url="https://shop.example/")


def build_app(name: str = "demo") -> App:
    one_signal = {"appId": ONESIGNAL_APP_ID, "restApiKey": VAULT.encrypt("os_v2_app_key")}
    return App.model_validate({"_id": name, "name": name, "version": 1, "oneSignal": one_signal})


def build_page_of(size: int) -> Page:
    """Return a page of that many players in one chunk."""
    return page([(f"p{i}", f"person{i}", "0") for i in range(size)])
