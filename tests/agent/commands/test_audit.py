"""agent.commands.audit"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.commands.audit import KEPT_FILES, Audit, AuditLine, lines_after, read_whole, verify


def written(folder: Path, lines: int, **more: int) -> Path:
    path = folder / "audit.log"
    audit = Audit(path, **more)
    for number in range(lines):
        audit.write({"verb": "ping", "id": f"id-{number}"})
    return path


def number(line: AuditLine | None) -> int | None:
    return None if line is None else line.n


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

    assert number(Audit(path).write({})) == 101
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

    assert number(Audit(path).write({"verb": "ping"})) == 4
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
        assert audit.write({}) is None
    path, why = tmp_path / "none" / "audit.log", "[Errno 2] No such file or directory"
    assert lines == [
        {
            "event": "audit_unwritten",
            "log_level": "warning",
            "why": f"{why}: '{path.parent}'",
            "hint": "full, read-only, or dying?",
        }
    ]
    with capture_logs() as lines:
        assert audit.write({}) is None
        path.parent.mkdir()
        assert number(audit.write({})) == 1
    assert lines == []

    path.unlink()
    path.parent.rmdir()
    with capture_logs() as lines:
        assert audit.write({}) is None
    assert [line["event"] for line in lines] == ["audit_unwritten"], "it is told again after it was well"


def test_a_line_is_ascii_whatever_the_station_called_itself(tmp_path: Path) -> None:
    Audit(tmp_path / "audit.log").write({"issuer": "trực ban"})

    assert rb'"issuer":"tr\u1ef1c ban"}' in (tmp_path / "audit.log").read_bytes()


def test_a_file_is_filled_to_its_last_byte_and_no_further(tmp_path: Path) -> None:
    line_bytes = written(tmp_path, 1).stat().st_size
    full, over = tmp_path / "full", tmp_path / "over"
    for folder, max_bytes in ((full, 2 * line_bytes), (over, 2 * line_bytes - 1)):
        folder.mkdir()
        written(folder, 2, max_file_bytes=max_bytes)

    assert [each.name for each in full.iterdir()] == ["audit.log"]
    assert sorted(each.name for each in over.iterdir()) == ["audit.log", "audit.log.1"]


def test_a_line_of_which_half_could_be_written_is_taken_back(tmp_path: Path) -> None:
    """The file may grow by a few bytes only: the kernel writes what fits, and then refuses."""
    path = written(tmp_path, 2)
    whole = path.read_bytes()
    audit = Audit(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 10, before[1]))
    try:
        with capture_logs():
            assert audit.write({"verb": "ping"}) is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert path.read_bytes() == whole
    assert number(audit.write({"verb": "ping"})) == 3
    assert verify(path) is None


@pytest.mark.parametrize("after", [b"{}\n", b"[]\n", b"null\n", b'{"n":"x"}\n', b"no json\n"])
def test_a_last_line_that_is_none_of_ours_is_passed_over(tmp_path: Path, after: bytes) -> None:
    path = written(tmp_path, 3)
    with path.open("ab") as file:
        file.write(after)
    mtime_ns = path.stat().st_mtime_ns

    assert number(Audit(path).write({"verb": "ping"})) == 4
    assert path.stat().st_mtime_ns >= mtime_ns
    assert verify(path) == "audit.log:4: cannot be read"


def test_the_log_is_read_from_its_oldest_file_to_its_newest(tmp_path: Path) -> None:
    path = written(tmp_path, 20, max_file_bytes=700)
    assert path.with_name("audit.log.2").exists()
    lines = path.with_name("audit.log.2").read_bytes().splitlines(keepends=True)
    path.with_name("audit.log.2").write_bytes(lines[0].replace(b"ping", b"pong") + b"".join(lines[1:]))
    number = json.loads(lines[0])["n"]

    assert verify(path) == f"audit.log.2:2: line {number} is not what it was"


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_stands_in_the_place_of_the_log_is_neither_read_nor_written(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "audit.log", tmp_path / "other"
    other.write_bytes(b"of somebody else, without an end of its line")
    {"pipe": lambda: os.mkfifo(path), "link": lambda: path.symlink_to(other), "folder": path.mkdir}[kind]()

    assert Audit(path).write({"state": "done"}) is None
    assert other.read_bytes() == b"of somebody else, without an end of its line"


def test_two_programs_write_one_chain(tmp_path: Path) -> None:
    """The agent, and somebody's command at the box: in turn, at once, and over a rotation."""
    path = tmp_path / "audit.log"
    agent, hands = Audit(path, max_file_bytes=1500), Audit(path, max_file_bytes=1500)
    numbers = [number(audit.write({"verb": "ping"})) for _ in range(10) for audit in (agent, hands)]
    assert numbers == list(range(1, 21))

    code = (
        "import sys; from pathlib import Path; from agent.commands.audit import Audit\n"
        "audit = Audit(Path(sys.argv[1]))\n"
        "for _ in range(100): assert audit.write({'verb': 'record'}) is not None"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [other.wait(60) for other in others] == [0, 0, 0]

    assert number(agent.write({})) == 321
    assert verify(path) is None


def test_the_lines_after_a_number_are_found_in_whatever_file_they_lie(tmp_path: Path) -> None:
    path = written(tmp_path, 40, max_file_bytes=1500)
    assert path.with_name("audit.log.2").exists()
    kept = list(lines_after(path, 0))

    assert [line.n for line in lines_after(path, kept[3].n)] == list(range(kept[4].n, 41))
    assert [line.n for line in lines_after(path, 39)] == [40]
    assert list(lines_after(path, 40)) == []
    for before, after in itertools.pairwise(kept):
        assert json.loads(after.text)["prev"] == before.sha256


def test_a_program_that_holds_the_log_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.commands.audit.LOCK_S", 0.05)
    path = written(tmp_path, 1)
    holder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    audit = Audit(path)
    with capture_logs() as lines:
        assert audit.write({}) is None
    assert [line["event"] for line in lines] == ["audit_unwritten"]
    os.close(holder)

    assert number(audit.write({})) == 2


def test_who_reads_it_whole_waits_for_whoever_writes(tmp_path: Path) -> None:
    """Half of a line lies there, as an agent at work leaves it for a moment."""
    path = tmp_path / "audit.log"
    audit = Audit(path)
    for number in range(3):
        audit.write({"verb": "ping", "number": number})
    whole = path.read_bytes()
    last = whole.rindex(b"{")
    handle = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    path.write_bytes(whole[: last + 10])
    assert verify(path) is not None, "what a reader without the lock would say"

    def finish() -> None:
        path.write_bytes(whole)
        os.close(handle)

    writer = threading.Timer(0.3, finish)
    writer.start()
    lines, wrong = read_whole(path)
    writer.join()

    assert ([line.n for line in lines], wrong) == ([1, 2, 3], None)


def test_a_box_that_was_never_asked_has_an_empty_log(tmp_path: Path) -> None:
    assert read_whole(tmp_path / "none" / "audit.log") == ([], None)
