"""station.store.blobs"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from station.footage.folder import locked
from station.store import blobs
from station.store.blobs import Blobs, OrphanRemoval, names_below, removal_turn


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


def test_files_without_a_row_and_unfinished_ones_are_swept(shelf: Blobs, tmp_path: Path) -> None:
    """Invariant 3."""
    kept, orphan = named(b"kept", b"orphan")
    shelf.put(named(b"kept", b"orphan"))
    (tmp_path / "blobs" / "incoming" / "half").write_bytes(b"ha")

    assert shelf.remove_orphans(lambda prefix: {kept} if kept.startswith(prefix) else set()) == OrphanRemoval(
        1, 0
    )
    assert shelf.path(kept).is_file()
    assert not shelf.path(orphan).exists()
    assert not list((tmp_path / "blobs" / "incoming").iterdir())


def test_more_orphans_than_a_crash_leaves_are_spared(shelf: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 3: an empty database beside full folders must not empty them."""
    monkeypatch.setattr(blobs, "MAX_ORPHANS", 2)
    shelf.put(named(b"1", b"2", b"3"))

    assert shelf.remove_orphans(lambda _: set()) == OrphanRemoval(0, 3)
    assert all(shelf.path(hash_).is_file() for hash_ in named(b"1", b"2", b"3"))


@pytest.mark.parametrize("gone", ["", "incoming", "76"])
def test_a_folder_that_somebody_removed_is_made_again(shelf: Blobs, tmp_path: Path, gone: str) -> None:
    """Invariant 4."""
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


def test_who_removes_waits_until_the_rows_of_what_is_put_are_there(shelf: Blobs, tmp_path: Path) -> None:
    """Invariant 5."""
    order: list[str] = []
    asked = threading.Event()

    def remove() -> None:
        asked.set()
        with locked(tmp_path / "blobs"):
            order.append("removed")

    other = threading.Thread(target=remove)
    with shelf.held({"a" * 64: b"x"}):
        other.start()
        assert asked.wait(10)
        other.join(0.2)
        order.append("rows are there")
    other.join(10)

    assert order == ["rows are there", "removed"]


def test_what_puts_nothing_waits_for_nobody(shelf: Blobs, tmp_path: Path) -> None:
    with locked(tmp_path / "blobs"), shelf.held({}):
        pass


def test_removed_files_are_gone_and_one_that_is_not_there_is_no_error(shelf: Blobs) -> None:
    name = sha256(b"x").hexdigest()
    shelf.put({name: b"x"})
    shelf.remove([name, "0" * 64])
    assert not shelf.path(name).exists()


def test_a_backup_keeps_everybody_from_removing_and_other_backups_from_nothing(tmp_path: Path) -> None:
    with (
        removal_turn(tmp_path, shared=True) as one,
        removal_turn(tmp_path, shared=True) as two,
        removal_turn(tmp_path, shared=False) as mine,
    ):
        assert (one, two, mine) == (True, True, False)
    with removal_turn(tmp_path, shared=False) as mine:
        assert mine


def test_a_file_that_goes_while_orphans_are_removed_hinders_no_start(shelf: Blobs) -> None:
    """Retention may be called by hand just then."""
    shelf.put(dict.fromkeys(("a" * 64, "b" * 64), b"x"))

    def rows(prefix: str) -> set[str]:
        if prefix == "bb":
            shelf.path("a" * 64).unlink()
        return set()

    assert shelf.remove_orphans(rows).removed == 2
