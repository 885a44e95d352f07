"""agent.cli.privacy"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from agent.commands.on_site import noted
from tests.support.boxes import NGATU


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "box.yaml"
    path.write_text(
        f"device: {{commune: hai-ninh, id: hai-ninh-03}}\nbroker: {{host: localhost}}\n"
        f"state_dir: {tmp_path / 'state'}\n"
        f"cameras:\n  - {{name: north, source: {{kind: file, path: {tmp_path / 'none.mp4'}}}}}\n",
        encoding="utf-8",
    )
    (tmp_path / "state").mkdir()
    return path


def run(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NGATU, *words, "-c", str(config)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.long
def test_audit_shows_who_looked_and_finds_a_line_that_was_changed(config: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert run(config, "audit").stdout == "nobody asked for anything\n"
    for officer in ("Lan", "Minh"):
        with noted(state, "record", {"camera": "north"}, officer=officer, purpose="case 12"):
            pass

    shown = run(config, "audit")
    assert shown.returncode == 0, shown.stderr
    rows = [line.split()[2:] for line in shown.stdout.splitlines()[1:]]
    assert rows == [[name, "record", "north", "case", "12", "done"] for name in ("Lan", "Minh")]
    assert [json.loads(line)["n"] for line in run(config, "audit", "--json").stdout.splitlines()] == [2, 4]

    log = state / "audit.log"
    log.write_bytes(log.read_bytes().replace(b"Lan", b"Nam", 1))
    changed = run(config, "audit")
    assert changed.returncode == 1
    assert "audit.log:2: line 1 is not what it was" in changed.stderr


@pytest.mark.long
def test_notice_is_written_in_both_languages_and_tells_what_the_law_asks_besides(
    config: Path, tmp_path: Path
) -> None:
    shown = run(config, "notice")
    assert shown.returncode == 1
    assert shown.stdout.index("CÓ CAMERA GIÁM SÁT") < shown.stdout.index("THIS PLACE IS WATCHED")
    assert "device.purpose is not set: people must be told what they are recorded for" in shown.stderr
    assert "CAMERA GIÁM SÁT" not in run(config, "notice", "--language", "en").stdout

    page = tmp_path / "notice.html"
    assert run(config, "notice", "--out", str(page)).stdout == f"{page}: open it in a browser and print it\n"
    assert '<section lang="vi">' in page.read_text()
    assert run(config, "notice", "--out", str(tmp_path / "notice.doc")).returncode == 2


def test_wipe_asks_first_and_its_result_can_be_checked(config: Path, tmp_path: Path) -> None:
    state, results = tmp_path / "state", tmp_path / "results"
    results.mkdir()
    with noted(state, "record", {}):
        pass
    for words in (["--sure", "another"], ["--result", str(state), "--sure", "hai-ninh-03"]):
        refused = run(config, "wipe", "--result", str(results), *words)
        assert refused.returncode == 2, refused.stderr
    assert (state / "audit.log").exists()

    done = run(config, "wipe", "--result", str(results), "--sure", "hai-ninh-03")
    assert done.returncode == 0, done.stderr
    assert not (state / "audit.log").exists()
    assert not config.exists()
    (result,) = results.glob("*.json")
    checked = run(config, "wipe", "--check", str(result))
    assert checked.returncode == 1
    assert checked.stderr == "it is not signed: the box had no key for footage\n"
