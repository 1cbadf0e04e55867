"""Collections, their writers and their indexes: declared here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

INGEST = "ingest"
SENDER = "sender"
BOTH = "both"


@dataclass(frozen=True)
class Index:
    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    expires: bool = False  # a TTL index on a date


@dataclass(frozen=True)
class CollectionSpec:
    """Collection with one writing service (but for the installation's own); the other may read."""

    name: str
    writer: str
    indexes: tuple[Index, ...] = ()


def _by(*fields: str) -> Index:
    return Index(tuple((field, 1) for field in fields))


_EXPIRY = Index((("expireAt", 1),), expires=True)

PROFILES = CollectionSpec(
    "profiles",
    INGEST,
    (
        _by("app", "slot"),
        _by("head"),
        _by("app", "login"),
        _by("app", "email"),
        _by("visitors"),
        _by("app", "changedAt"),
    ),
)
VISITORS = CollectionSpec("visitors", INGEST, (_by("persons"),))
PLAYERS = CollectionSpec(
    "players", INGEST, (_by("app", "state"), _by("app", "person"), _by("app", "changedAt"))
)
MERGES = CollectionSpec("merges", INGEST, (_by("app", "person"),))
ERASED = CollectionSpec("erased", INGEST)  # persons, by their keyed hash, and when: tombstones
PROJECTOR_META = CollectionSpec(
    "projector", INGEST
)  # its log, its erasures, its pause: a document each
APPS = CollectionSpec("apps", SENDER)
CAMPAIGNS = CollectionSpec("campaigns", SENDER, (_by("app"),))
CAMPAIGN_VERSIONS = CollectionSpec("campaign_versions", SENDER)  # those that were replaced
SCENARIOS = CollectionSpec("scenarios", SENDER, (_by("app"),))
# Those that were replaced. Runs name them: whoever decides on one keeps its version for longer.
SCENARIO_VERSIONS = CollectionSpec("scenario_versions", SENDER, (_EXPIRY,))
# Runs, firings and the leases of apps: what scenarios do.
RUNS = CollectionSpec(
    "runs",
    SENDER,
    (_by("app", "due"), _by("app", "person"), _by("app", "scenario", "entry.at"), _EXPIRY),
)
FIRINGS = CollectionSpec(
    "firings", SENDER, (_by("app", "state"), _by("app", "scenario", "dueAt"), _EXPIRY)
)
WAKERS = CollectionSpec("wakers", SENDER)
# What a sample of each app's people did lately, how large it is, and simulations over it.
HISTORIES = CollectionSpec("histories", SENDER, (_by("app", "place"), _EXPIRY))
HISTORY_SAMPLES = CollectionSpec("history_samples", SENDER)
SIMULATIONS = CollectionSpec("simulations", SENDER, (_by("app"), _by("state"), _EXPIRY))
BACKFILLS = CollectionSpec("backfills", SENDER, (_by("app"), _by("state"), _EXPIRY))
SENDS = CollectionSpec(
    "sends",
    SENDER,
    (
        _by("priority", "planDue"),
        _by("app", "campaign", "createdAt"),
        _by("app", "createdAt"),
        _by("head"),
        _by("closedAt"),
        _by("expireAt", "app"),  # what is to be rolled up soon
        Index((("deleteAt", 1),), expires=True),  # set once it is rolled up into its report
    ),
)
PARTS = CollectionSpec("parts", SENDER, (_by("send"), _EXPIRY))
PAGES = CollectionSpec(
    "pages",
    SENDER,
    (
        _by("send", "open"),
        _by("app", "priority", "dueAt"),
        _by("notifications"),
        _EXPIRY,
    ),
)
BODIES = CollectionSpec("bodies", SENDER, (_EXPIRY,))
PARKED = CollectionSpec("parked", SENDER, (_by("message"), _EXPIRY))
CONTACTS = CollectionSpec("contacts", SENDER, (_EXPIRY,))
INTERACTIONS = CollectionSpec("interactions", SENDER, (_by("send"), _EXPIRY))
BUDGETS = CollectionSpec("budgets", SENDER)
REPLICAS = CollectionSpec("replicas", SENDER)
DEAD_LETTERS = CollectionSpec("dead_letters", SENDER, (_by("at"), _by("head"), _EXPIRY))
REPORTS = CollectionSpec("reports", SENDER, (_by("app"),))
SEND_REPORTS = CollectionSpec("send_reports", SENDER, (_by("app", "campaign"), _by("requested")))
TOKENS = CollectionSpec("tokens", SENDER, (Index((("hash", 1),), unique=True),))
AUDIT = CollectionSpec("audit", SENDER, (_by("at"), _EXPIRY))

# Documents of the whole installation: its secret key's check, and what probes write. Either service
# may be the first.
INSTALLATION = CollectionSpec("installation", BOTH)

# A document a process, with a beat (shared/processes.py).
PROCESSES = CollectionSpec("processes", BOTH, (_EXPIRY,))

COLLECTIONS = (
    PROFILES, VISITORS, PLAYERS, MERGES, ERASED, PROJECTOR_META,
    APPS, CAMPAIGNS, CAMPAIGN_VERSIONS, SCENARIOS, SCENARIO_VERSIONS, RUNS, FIRINGS, WAKERS,
    HISTORIES, HISTORY_SAMPLES, SIMULATIONS, BACKFILLS,
    SENDS, PARTS, PAGES, BODIES, PARKED, CONTACTS, INTERACTIONS, BUDGETS, REPLICAS, DEAD_LETTERS, REPORTS,
    SEND_REPORTS, TOKENS, AUDIT, INSTALLATION, PROCESSES,
)  # fmt: skip


def indexes_of(service: str) -> Iterator[tuple[str, tuple[Index, ...]]]:
    """Yield each collection that the service writes, by name, with its indexes."""
    for collection in COLLECTIONS:
        if collection.writer in (service, BOTH) and collection.indexes:
            yield collection.name, collection.indexes
