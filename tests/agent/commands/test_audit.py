"""agent.commands.audit"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.commands.audit import KEPT_FILES, Audit, verify


def written(folder: Path, lines: int, **more: int) -> Path:
    path = folder / "audit.log"
    audit = Audit(path, **more)
    for number in range(lines):
        audit.write({"verb": "ping", "id": f"id-{number}"})
    return path


def test_lines_are_numbered_and_each_holds_the_hash_of_the_one_before(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    lines = [json.loads(line) for line in path.read_text().splitlines()]

    assert [line["n"] for line in lines] == [1, 2, 3]
    assert lines[0]["prev"] == "0" * 64
    assert len({line["prev"] for line in lines}) == 3
    assert verify(path) is None


def test_the_chain_goes_on_over_a_restart_and_over_a_rotation(tmp_path: Path) -> None:
    for _ in range(5):
        path = written(tmp_path, 20, max_file_bytes=2000)

    assert Audit(path).write({}) == 101
    assert verify(path) is None
    assert path.with_name("audit.log.1").exists()


def test_rotation_bounds_what_is_kept(tmp_path: Path) -> None:
    path = written(tmp_path, 300, max_file_bytes=1000)

    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 1000 * (KEPT_FILES + 1)
    assert len(list(tmp_path.iterdir())) == KEPT_FILES + 1
    assert verify(path) is None


def test_a_torn_last_line_is_cut_off_and_the_chain_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path, 3)
    with path.open("ab") as file:
        file.write(b'{"n":4,"pre')

    assert Audit(path).write({"verb": "ping"}) == 4
    assert verify(path) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_line_that_is_changed_taken_out_or_swapped_is_found(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = written(tmp_path, 30)
    lines = path.read_bytes().splitlines(keepends=True)
    at = chance.randrange(1, 28)
    match chance.choice(["change", "drop", "swap"]):
        case "change":
            lines[at] = lines[at].replace(b"ping", b"pong")
        case "drop":
            del lines[at]
        case "swap":
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
    path.write_bytes(b"".join(lines))

    assert "audit.log:" in (verify(path) or "")


def test_a_disk_that_will_not_take_it_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "none" / "audit.log")
    with capture_logs() as lines:
        assert [audit.write({}), audit.write({})] == [None, None]
    (tmp_path / "none").mkdir()

    assert [line["event"] for line in lines] == ["audit_unwritten"]
    assert audit.write({}) == 1
