"""Settings, read once from the environment (`CARILLON_…`, nested by `__`) at the composition root.

Every default works with `make run`. A module below the root takes the value it needs, not this.
"""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import Rejected
from shared.models.sentences import described

DEVELOPMENT_SECRET = "development-only-secret-key-of-carillon"  # refused outside
DEVELOPMENT_OPS_TOKEN = "ops_demo"
MIN_SECRET_LENGTH = 32
MIN_TOKEN_LENGTH = 16
MIN_DIFFERENT = 6  # of 16 random hexadecimal digits fewer are one in a million
PRINTED = re.compile(r"[\x21-\x7e]+")  # what a header can hold


def check_secret(name: str, given: SecretStr, default: str, shortest: int, hint: str = "") -> None:
    """Raise Rejected for a default, short or simple secret, in a sentence without it.

    `hint` extends the sentence.
    """
    secret = given.get_secret_value()
    advice = f"make one with: openssl rand -hex 32{hint}"
    if secret == default:
        raise Rejected(f"{name} has its published default, which anyone could use: {advice}")
    if len(secret.strip()) < shortest:
        raise Rejected(f"{name} must have at least {shortest} characters: {advice}")
    if len(set(secret)) < MIN_DIFFERENT:
        raise Rejected(f"{name} has fewer than {MIN_DIFFERENT} different characters: {advice}")


def _split(given: object) -> object:
    """Accept `a,b` as well as a JSON list."""
    if not isinstance(given, str):
        return given
    if given.lstrip().startswith("["):
        return orjson.loads(given)
    return [part.strip() for part in given.split(",") if part.strip()]


def _check_networks(networks: list[str]) -> list[str]:
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError as exc:
            raise ValueError(f"must be networks or addresses, by commas; {exc}") from exc
    return networks


Names = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Networks = Annotated[
    Names,
    AfterValidator(_check_networks),
    Field(examples=["10.0.0.0/8,192.168.0.0/16"]),
]


