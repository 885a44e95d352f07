"""station.footage.cli"""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from station.cli import commands
from station.footage.folder import FootageStage
from tests.support.footage_requests import asked

app = typer.Typer()
app.add_typer(commands)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "station.yaml"
    path.write_text(f"commune: hai-ninh\nstate_dir: {tmp_path / 'state'}\n")
    (tmp_path / "state").mkdir()
    return path


def said(config: Path, *words: str, language: str = "C") -> tuple[int, str]:
    environment = {"COLUMNS": "200", "LC_ALL": language}
    result = CliRunner().invoke(app, ["station", *words, "-c", str(config)], env=environment)
    return result.exit_code, result.stdout + result.stderr


def test_the_recipient_is_printed_for_the_boxes_and_the_key_never(config: Path, tmp_path: Path) -> None:
    code, first = said(config, "footage-key")
    assert code == 0
    assert "footage.key is made" in first
    code, again = said(config, "footage-key")

    assert again.strip().startswith("age1")
    assert again.strip() in first
    assert "SECRET" not in first + again
    assert "AGE-SECRET-KEY-1" in (tmp_path / "state/footage.key").read_text()


def test_what_is_missing_is_told_and_nothing_is_sent(config: Path) -> None:
    code, words = said(config, "clip", "hai-ninh-03", "north", "--from", "18:00", "--to", "18:01")

    assert code == 2
    assert "these are missing: --case, --purpose, --officer" in words


def test_all_requests_are_listed_with_how_far_each_is(config: Path, tmp_path: Path) -> None:
    asked(tmp_path / "state", "q-1").tell(stage=FootageStage.SENDING, size_bytes=200, arrived_bytes=50)
    asked(tmp_path / "state", "q-2").tell(stage=FootageStage.COMPLETE, verdict="authentic")
    asked(tmp_path / "state", "q-3").tell(stage=FootageStage.FAILED, detail="nothing\x1b[2J was recorded")

    code, words = said(config, "clip", "--list")

    assert code == 0
    assert "on its way 25 %" in words
    assert "authentic" in words
    assert "failed: nothing" in words
    assert "\x1b[2J" not in words
    assert "Lê Văn A" in words


def test_where_nothing_was_asked_for_it_says_so(config: Path) -> None:
    assert said(config, "clip", "--list") == (0, "nothing was asked for yet\n")


def test_an_earlier_request_is_saved_to_be_handed_over(config: Path, tmp_path: Path) -> None:
    folder = asked(tmp_path / "state", "q-1")
    folder.package.mkdir()
    (folder.package / "footage-1.mp4").write_bytes(b"film")
    (folder.package / "manifest.json").write_bytes(b"{}")
    folder.tell(stage=FootageStage.COMPLETE, verdict="authentic")

    code, words = said(config, "clip", "--request", "q-1", "--save", str(tmp_path / "clip.zip"))

    assert code == 0, words
    assert (tmp_path / "clip.zip").exists()
    assert str(folder.package / "footage-1.mp4") in words
    assert "ngatu clip --release q-1" in words


@pytest.mark.parametrize(
    ("stage", "verdict"),
    [(FootageStage.COMPLETE, "not authentic"), (FootageStage.FAILED, None), (FootageStage.REFUSED, None)],
)
def test_what_did_not_come_or_is_not_authentic_is_a_failure(
    config: Path, tmp_path: Path, stage: FootageStage, verdict: str | None
) -> None:
    folder = asked(tmp_path / "state", "q-1")
    folder.package.mkdir()
    folder.tell(stage=stage, verdict=verdict, detail="manifest.json: altered")

    code, words = said(config, "clip", "--request", "q-1")

    assert code == 1
    assert "manifest.json: altered" in words


def test_a_request_that_nobody_made_is_told(config: Path) -> None:
    code, words = said(config, "clip", "--request", "q-1")

    assert code == 2
    assert "there is no request q-1" in words
