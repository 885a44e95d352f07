"""fleet.cli.box"""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fleet.cli.main import commands
from tests.support.boxes import Box, at_work
from tests.support.brokers import Mosquitto, free_port

BOX = ("test-commune", "test-box-01")


def box(*words: object) -> Result:
    return CliRunner().invoke(commands, ["box", *map(str, words)])


@pytest.mark.long
@pytest.mark.broker
def test_a_box_at_work_passes_the_check_of_its_release_only_and_is_seen(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    at = ("--port", mosquitto.port)
    with at_work(Box(tmp_path, mosquitto.port)):
        passed = box("rollout-check", *BOX, "--version", "0.1.0", "--within", 40, *at)
        failed = box("rollout-check", *BOX, "--version", "0.2.0", "--camera", "road", "--within", 1, *at)
        looked = box("look", *BOX, *at)

    assert (passed.exit_code, passed.output) == (0, "test-box-01: ngatu 0.1.0, road streaming\n")
    assert failed.exit_code == 1
    assert "it runs 0.1.0, not 0.2.0" in failed.output
    seen = json.loads(looked.output)
    assert seen["status"]["state"] == "online"
    assert seen["info"]["versions"]["ngatu"] == "0.1.0"
    assert "road" in seen["health"]["cameras"]


@pytest.mark.parametrize("command", [("look", *BOX), ("rollout-check", *BOX, "--version", "0.1.0")])
def test_without_a_broker_it_is_one_clear_error(command: tuple[str, ...]) -> None:
    done = box(*command, "--port", free_port())

    assert done.exit_code == 1
    assert "127.0.0.1" in done.output and "hint: " in done.output


def test_a_label_is_shown_and_written_for_printing(tmp_path: Path) -> None:
    out = tmp_path / "labels" / "hai-ninh-03.svg"

    done = box("label", "hai-ninh", "hai-ninh-03", "--place", "Cầu Hải Ninh", "--out", out)

    assert done.exit_code == 0, done.output
    assert f"{out}: print it at its own size (100 %)" in done.output
    assert "hai-ninh-03" in done.output and "█" in done.output
    assert "Cầu Hải Ninh" in "".join(ElementTree.fromstring(out.read_text()).itertext())


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--check", "--language", "fr"), 2, "--language fr: the report does not speak it"),
        (("--check", "--timezone", "Asia/Hue"), 2, "--timezone Asia/Hue: there is no such zone"),
        (("--check", "--out", "/nowhere/report.html"), 1, "/nowhere: there is no such folder"),
        (("--check", "--out", "/"), 1, "/: this is a folder"),
        ((), 2, "what report.yml has gathered is not named"),
    ],
)
def test_a_report_that_cannot_be_made_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = box("report", *words)

    assert (done.exit_code, message in done.output, "hint: " in done.output) == (code, True, True), done.output
    assert not list(tmp_path.iterdir())


def test_a_report_is_judged_without_being_made(tmp_path: Path) -> None:
    done = box(
        "report", "--check", "--language", "vi", "--timezone", "Asia/Ho_Chi_Minh", "--out", tmp_path / "r.html"
    )

    assert (done.exit_code, done.output) == (0, f"{tmp_path}/r.html: a page in vi may be written\n")
    assert not list(tmp_path.iterdir())


def test_a_report_does_not_take_the_place_of_what_was_gathered(tmp_path: Path) -> None:
    facts = tmp_path / "report.html.json"
    facts.write_text('{"made": "2026-11-25T08:00:00Z"}')
    done = box("report", facts, "--out", facts)

    assert done.exit_code == 2
    assert "it would take the place of what was gathered" in done.output
    assert facts.read_text() == '{"made": "2026-11-25T08:00:00Z"}'
