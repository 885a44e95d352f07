"""agent.cli.hardware.terminal"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from agent.settings.dump import dumped
from tests.agent.detectors.conftest import cells
from tests.agent.tools.test_check import working

__all__ = ["cells", "working"]  # fixtures


def walked(
    tmp_path: Path, config: dict[str, object], *words: str, terminal: str | None = None, **more: str
) -> tuple[int, str]:
    """The real command; `terminal` is what is typed there."""
    path = tmp_path / "box.yaml"
    path.write_text(dumped(config), encoding="utf-8")
    command = [sys.executable, "-m", "agent", "check", "--hardware", "-c", str(path), *words]
    surroundings = {**os.environ, "COLUMNS": "200", **more}
    if terminal is None:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=110, env=surroundings,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=surroundings) as process:
        os.close(theirs)
        os.write(ours, terminal.encode())
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:  # its end
            pass
        os.close(ours)
        return process.wait(20), said.decode(errors="replace")


@pytest.mark.long
@pytest.mark.timeout(240)
def test_the_walk_prints_and_saves_and_says_what_is_left(tmp_path: Path, working: dict[str, object]) -> None:
    code, said = walked(tmp_path, working)
    assert code in (1, 3), said
    folder = tmp_path / "state" / "hardware"
    for words in ("Hardware watchdog", "Camera north: 320×240 h264", "Power cut: pull the plug", str(folder)):
        assert words in said, said
    whole = json.loads((folder / "checklist.json").read_text(encoding="utf-8"))
    states = {item["item"]: item["state"] for item in whole["items"]}
    assert states["frames north"] in ("ok", "warning") and states["power"] == "open"
    assert whole["about"]["device"] == "check-03" and whole["about"]["cores"] == os.cpu_count()
    text = (folder / "checklist.txt").read_text(encoding="utf-8")
    assert "] Camera north: 320×240 h264" in text and "[to do] Power cut" in text


@pytest.mark.long
@pytest.mark.timeout(240)
def test_at_a_terminal_it_asks_in_the_persons_language(tmp_path: Path, working: dict[str, object]) -> None:
    code, said = walked(tmp_path, working, "--report", str(tmp_path / "here"), terminal="s\n", LANGUAGE="vi")
    assert code in (1, 3), said
    assert "rút phích cắm của bo mạch" in said and "Enter: bắt đầu" in said
    assert "chưa làm" in (tmp_path / "here" / "checklist.txt").read_text(encoding="utf-8")
    assert not (tmp_path / "state").exists()


@pytest.mark.long
def test_a_report_that_cannot_be_written_is_told_before_the_walk(
    tmp_path: Path, working: dict[str, object]
) -> None:
    (tmp_path / "file").write_text("")
    code, said = walked(tmp_path, working, "--report", str(tmp_path / "file" / "x"))
    assert code == 1 and "is not a folder" in said, said
