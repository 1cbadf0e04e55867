"""Tests that mistakes in the environment refuse the start, in a sentence that names them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.local.settings import LocalSettings
from deploy.local.shop.settings import ShopSettings
from shared.environment import check_names, load_settings, names_of, read_settings
from shared.errors import Rejected
from shared.settings import Settings
from tests.support import stack

SECRET = "hidden-in-the-value"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CARILLON_")]:
        monkeypatch.delenv(name)


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Rejected) as caught:
        load_settings()
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CARILLON_KAFKA__BOOTSTRAP_SERVER", "CARILLON_KAFKA__BOOTSTRAP_SERVERS"),
        ("CARILLON_MONGO_URI", "CARILLON_MONGO__URI"),
        ("CARILLON_SECRETKEY", "CARILLON_SECRET_KEY"),
        ("carillon_opps__token", "CARILLON_OPS__TOKEN"),
        ("CARILLON_INGEST_TRUSTED_PROXIES", "CARILLON_INGEST__TRUSTED_PROXIES"),
    ],
)
def test_n2_unknown_name_is_refused_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    message = refusal(monkeypatch, **{name: SECRET})
    assert message == f"{name} is no setting of Carillon; did you mean {meant}?"


def test_n2_every_unknown_name_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, CARILLON_XYZZY="1", CARILLON_LOG_LEVLE="INFO")
    assert message.splitlines() == [
        "CARILLON_LOG_LEVLE is no setting of Carillon; did you mean CARILLON_LOG_LEVEL?",
        "CARILLON_XYZZY is no setting of Carillon",
    ]


def test_n2_a_key_in_a_group_given_as_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, CARILLON_KAFKA='{"bootstrap_server": "kafka:9092"}')
    assert "did you mean CARILLON_KAFKA__BOOTSTRAP_SERVERS?" in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARILLON_TEST_MONGO__URI", "mongodb://elsewhere"),
        ("CARILLON_LOCAL__SHOP_PORT", "8099"),
        ("CARILLON_PROVIDERS__WEBPUSH__SUBJECT", "mailto:ops@shop.example"),
        ("CARILLON_SHOP__PORT", "8099"),
        ("CARILLON_CLOCK_OFFSET_FILE", "/tmp/clock"),
        ("CARILLON_KAFKA_JARS", "/tmp/jars"),
        ("CARILLON_KAFKA", '{"bootstrap_servers": "kafka:9092"}'),
        # What Kubernetes gives every pod beside a service called `carillon-ingest`.
        ("CARILLON_INGEST_SERVICE_HOST", "10.0.0.1"),
        ("CARILLON_INGEST_SERVICE_PORT_HTTP", "8080"),
        ("CARILLON_INGEST_PORT", "tcp://10.0.0.1:8080"),
        ("CARILLON_INGEST_PORT_8080_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_n2_names_of_others_stay_possible(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    load_settings()


def test_n2_the_launcher_checks_its_own_names_too() -> None:
    models = (Settings, LocalSettings, ShopSettings)
    check_names({name: "x" for model in models for name in names_of(model)}, *models)
    for name, meant in (
        ("CARILLON_LOCAL__SHOPPORT", "CARILLON_LOCAL__SHOP_PORT"),
        ("CARILLON_LOCAL_SHOP_PORT", "CARILLON_LOCAL__SHOP_PORT"),
        ("CARILLON_SHOP__WRITEKEY", "CARILLON_SHOP__WRITE_KEY"),
    ):
        with pytest.raises(Rejected, match=f"did you mean {meant}"):
            check_names({name: "1"}, *models)


def test_n2_what_tests_hand_to_services_is_known(tmp_path: Path) -> None:
    settings = stack.settings_for("kafka:9092", "mongodb://db", tmp_path)
    check_names(stack.environment(settings), Settings)


@pytest.mark.parametrize(
    ("given", "networks"),
    [
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("10.0.0.0/8, 192.168.1.1,", ["10.0.0.0/8", "192.168.1.1"]),
        ('["10.0.0.0/8", "fd00::/8"]', ["10.0.0.0/8", "fd00::/8"]),
        ("", []),
    ],
)
def test_n14_proxies_are_a_comma_list_or_json(
    monkeypatch: pytest.MonkeyPatch, given: str, networks: list[str]
) -> None:
    monkeypatch.setenv("CARILLON_INGEST__TRUSTED_PROXIES", given)
    assert load_settings().ingest.trusted_proxies == networks


@pytest.mark.parametrize("given", ["10.0.0.0/33", "10.0.0.0/8,proxy", '["10.0.0.0/8"', "[1]"])
def test_n14_bad_networks_are_refused_at_load(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    message = refusal(monkeypatch, CARILLON_SENDER__TRUSTED_PROXIES=given)
    assert message.startswith("CARILLON_SENDER__TRUSTED_PROXIES ")
    assert message.endswith(
        "for example CARILLON_SENDER__TRUSTED_PROXIES=10.0.0.0/8,192.168.0.0/16"
    )
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "example"),
    [
        ("CARILLON_INGEST__PORT", "eighty", "CARILLON_INGEST__PORT=8080"),
        ("CARILLON_DEVELOPMENT", "perhaps", "CARILLON_DEVELOPMENT=false"),
        ("CARILLON_GOVERNOR__LIMIT_MARGIN", "1.1", "CARILLON_GOVERNOR__LIMIT_MARGIN=0.95"),
        ("CARILLON_LOG_LEVEL", "loud", "CARILLON_LOG_LEVEL=INFO"),
        ("CARILLON_KAFKA", "kafka:9092", "CARILLON_KAFKA__…"),
    ],
)
def test_n14_bad_value_is_a_sentence_with_an_example(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, example: str
) -> None:
    message = refusal(monkeypatch, **{name: value})
    assert message.startswith(f"{name} ") and message.endswith(example)
    assert len(message.splitlines()) == 1


def test_n14_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SECRET not in refusal(monkeypatch, CARILLON_MONGO=SECRET)
    monkeypatch.delenv("CARILLON_MONGO")
    assert SECRET not in refusal(monkeypatch, CARILLON_MONGO=f'{{"uri": ["{SECRET}"]}}')


def test_n14_rules_between_settings_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, CARILLON_PLAN__ANSWER_TIMEOUT_SECONDS="10")
    assert message.startswith("CARILLON_PLAN__ANSWER_TIMEOUT_SECONDS must be more than")


def test_n14_the_launchers_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_LOCAL__BROKER_PORT", "70000")
    with pytest.raises(Rejected, match=r"^CARILLON_LOCAL__BROKER_PORT .*=19092$"):
        read_settings(LocalSettings)
