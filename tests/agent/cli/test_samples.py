"""agent.cli.samples"""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from agent.cli.main import commands
from agent.evidence.encryption import Recipients, new_identity
from tests.agent.tools.test_sample_export import box


def said(*words: str) -> Result:
    return CliRunner().invoke(commands, ["samples", *words])


def test_frames_are_listed_with_why_they_are_there_and_how_much_room_they_take(tmp_path: Path) -> None:
    box(tmp_path, 2)
    done = said("list", "-c", str(tmp_path / "box.yaml"))

    assert done.exit_code == 0, done.output
    assert done.output.count("goes by, not found") == 2
    assert "2 frames, 0.0 of 200 MB; kept 14 days" in done.output
    assert "samples.enabled is false" in done.output


def test_as_json_each_frame_is_a_line(tmp_path: Path) -> None:
    box(tmp_path, 2)
    done = said("list", "--json", "--since", "2026-12-01T12:00:30Z", "-c", str(tmp_path / "box.yaml"))

    (line,) = map(json.loads, done.output.splitlines())
    assert (line["camera"], line["reason"], line["sealed"]) == ("road", "missed_motion", False)


def test_they_are_taken_away_and_what_is_encrypted_is_opened_elsewhere(tmp_path: Path) -> None:
    identity, public = new_identity()
    box(tmp_path, 1, Recipients(public))
    (tmp_path / "station.key").write_text(f"# made by ngatu\n{identity}\n")
    stick, dataset = str(tmp_path / "stick"), str(tmp_path / "set")
    exported = said("export", stick, "-c", str(tmp_path / "box.yaml"))
    opened = said("open", stick, dataset, "--key", str(tmp_path / "station.key"))

    assert exported.exit_code == 0, exported.output
    assert "1 frames, encrypted" in exported.output
    assert opened.exit_code == 0, opened.output
    assert (tmp_path / "set/instances.json").is_file()


def test_what_is_no_key_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "station.key").write_text("nothing\n")
    wrong = said("open", str(tmp_path), str(tmp_path / "set"), "--key", str(tmp_path / "station.key"))
    missing = said("open", str(tmp_path), str(tmp_path / "set"), "--key", str(tmp_path / "none"))

    assert (wrong.exit_code, missing.exit_code) == (2, 2)
    assert "AGE-SECRET-KEY-1" in wrong.output
    assert "footage-key" in missing.output


def test_a_moment_that_is_none_is_told(tmp_path: Path) -> None:
    box(tmp_path, 1)
    done = said("list", "--since", "soon", "-c", str(tmp_path / "box.yaml"))

    assert done.exit_code == 2
    assert "--since" in done.output
