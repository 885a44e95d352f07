"""tests.acceptance.faults.cradle: lives that begin where the imports are done"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.faults.cradle import Life, begun, end_all

PROGRAM = """
import os, sys, threading
IMPORTED_BY = os.getpid()

def main():
    print("an error", file=sys.stderr)
    print(sys.argv[1], os.getpid() == IMPORTED_BY, *sorted(os.listdir("/proc/self/fd")), flush=True)
    if sys.argv[1] == "waits":
        threading.Event().wait()
    threading.Thread(target=lambda: print("to the end", flush=True)).start()
    sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    """One that waits."""
    (tmp_path / "cradled_program.py").write_text(PROGRAM, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    waits = lived(tmp_path, "waits", "0")
    assert waits.stdout.readline().startswith("waits False")
    with waits.stdout:
        yield waits
        end_all()
        waits.wait(30)


def lived(folder: Path, *words: str) -> Life:
    with (folder / "log").open("ab") as log:
        return begun("cradled_program", (), words, log)


def test_each_life_is_a_process_of_its_own_and_ends_as_any_program(life: Life, tmp_path: Path) -> None:
    other = lived(tmp_path, "goes", "3")

    assert other.wait(30) == 3
    with other.stdout:
        assert other.stdout.readline() == "goes False 0 1 2 3\n"  # 3 is the list of these itself
        assert other.stdout.read() == "to the end\n"
    assert life.poll() is None
    assert life.pid != other.pid
    assert (tmp_path / "log").read_text().count("an error") == 2


def test_one_that_is_killed_says_so_and_the_next_one_lives(life: Life, tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        life.wait(0.01)

    life.send_signal(signal.SIGKILL)

    assert life.wait(30) == -signal.SIGKILL
    assert life.stdout.read() == ""  # nobody else holds its output
    other = lived(tmp_path, "goes", "0")
    with other.stdout:
        assert other.wait(30) == 0


def test_what_lives_at_the_end_is_killed(life: Life) -> None:
    end_all()

    assert life.wait(30) == -signal.SIGKILL
