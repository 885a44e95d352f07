"""station.labels.cli"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from station.cli import commands
from tests.support.judged_alerts import JudgedAlerts
from tests.support.stores import Place

app = typer.Typer()
app.add_typer(commands)
WHAT_FOR = ("--purpose", "a better detector", "--legal-basis", "Decision 12")


@pytest.fixture
def config(sqlite_place: Place) -> Path:
    """Of a station at which two alerts were judged."""
    alerts = JudgedAlerts(sqlite_place)
    for number in (1, 2, 3):
        alerts.alert(number)
    alerts.settle(1, "confirmed")
    alerts.settle(2, "false", "animal")
    alerts.settle(3, "false", "parked_vehicle")
    sqlite_place.close()
    path = sqlite_place.folder / "station.yaml"
    path.write_text(f"commune: hai-ninh\nstate_dir: {sqlite_place.folder}\n")
    return path


def run(config: Path, *words: str, language: str = "en") -> tuple[int, str, str]:
    environment = {"LANGUAGE": language, "TZ": "UTC", "COLUMNS": "200"}
    done = CliRunner().invoke(app, ["station", *words, "-c", str(config)], env=environment)
    return done.exit_code, done.stdout, done.stderr


def labels(config: Path, folder: Path, *words: str, language: str = "en") -> tuple[int, str, str]:
    return run(config, "labels", str(folder), "--since", "2026-03-01", *words, language=language)


def test_one_command_makes_the_set_and_says_what_is_in_it_and_what_not(config: Path, tmp_path: Path) -> None:
    code, out, err = labels(config, tmp_path / "set", *WHAT_FOR, "--officer", "Lê Văn A")

    assert code == 0, err
    assert "2 pictures, 1 road users with their label, 1 places without one" in out
    assert f"ngatu models label {tmp_path / 'set'}" in out
    assert err.splitlines() == ["left out 1: what was made of it says nothing about its label"]
    assert len(json.loads((tmp_path / "set/instances.json").read_text())["images"]) == 2
    _, log, _ = run(config, "audit", "--console", "--since", "2026-03-01", "--json")
    (entry,) = [json.loads(line) for line in log.splitlines()]
    assert (entry["verb"], entry["name"], entry["address"]) == ("export", "Lê Văn A", "station")
    assert (entry["detail"]["purpose"], entry["detail"]["legal_basis"]) == ("a better detector", "Decision 12")
    assert run(config, "verify")[0] == 0, "the log is whole"


def test_as_a_person_calls_it_it_says_so_in_vietnamese(config: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent", "station", "labels", str(tmp_path / "set"), "--since", "2026-03-01",
         *WHAT_FOR, "-c", str(config)],
        capture_output=True, env={**os.environ, "LANGUAGE": "vi", "TZ": "UTC"}, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "2 ảnh, 1 người hay xe có nhãn, 1 chỗ không có gì" in done.stdout
    assert "kết luận không nói gì về nhãn" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--purpose", "a better detector"), "--legal-basis"),
        (("--legal-basis", "Decision 12"), "--purpose"),
        (("--purpose", " ", "--legal-basis", "x"), "--purpose: 0 characters"),
        (("--purpose", "x", "--legal-basis", "x" * 301), "--legal-basis: 301 characters"),
        ((*WHAT_FOR, "--until", "2026-02-01"), "is not after"),
    ],
)
def test_without_purpose_and_legal_basis_or_in_no_time_nothing_is_made(
    config: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    code, _, err = labels(config, tmp_path / "set", *words)

    assert code == 2
    assert said in " ".join(err.split())
    assert not (tmp_path / "set").exists()


def test_a_station_that_was_never_started_is_one_clear_error_and_no_new_file(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    config = tmp_path / "station.yaml"
    config.write_text(f"commune: hai-ninh\nstate_dir: {state}\n")

    code, _, err = labels(config, tmp_path / "set", *WHAT_FOR)

    assert code == 1
    assert err.splitlines()[1].strip() == "hint: start the station once: it makes the store"
    assert list(state.iterdir()) == []
