"""Tests of what keeps the launcher from starting: one clear sentence, exit code 2, nothing started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.integration.launcher.local_stack import PORTS, free_environment
from tests.integration.launcher.running import Running, running
from tests.support.stack import free_port


def assert_refused(launcher: Running, sentence: str) -> None:
    assert launcher.exit_code() == 2
    assert launcher.lines == [sentence]


@pytest.mark.parametrize(("owner", "setting"), PORTS.items())
def test_busy_port_is_named(tmp_path: Path, owner: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        env = free_environment(tmp_path, **{setting: str(port)})
        with running("deploy.local", env=env) as launcher:
            assert_refused(
                launcher,
                f"port {port} ({owner}) is already in use;"
                f" stop what listens there or set {setting}",
            )


def test_port_of_a_server_from_outside_is_not_asked_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker, socket.create_server(("", 0)) as other:
        address = f"127.0.0.1:{broker.getsockname()[1]}"
        env = free_environment(
            tmp_path,
            CARILLON_KAFKA__BOOTSTRAP_SERVERS=address,
            CARILLON_LOCAL__BROKER_PORT=str(broker.getsockname()[1]),
            CARILLON_LOCAL__SHOP_PORT=str(other.getsockname()[1]),
        )
        with running("deploy.local", env=env) as launcher:
            assert launcher.exit_code() == 2
            assert "(shop) is already in use" in launcher.screen


def test_one_port_for_two_is_named(tmp_path: Path) -> None:
    env = free_environment(tmp_path)
    env["CARILLON_SENDER__PORT"] = port = env["CARILLON_INGEST__PORT"]
    with running("deploy.local", env=env) as launcher:
        assert_refused(
            launcher,
            f"port {port} is given to both ingest and sender; set CARILLON_SENDER__PORT to another",
        )


def test_setting_out_of_range_is_named(tmp_path: Path) -> None:
    with running(
        "deploy.local", env=free_environment(tmp_path, CARILLON_INGEST__PORT="80800")
    ) as launcher:
        assert launcher.exit_code() == 2
        assert launcher.screen.startswith("CARILLON_INGEST__PORT ")
        assert len(launcher.lines) == 1


def test_data_folder_belongs_to_one_launcher(tmp_path: Path) -> None:
    standin = "tests.integration.launcher.standin"
    env = free_environment(tmp_path)
    folder = env["CARILLON_DATA_DIR"]
    with running(standin, folder, f"shop=serves:{free_port()}") as first:
        first.until_printed("all is up")
        with running("deploy.local", env=env) as second:
            assert_refused(
                second,
                f"another launcher (process {first.process.pid}) is using the data folder"
                f" {folder}; stop it or set CARILLON_DATA_DIR",
            )


def test_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with running("deploy.local", env=free_environment(tmp_path)) as launcher:
        assert launcher.exit_code() == 2
        assert f"the data folder {tmp_path / 'data'} can't be used" in launcher.screen


def test_missing_broker_names_the_way_out(tmp_path: Path) -> None:
    with running(
        "deploy.local", env=free_environment(tmp_path, CALF_TANSU_BIN="/nowhere")
    ) as launcher:
        assert_refused(
            launcher,
            "the embedded broker is not installed (there is no wheel for every platform);"
            " set CARILLON_KAFKA__BOOTSTRAP_SERVERS to an Apache Kafka of your own",
        )
