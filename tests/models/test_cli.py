"""models.cli"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.catalogue import read_catalogue
from models.cli import commands, progress_bars

runner = CliRunner()


def test_list_shows_the_catalogue_what_is_here_and_what_is_ones_own(tmp_path: Path) -> None:
    (tmp_path / "yolox-s-640.onnx").write_bytes(b"")
    (tmp_path / "mine.onnx").write_bytes(b"")

    shown = runner.invoke(commands, ["models", "list", "--dir", str(tmp_path)], env={"COLUMNS": "200"})

    assert shown.exit_code == 0
    for name in read_catalogue():
        assert name in shown.output
    here = [line for line in shown.output.splitlines() if "yes" in line]
    assert ["yolox-s-640" in here[0], "mine" in here[1]] == [True, True]
    assert len(here) == 2


@pytest.mark.parametrize(
    "command",
    [["fetch", "yolo99"], ["fetch", "picodet-s-320"], ["add", "/none.onnx"], ["export", "none.pt"]],
)
def test_a_command_that_fails_says_why_without_a_traceback(command: list[str], tmp_path: Path) -> None:
    where = [] if command[0] == "export" else ["--dir", str(tmp_path)]

    failed = runner.invoke(commands, ["models", *command, *where])

    assert failed.exit_code == 2
    assert "hint: " in failed.output
    assert "Traceback" not in failed.output


def test_progress_has_a_bar_per_file(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars() as progress:
        progress("a.tar.gz", 10, 20)
        progress("a.tar.gz", 20, 20)
        progress("b.onnx", 5, None)

    shown = capsys.readouterr().err
    assert "a.tar.gz" in shown
    assert "b.onnx" in shown
