"""station.store.blobs"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from station.store.blobs import Blobs, names_below, removal_turn


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Blobs]:
    with closing(Blobs(tmp_path / "blobs")) as opened:
        yield opened


def named(*contents: bytes) -> dict[str, bytes]:
    return {sha256(content).hexdigest(): content for content in contents}


def test_bytes_lie_under_their_hash_in_two_levels_of_folders(shelf: Blobs, tmp_path: Path) -> None:
    (hash_,) = named(b"one")
    shelf.put(named(b"one"))

    path = tmp_path / "blobs" / hash_[:2] / hash_[2:4] / hash_
    assert shelf.path(hash_) == path
    assert path.read_bytes() == b"one"
    assert not list((tmp_path / "blobs" / "incoming").iterdir())
    assert path.stat().st_mode & 0o007 == 0


PROGRAM = """
import os, sys
from hashlib import sha256
from pathlib import Path
from station.store.blobs import Blobs

steps, real = [], os.fsync

def fsync(number):
    steps.append("sync " + os.readlink(f"/proc/self/fd/{number}"))
    real(number)

def hear(name, arguments):
    if name == "os.rename":
        steps.append(f"name {arguments[1]}")

os.fsync = fsync
sys.addaudithook(hear)
Blobs(Path(sys.argv[1])).put({sha256(b"one").hexdigest(): b"one"})
print("\\n".join(steps))
"""


def test_a_file_is_synced_before_it_gets_its_name_and_its_folders_after(tmp_path: Path) -> None:
    """Invariant 1."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    steps = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    (hash_,) = named(b"one")
    folder = tmp_path / hash_[:2]
    at = steps.index(f"name {folder / hash_[2:4] / hash_}")
    assert steps[:at] == [f"sync {tmp_path / 'incoming' / hash_}"]
    assert set(steps[at + 1 :]) == {f"sync {folder / hash_[2:4]}", f"sync {folder}", f"sync {tmp_path}"}


def test_what_is_there_is_not_written_again(shelf: Blobs) -> None:
    """Invariant 2."""
    (hash_,) = named(b"one")
    shelf.put(named(b"one"))
    before = shelf.path(hash_).stat()
    shelf.put(named(b"one", b"two"))

    assert shelf.path(hash_).stat() == before


@pytest.mark.parametrize("gone", ["", "incoming", "76"])
def test_a_folder_that_somebody_removed_is_made_again(shelf: Blobs, tmp_path: Path, gone: str) -> None:
    """Invariant 3."""
    shelf.put(named(b"one"))
    shutil.rmtree(tmp_path / "blobs" / gone, ignore_errors=True)

    shelf.put(named(b"two", b"three"))

    assert all(shelf.path(hash_).is_file() for hash_ in named(b"two", b"three"))


def test_names_are_told_by_their_beginning_and_none_where_no_folder_is(shelf: Blobs, tmp_path: Path) -> None:
    contents = named(*(str(number).encode() for number in range(300)))
    shelf.put(contents)
    folder = tmp_path / "blobs"

    listed = [names_below(folder, f"{number:02x}") for number in range(256)]

    assert set().union(*listed) == set(contents)
    assert all(name.startswith(f"{number:02x}") for number, names in enumerate(listed) for name in names)
    assert names_below(tmp_path / "nowhere", "00") == set()


def test_a_backup_keeps_everybody_from_removing_and_other_backups_from_nothing(tmp_path: Path) -> None:
    with (
        removal_turn(tmp_path, shared=True) as one,
        removal_turn(tmp_path, shared=True) as two,
        removal_turn(tmp_path, shared=False) as mine,
    ):
        assert (one, two, mine) == (True, True, False)
    with removal_turn(tmp_path, shared=False) as mine:
        assert mine
