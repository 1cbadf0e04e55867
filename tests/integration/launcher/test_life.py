"""A launcher's life with stand-in children: starts, deaths, ends, and nothing left behind."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.integration.launcher.running import running, until
from tests.support.stack import free_port

STANDIN = "tests.integration.launcher.standin"
HASTY = {"CARILLON_LOCAL__STOP_SECONDS": "1"}
PATIENT = {"CARILLON_LOCAL__STOP_SECONDS": "600"}


def part(name: str, behaviour: str) -> str:
    return f"{name}={behaviour}:{free_port()}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_one_signal_stops_all_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    parts = [part("database", "hides"), part("ingest", "serves"), part("sender", "serves")]
    with running(STANDIN, str(tmp_path), *parts) as launcher:
        launcher.until_printed("all is up")
        assert len(launcher.children()) == 4  # one has a child of its own
        assert launcher.end(number) == 0
        launcher.until_nothing_is_left()


def test_endpoints_close_before_the_stores(tmp_path: Path) -> None:
    names = ["shop", "ingest", "sender", "sandbox", "database"]
    with running(STANDIN, str(tmp_path), *(part(name, "serves") for name in names)) as launcher:
        launcher.until_printed("all is up")
        launcher.end()
        stopped = [line.split()[2] for line in launcher.lines if "has stopped" in line]
    assert set(stopped[:2]) == {"shop", "ingest"}
    assert stopped[2:] == ["sender", "sandbox", "database"]


def test_one_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    with running(STANDIN, str(tmp_path), part("ingest", "clings"), env=HASTY) as launcher:
        launcher.until_printed("all is up")
        assert launcher.end() == 0
        assert "ingest did not stop in time: killed" in launcher.screen
        launcher.until_nothing_is_left()


def test_second_ctrl_c_hastens(tmp_path: Path) -> None:
    with running(STANDIN, str(tmp_path), part("ingest", "clings"), env=PATIENT) as launcher:
        launcher.until_printed("all is up")
        launcher.send(signal.SIGTERM)
        launcher.send(signal.SIGTERM)  # `make` may pass on what the terminal sent to all
        launcher.until_printed("stopping")

        def impatient() -> bool:
            launcher.send(signal.SIGINT)
            return launcher.process.poll() is not None

        until(impatient, "the launcher ends")
        assert launcher.exit_code() == 0
        assert "ingest did not stop in time: killed" in launcher.screen
        launcher.until_nothing_is_left()


def test_log_of_the_last_run_is_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with running(STANDIN, str(tmp_path), part("sender", "dies")) as launcher:
            assert launcher.exit_code() == 1
    for name in ("sender.log", "sender.1.log"):
        assert (tmp_path / "logs" / name).read_text().count("the moon") == 1


def test_stop_during_start_leaves_nothing(tmp_path: Path) -> None:
    with running(STANDIN, str(tmp_path), f"ingest=silent:{free_port()}") as launcher:
        launcher.until_printed("starting ingest")
        assert launcher.end() == 0
        launcher.until_nothing_is_left()
    assert "all is up" not in launcher.screen


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_killed_launcher_leaves_nothing(tmp_path: Path) -> None:
    parts = [part("database", "serves"), part("ingest", "clings")]
    with running(STANDIN, str(tmp_path), *parts) as launcher:
        launcher.until_printed("all is up")
        launcher.end(signal.SIGKILL)
        launcher.until_nothing_is_left()


def test_death_while_starting_is_reported_with_its_last_words(tmp_path: Path) -> None:
    parts = [part("database", "serves"), part("sender", "dies"), part("ingest", "serves")]
    with running(STANDIN, str(tmp_path), *parts) as launcher:
        assert launcher.exit_code() == 1
        assert "sender died while starting (exit code 7)" in launcher.screen
        assert "the moon is in the wrong house" in launcher.screen
        launcher.until_nothing_is_left()


def test_late_death_is_named_and_repaired(tmp_path: Path) -> None:
    ingest = part("ingest", "serves")
    with running(STANDIN, str(tmp_path), ingest, part("sender", "serves")) as launcher:
        launcher.until_printed("all is up")
        for times, pause in ((1, "0.5 s"), (2, "1 s")):
            launcher.child(ingest.rpartition(":")[2]).kill()
            launcher.until_printed("ingest died (killed by SIGKILL)", times)
            assert f"starting it again in {pause}" in launcher.screen
            launcher.until_printed("ingest is ready again", times)
        assert "sender died" not in launcher.screen
        assert launcher.end() == 0


@pytest.mark.stack
def test_new_broker_makes_its_readers_start_again(tmp_path: Path) -> None:
    parts = [part(name, "serves") for name in ("ingest", "projector", "sender")]
    parts.append(part("broker", "broker"))
    with running(STANDIN, str(tmp_path), *parts) as launcher:
        launcher.until_printed("all is up")
        launcher.child("memory://").kill()
        for name in ("broker", "projector", "sender"):
            launcher.until_printed(f"{name} is ready again")
        assert "ingest is ready again" not in launcher.screen  # it spools
        assert "sender died" not in launcher.screen
        assert launcher.end() == 0
        launcher.until_nothing_is_left()


@pytest.mark.stack
@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_n22_a_killed_launcher_is_reported_by_the_next(tmp_path: Path) -> None:
    # What the log had in its memory is gone, and nothing else would ever report it.
    broker, lost = part("broker", "broker"), "the last run was killed"
    with running(STANDIN, str(tmp_path), broker) as launcher:
        launcher.until_printed("all is up")
        assert lost not in launcher.screen
        launcher.end(signal.SIGKILL)
        launcher.until_nothing_is_left()
    with running(STANDIN, str(tmp_path), broker) as launcher:
        launcher.until_printed("all is up")
        assert lost in launcher.screen
        assert launcher.end() == 0
    with running(STANDIN, str(tmp_path), broker) as launcher:
        launcher.until_printed("all is up")
        assert lost not in launcher.screen
        assert launcher.end() == 0