class Group(BaseModel):
    """Settings of one concern. An unknown key is an error, also in a group's JSON."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class KafkaSettings(Group):
    bootstrap_servers: str = "127.0.0.1:19092"
    idempotent_producer: bool = False  # Tansu refuses InitProducerId; set it with Apache Kafka
    request_timeout_ms: int = Field(10_000, ge=100)
    # Tansu answers a fetch only on this beat (seen: p50 of delivery = a quarter of it);
    # Apache Kafka answers at once whatever it is, so 500 saves CPU there.
    fetch_max_wait_ms: int = Field(50, ge=1)
    # Stages whose records mostly come of their own process fetch only so often while nothing comes,
    # and when that process has published. For Tansu, where each waiting fetch costs CPU.
    rest_ms: int = Field(0, ge=0)
    session_timeout_ms: int = Field(10_000, ge=1_000)
    replication_factor: int = Field(1, ge=1)


class MongoSettings(Group):
    uri: SecretStr = Field(  # may hold a password
        SecretStr("mongodb://127.0.0.1:27117"), examples=["mongodb://host:27017"]
    )
    database: str = "carillon"
    driver: Literal["motor", "pymongo"] = "motor"
    timeout_ms: int = Field(5_000, ge=100)  # for a server to be found, and for one operation


class OneSignalSettings(Group):
    base_url: Annotated[
        str,
        Field(
            pattern=described(
                r"^https?://[^\s/]+", "must be an address that begins with http:// or https://"
            )
        ),
    ] = "http://127.0.0.1:8095"  # outside: https://api.onesignal.com
    timeout_seconds: float = Field(60.0, gt=0)  # OneSignal answers within 100 s, advises 60
    max_connections: int = Field(64, ge=1)


class HttpSettings(Group):
    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65_535)  # 0: any free one
    public_metrics: bool = False  # /metrics and /docs to every address, not only private ones
    trusted_proxies: Networks = []  # networks whose X-Forwarded-For is believed
    max_connections: int = Field(2_000, ge=1)  # at once; beyond it 503
    # Idle connections; longer than the 60 s of usual proxies, which would lose a request otherwise.
    keep_alive_seconds: int = Field(75, ge=1)
    drain_seconds: float = 10.0  # how long a stop may wait for requests and batches under way


class IngestSettings(HttpSettings):
    port: int = Field(8080, ge=0, le=65_535)


class LimitSettings(Group):
    """Limits of the events that one process of ingest takes; beyond them 429.

    The burst is saved up while idle.
    """

    key_per_second: float = Field(5_000, gt=0)  # about what one process can do
    key_burst: float = Field(50_000, ge=1)  # a hundred full requests
    # Under public keys; private addresses aren't counted. Many may share one (offices, mobile
    # networks), and a page sends a few events.
    address_per_second: float = Field(100, gt=0)
    address_burst: float = Field(2_000, ge=1)


class SpoolSettings(Group):
    """Spool of events while Kafka is slow or away: on disk, under `data_dir`."""

    limit_bytes: int = Field(1024**3, ge=1024**2)  # about two million events; then 503
    # An event that Kafka hasn't acknowledged by then goes to disk. Seen: 4 ms, so this is an outage;
    # with the disk's sync it must stay below the second in which a refusal is due.
    publish_timeout_ms: int = Field(500, ge=10)


class SenderSettings(HttpSettings):
    port: int = Field(8090, ge=0, le=65_535)


class PlanSettings(Group):
    """Planner and scheduler."""

    page_members: int = Field(2_000, ge=1, le=2_000)  # also the most players OneSignal takes a call
    lease_seconds: float = 15.0  # a planner that died is replaced after this; renewed at a third
    poll_seconds: float = 0.2  # how soon a stage sees work of which it wasn't notified
    release_ahead_seconds: float = 2.0  # at most this much of an app's rate is in the jobs topics
    answer_timeout_seconds: float = 90.0  # an unanswered call is released again, under the same key
    # Of sends, pages and interactions; longer than the topics keep.
    retention_days: float = Field(35.0, gt=0)

    @property
    def answer_timeout(self) -> timedelta:
        return timedelta(seconds=self.answer_timeout_seconds)


class GovernorSettings(Group):
    limit_margin: float = Field(0.95, gt=0, le=1)  # share of providers' limits that is used
    transactional_share: float = Field(0.2, ge=0, lt=1)  # kept free of marketing
    heartbeat_seconds: float = Field(1.0, gt=0)  # replicas' heartbeats
    audience_refresh_seconds: float = Field(60.0, gt=0)  # how often a provider's count is requested


def _strip(given: object) -> object:
    """Return the text without blanks around it."""
    # A value read from a file ends with a line break.
    return given.strip() if isinstance(given, str) else given


class OpsSettings(Group):
    token: Annotated[SecretStr, BeforeValidator(_strip)] = SecretStr(DEVELOPMENT_OPS_TOKEN)


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="CARILLON_", env_nested_delimiter="__", extra="ignore"
    )

    development: bool = False  # set by `make run` and the tests: allows the default secrets
    secret_key: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    data_dir: Path = Path(".carillon")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    kafka: KafkaSettings = KafkaSettings()
    mongo: MongoSettings = MongoSettings()
    onesignal: OneSignalSettings = OneSignalSettings()
    ingest: IngestSettings = IngestSettings()
    spool: SpoolSettings = SpoolSettings()
    limits: LimitSettings = LimitSettings()
    sender: SenderSettings = SenderSettings()
    plan: PlanSettings = PlanSettings()
    governor: GovernorSettings = GovernorSettings()
    ops: OpsSettings = OpsSettings()
    # Of push providers beside OneSignal, by name: CARILLON_PROVIDERS__<NAME>__… (each checks its own).
    providers: dict[str, dict[str, str]] = {}

    def check_secrets(self, *, serves_ops: bool = True, hint: str = "") -> None:
        """Raise Rejected for secrets that anyone could use or guess, unless in development.

        Ingest, which may stand on a public host, needs no token of the ops API.
        """
        if self.development:
            return
        check_secret(
            "CARILLON_SECRET_KEY", self.secret_key, DEVELOPMENT_SECRET, MIN_SECRET_LENGTH, hint
        )
        if serves_ops:
            token = self.ops.token
            check_secret("CARILLON_OPS__TOKEN", token, DEVELOPMENT_OPS_TOKEN, MIN_TOKEN_LENGTH)
            if token.get_secret_value() == self.secret_key.get_secret_value():
                raise Rejected(
                    "CARILLON_OPS__TOKEN must not be CARILLON_SECRET_KEY: it is shown to people"
                )
            if not PRINTED.fullmatch(token.get_secret_value()):
                raise Rejected(
                    "CARILLON_OPS__TOKEN must be letters, digits and signs without blanks"
                )

    @model_validator(mode="after")
    def _check_answer_timeout(self) -> Settings:
        if self.plan.answer_timeout_seconds <= self.onesignal.timeout_seconds:
            raise ValueError(
                "CARILLON_PLAN__ANSWER_TIMEOUT_SECONDS must be more than"
                " CARILLON_ONESIGNAL__TIMEOUT_SECONDS: a job would be released again while its"
                " call is still under way"
            )
        return self
