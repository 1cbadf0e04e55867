"""Whole names that the glossary replaces: `old>new`, by the folder that defines them.

Absent are names whose old form is plain elsewhere in the folder (`call`, `look`, `claim`, `part`), and
those that a word of `dialect.py` finds already.
"""

from __future__ import annotations

_SHARED = """
PoisonWatch>PoisonThrottle Place>Partition places_of>partitions_of OffsetLedger>OffsetTracker
Shares>ConnectionQuota GroupWriter>CoalescingWriter Outgoing>OutgoingRecord Tagger>TagSigner
Tagged>TagClaims OUT_OF_STEP>FATAL_PRODUCER_ERRORS as_read>if_unchanged one_of>in_batches
is_passing>is_transient PASSING_CODES>TRANSIENT_CODES RACE_CODES>CONFLICT_CODES announce>notify
pause>sleep_or_stop until_available>retry_until_available limited_address>rate_limit_key
room_for>raise_file_limit look_after>watch_connections give_back>release share_of>stable_fraction
look_at_ends>refresh_end_offsets gather_seconds>linger_seconds
"""
_TOPICS = """
EVENTS>EVENTS_TOPIC TRIGGERS>TRIGGERS_TOPIC JOBS>JOBS_TOPIC DELIVERIES>DELIVERIES_TOPIC
PROJECTOR>PROJECTOR_GROUP
"""
_INGEST = """
Call>RawRequest Answer>RawResponse STILL>PAUSED GuardedLog>CircuitBreaker guarded_log>circuit_breaker
Front>HotPathRouter Report>PlayerReport Accepted>AcceptedEvent
Arrival>RequestContext Refusal>RejectedEvent let_in>acquire owe>overdraw Buckets>TokenBuckets
Limits>RateLimits identify_caller>authenticate identify_app>app_by_key Parts>ApiDependencies
KnownApps>AppDiskCache Waiting>PendingWrite gather>linger Shape>InputModel KNOWN>EVENT_MODELS
clock_error>clock_skew load_shallow>load_bounded Ended>ErasedMerges Bounds>ProfileLimits
owners_of>browsers_of_person see>note_activity stub>unclaimed give_up>release gone>erased_persons
"""
_SENDER = """
Named>ResolvedRecipient Erased>DataSubject Findings>DryRunResult Ahead>InFlightLimit
SeenTexts>TextHashSet Bounds>DryRunLimits together>resolve_list usable>active
end_what_is_over>end_expired hand_out>release look_again>recheck
without_unreachable>suppress_unreachable fail_later>fail_sent unpark>take_parked
page_without>blank_members is_member>covers could_be>may_cover theirs>current_owners
messageable>audience_size Why>OutcomeExplainer SendReader>SendView OpsParts>OpsApi
SilenceWatch>MongoWatchdog Exporter>PersonExporter Eraser>ErasureRequester Progress>SendForecast
Sealer>AppContentBuilder TestSender>PushTester TestPush>PushTestRequest
"""
_TESTS = """
Hands>FaultInjector World>FaultCluster,SenderHarness Course>FaultRun Line>Pipeline Pair>TwoReplicas
Turns>UnlimitedGovernor Work>ScriptedHandler Bench>StageHarness Scene>Scenario Desk>DispatcherHarness
Remote>SandboxApp
"""


def _pairs(*texts: str) -> dict[str, str]:
    split = (each.partition(">") for text in texts for each in text.split())
    return {old: new for old, _, new in split}


REPLACED = {
    "shared/": _pairs(_SHARED),
    "shared/kafka/topics.py": _pairs(_TOPICS),
    "ingest_service/": _pairs(_INGEST),
    "ingest_service/replay/": _pairs("Runs>ReplayLeases Run>ReplayLease"),
    "sender_service/": _pairs(_SENDER),
    "sender_service/accounting/": _pairs("Places>PersonalDataFinder Place>PersonalDataRecord"),
    "sender_service/cli/": _pairs("Ops>OpsClient Refused>ApiError"),
    "sender_service/planner/": _pairs("Places>TextIndex"),
    "sender_service/store/": _pairs("Known>PersonNames Found>MemberOutcome"),
    "deploy/": _pairs("carry>log_backup where>summary"),
    "tests/": _pairs(_TESTS),
}


def replacement_of(path: str, name: str) -> str | None:
    """Return the new name of one that a file defines, else None; a leading underscore stays."""
    bare = name.lstrip("_")
    found = (new for folder, new in REPLACED.items() if path.startswith(folder) and bare in new)
    new = next(found, None)
    return None if new is None else name[: len(name) - len(bare)] + new[bare]
