"""station.retention.cli"""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from station.cli import commands
from tests.support.aged_store import MINH, AgedStore

app = typer.Typer()
app.add_typer(commands)


def run(aged: AgedStore, *words: str, days: str = "{pictures: 20, events: 30}", language: str = "en") -> str:
    file = aged.place.folder / "station.yaml"
    file.write_text(f"commune: hai-ninh\nstate_dir: {aged.place.folder}\nretention: {days}\n")
    environment = {"COLUMNS": "200", "TZ": "UTC", "LANGUAGE": language}
    result = CliRunner().invoke(app, ["station", "retention", *words, "-c", str(file)], env=environment)
    return f"{result.exit_code} {result.stdout}{result.stderr}"


@pytest.fixture
def filled(aged_file: AgedStore) -> AgedStore:
    for number in range(1, 5):
        aged_file.event(number, 40, picture=b"p%d" % number)
    aged_file.event(5, 3)
    aged_file.holds.hold(aged_file.key(4), MINH, "12/2026", "collision")
    return aged_file


def test_it_shows_what_would_go_and_changes_nothing(filled: AgedStore) -> None:
    said = run(filled)

    assert said.startswith("0 ")
    row = next(line for line in said.splitlines() if "informative events" in line and "pictures" not in line)
    assert "30 days" in row
    assert row.rstrip(" │").endswith("3")
    assert "held by a supervisor for a case" in said
    assert "nothing was deleted" in said
    assert len(filled.events()) == 5


def test_now_does_it_and_it_is_shown_with_its_rule(filled: AgedStore) -> None:
    said = run(filled, "--now")

    assert "informative events: 3 deleted" in said
    assert "pictures of informative events: 3 deleted" in said
    assert filled.events() == {"e-4", "e-5"}
    assert "30 days" in run(filled).split("what was deleted")[1]
    assert run(filled, "--now").splitlines()[0] == "0 nothing was due"


def test_programs_get_json(filled: AgedStore) -> None:
    said = json.loads(run(filled, "--json", "--now").removeprefix("0 "))

    assert said["set"] is True
    assert said["now"] == {"deleted": {"pictures": 3, "events": 3}, "left": False}
    assert said["classes"]["events"]["days"] == 30
    assert said["classes"]["counts"] == {"days": None, "oldest_ms": None, "next_ms": None, "due": 0}
    assert said["held"]["case"] == 1
    assert {each["class"]: each["count"] for each in said["deleted"]} == {"pictures": 3, "events": 3}


def test_without_days_it_says_that_nothing_is_deleted_and_refuses_to(filled: AgedStore) -> None:
    assert "retention is not set: nothing is ever deleted" in run(filled, days="null")
    assert run(filled, "--now", days="null").startswith("2 ")
    assert len(filled.events()) == 5


def test_it_speaks_vietnamese(filled: AgedStore) -> None:
    assert "sự kiện thông tin: đã xóa 3" in run(filled, "--now", language="vi")
