"""Metrics of both services, named once. `code` labels are the codes of `shared.errors`."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

EVENTS_ACCEPTED = Counter(
    "carillon_ingest_events_total", "Events stored on the log", ["app", "type"]
)
EVENTS_REJECTED = Counter(
    "carillon_ingest_rejected_total", "Events or requests refused, by code", ["code"]
)
EVENTS_WARNED = Counter(
    "carillon_ingest_warnings_total",
    "Parts left out of accepted events, by code",
    ["app", "code"],
)
WEBHOOKS_UNATTRIBUTABLE = Counter(
    "carillon_ingest_unattributable_total",
    "Webhooks and stream events accepted that can never count: no message, no player, unknown kind",
    ["app", "reason"],
)
SPOOL_RECORDS = Gauge("carillon_spool_records", "Events on disk that Kafka doesn't have yet")
SPOOL_BYTES = Gauge("carillon_spool_bytes", "Bytes on disk, of the spool's limit")
SPOOL_DRAINED = Counter("carillon_spool_drained_total", "Events published from the spool")
STAGE_RECORDS = Counter("carillon_stage_records_total", "Records handled", ["stage"])
STAGE_POISON = Counter(
    "carillon_stage_dead_letters_total", "Records dead-lettered", ["stage", "code"]
)
STAGE_LAG = Gauge("carillon_stage_lag_records", "Records not done yet", ["stage", "topic"])
STAGE_AGE = Gauge(
    "carillon_stage_age_seconds",
    "Age of the oldest record under way, else of the last one handled",
    ["stage"],
)
STAGE_RETRIES = Counter("carillon_stage_retries_total", "Batches tried again", ["stage", "code"])
STAGE_SECONDS = Histogram(
    "carillon_stage_batch_seconds",
    "Duration of a batch",
    ["stage"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
CALLS = Counter(
    "carillon_provider_calls_total",
    "Calls to push providers by outcome; a repeated call has the reason, as rate_limited",
    ["app", "provider", "outcome", "reason"],
)
CALL_SECONDS = Histogram(
    "carillon_provider_call_duration_seconds", "Duration of a call", ["app", "provider"]
)
BUDGET_EXHAUSTED = Gauge(
    "carillon_message_budget_held",
    "1 while the message limit holds an app back",
    ["app", "provider"],
)
RATE_SHARE = Gauge(
    "carillon_governor_rate", "This replica's share, requests a second", ["app", "provider"]
)
INTERACTIONS_CHECKED = Counter(
    "carillon_interactions_total",
    "Webhooks verified: counted, repeated, forged, foreign, early (kept until their delivery), late",
    ["result"],
)
RUNS_DUE = Gauge("carillon_runs_due", "Runs found due and not looked at yet", ["app"])
RUNS_OLDEST_DUE = Gauge(
    "carillon_runs_oldest_due_seconds", "Since when the oldest of these runs was due", ["app"]
)
FIRINGS_OPEN = Gauge("carillon_firings_open", "Firings whose sends aren't over yet", ["app"])
SCENARIO_DECISIONS = Counter(
    "carillon_scenario_decisions_total",
    "Decisions on due runs: push, wait, skip, end; and why it was skipped or ended",
    ["app", "result", "why"],
)
SCENARIO_OCCURRENCES = Counter(
    "carillon_scenario_occurrences_total", "Firings made by the clock", ["app"]
)
SCENARIO_ENTRIES = Counter(
    "carillon_scenario_entries_total",
    "Facts that would enter a scenario: entered, or why not",
    ["app", "result"],
)
SCENARIO_EXITS = Counter(
    "carillon_scenario_exits_total", "Runs that a fact ended, by reason", ["app", "reason"]
)
PAGES_PLANNED = Counter("carillon_pages_planned_total", "Pages planned", ["app"])

TOKENS_REFUSED = Counter(
    "carillon_ops_tokens_refused_total",
    "Tokens that the ops API refused: wrong, or not checked (limited) after too many from an address",
    ["reason"],
)
KNOWLEDGE_OLD = Gauge(
    "carillon_knowledge_old", "1 while what is known of people is too old for scenario pushes"
)
SPOOLS_ABANDONED = Gauge(
    "carillon_spools_abandoned", "Spools passed over: their processes gave no sign for long"
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
render = generate_latest
