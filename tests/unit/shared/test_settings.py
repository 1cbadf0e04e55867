"""Settings come from CARILLON_…, work by default, and refuse what would be unsafe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from shared.errors import Rejected
from shared.settings import (
    DEVELOPMENT_OPS_TOKEN,
    DEVELOPMENT_SECRET,
    MIN_SECRET_LENGTH,
    OneSignalSettings,
    OpsSettings,
    PlanSettings,
    Settings,
)

GOOD = SecretStr("0123456789abcdef" * (MIN_SECRET_LENGTH // 16))
TOKEN = SecretStr("cot_0123456789abcdef")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CARILLON_")]:
        monkeypatch.delenv(name)


def test_environment_reaches_every_group(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CARILLON_KAFKA__BOOTSTRAP_SERVERS": "kafka:9092",
        "CARILLON_MONGO__URI": "mongodb://u:p@db",
        "CARILLON_MONGO__DRIVER": "pymongo",
        "CARILLON_ONESIGNAL__BASE_URL": "https://api.onesignal.com",
        "CARILLON_SECRET_KEY": "s" * 40,
        "CARILLON_SENDER__PORT": "9000",
        "CARILLON_INGEST__TRUSTED_PROXIES": '["10.0.0.0/8"]',
        "CARILLON_PLAN__PAGE_MEMBERS": "100",
        "CARILLON_GOVERNOR__LIMIT_MARGIN": "0.5",
        "CARILLON_OPS__TOKEN": "token",
        "CARILLON_DATA_DIR": "/var/lib/carillon",
        "CARILLON_DEVELOPMENT": "true",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.kafka.bootstrap_servers == "kafka:9092"
    assert settings.mongo.uri.get_secret_value() == "mongodb://u:p@db"
    assert settings.mongo.driver == "pymongo"
    assert settings.onesignal.base_url == "https://api.onesignal.com"
    assert settings.secret_key.get_secret_value() == "s" * 40
    assert (settings.sender.port, settings.ingest.port) == (9000, 8080)
    assert settings.ingest.trusted_proxies == ["10.0.0.0/8"]
    assert settings.plan.page_members == 100
    assert settings.governor.limit_margin == 0.5
    assert settings.ops.token.get_secret_value() == "token"
    assert settings.data_dir == Path("/var/lib/carillon")
    assert settings.development is True


def test_secrets_are_not_displayed() -> None:
    settings = Settings(
        secret_key=SecretStr("hidden" * 8), ops=OpsSettings(token=SecretStr("token-1"))
    )
    assert "hidden" not in repr(settings) and "token-1" not in repr(settings)


@pytest.mark.parametrize(
    ("secret", "token", "named"),
    [
        (SecretStr(DEVELOPMENT_SECRET), TOKEN, "CARILLON_SECRET_KEY"),
        (GOOD, SecretStr(DEVELOPMENT_OPS_TOKEN), "CARILLON_OPS__TOKEN"),
        (SecretStr("short"), TOKEN, "CARILLON_SECRET_KEY"),
        (SecretStr("a" * 32), TOKEN, "CARILLON_SECRET_KEY"),
        (SecretStr("abab" * 10), TOKEN, "CARILLON_SECRET_KEY"),
        (SecretStr(" " * 40), TOKEN, "CARILLON_SECRET_KEY"),
        (GOOD, SecretStr(""), "CARILLON_OPS__TOKEN"),
        (GOOD, SecretStr("x"), "CARILLON_OPS__TOKEN"),
        (GOOD, SecretStr(" " * 20), "CARILLON_OPS__TOKEN"),
        (GOOD, SecretStr("cot 0123456789abcdef"), "CARILLON_OPS__TOKEN"),
        (GOOD, SecretStr("a" * 40), "CARILLON_OPS__TOKEN"),
    ],
)
def test_b8_published_or_weak_secrets_are_refused(
    secret: SecretStr, token: SecretStr, named: str
) -> None:
    settings = Settings(secret_key=secret, ops=OpsSettings(token=token))
    with pytest.raises(Rejected) as caught:
        settings.check_secrets()
    assert named in caught.value.message
    assert secret.get_secret_value() not in caught.value.message
    assert "openssl" in caught.value.message or "blanks" in caught.value.message


def test_b8_the_token_is_not_the_secret_key() -> None:
    with pytest.raises(Rejected, match="must not be CARILLON_SECRET_KEY"):
        Settings(secret_key=GOOD, ops=OpsSettings(token=GOOD)).check_secrets()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARILLON_PLAN__ANSWER_TIMEOUT_SECONDS", "nan"),
        ("CARILLON_PLAN__RETENTION_DAYS", "0"),
        ("CARILLON_GOVERNOR__LIMIT_MARGIN", "nan"),
        ("CARILLON_ONESIGNAL__BASE_URL", "file:///etc/passwd"),
        ("CARILLON_ONESIGNAL__BASE_URL", ""),
    ],
)
def test_n2_values_that_mean_nothing_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


def test_own_secrets_are_accepted() -> None:
    Settings(secret_key=GOOD, ops=OpsSettings(token=TOKEN)).check_secrets()


@pytest.mark.parametrize("token", [DEVELOPMENT_OPS_TOKEN, "", "x"])
def test_b8_ingest_needs_no_token_of_the_ops_api(token: str) -> None:
    settings = Settings(secret_key=GOOD, ops=OpsSettings(token=SecretStr(token)))
    settings.check_secrets(serves_ops=False)
    with pytest.raises(Rejected):
        settings.check_secrets()


def test_development_accepts_the_defaults() -> None:
    Settings(development=True).check_secrets()


def test_default_is_not_development() -> None:
    with pytest.raises(Rejected):
        Settings().check_secrets()


def test_sweep_must_be_longer_than_a_call() -> None:
    with pytest.raises(ValidationError, match="CARILLON_PLAN__ANSWER_TIMEOUT_SECONDS"):
        Settings(
            onesignal=OneSignalSettings(timeout_seconds=90),
            plan=PlanSettings(answer_timeout_seconds=90),
        )
    assert (
        Settings(plan=PlanSettings(answer_timeout_seconds=60.5)).plan.answer_timeout_seconds == 60.5
    )


@pytest.mark.parametrize(
    "name",
    ["CARILLON_PLAN__PAGE_MEMBERS=2001", "CARILLON_PLAN__PAGE_MEMBERS=0",
     "CARILLON_GOVERNOR__LIMIT_MARGIN=1.1", "CARILLON_SENDER__PORT=70000",
     "CARILLON_MONGO__DRIVER=other", "CARILLON_LOG_LEVEL=loud"],
)  # fmt: skip
def test_nonsense_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*name.split("="))
    with pytest.raises(ValidationError):
        Settings()
