"""tests.acceptance.faults.crash_disk: what a disk may hold after a power cut"""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.acceptance.faults.crash_disk import SECTOR, Op, after_a_cut, record

MADE = [Op("create", "f"), Op("sync folder", "")]


@given(st.integers())
def test_what_was_synced_is_there_and_what_was_not_may_be(seed: int) -> None:
    ops = [*MADE, Op("write", "f", 0, b"a" * 2000), Op("sync", "f"), Op("write", "f", 0, b"b" * 2000)]
    content = after_a_cut(ops, random.Random(seed))["f"]
    assert len(content) == 2000
    pieces = [content[at : at + SECTOR] for at in range(0, 2000, SECTOR)]
    assert all(set(piece) in ({ord("a")}, {ord("b")}) for piece in pieces)


def test_every_fate_of_a_write_comes_up() -> None:
    ops = [*MADE, Op("write", "f", 0, b"a" * 2000), Op("sync", "f"), Op("write", "f", 0, b"b" * 2000)]
    fates = {frozenset(after_a_cut(ops, random.Random(seed))["f"]) for seed in range(50)}
    assert fates == {frozenset(b"a"), frozenset(b"b"), frozenset(b"ab")}


def test_a_file_without_an_entry_in_its_folder_may_be_gone() -> None:
    ops = [Op("create", "f"), Op("write", "f", 0, b"a"), Op("sync", "f")]
    assert {len(after_a_cut(ops, random.Random(seed))) for seed in range(20)} == {0, 1}


def test_a_removed_file_may_come_back_until_its_folder_is_synced() -> None:
    removed = [*MADE, Op("unlink", "f")]
    assert {len(after_a_cut(removed, random.Random(seed))) for seed in range(20)} == {0, 1}
    assert not any(after_a_cut([*removed, Op("sync folder", "")], random.Random(seed)) for seed in range(20))


def test_a_folder_without_an_entry_may_be_gone_with_all_in_it() -> None:
    ops = [
        Op("make folder", "north"), Op("create", "north/f"), Op("sync folder", "north"),
        Op("write", "north/f", 0, b"a"), Op("sync", "north/f"),
    ]  # fmt: skip
    assert {len(after_a_cut(ops, random.Random(seed))) for seed in range(20)} == {0, 1}
    kept = [*ops, Op("sync folder", "")]
    assert all(after_a_cut(kept, random.Random(seed)) == {"north/f": b"a"} for seed in range(20))


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here: apt-get install strace")
def test_what_a_program_writes_piece_by_piece_below_the_folder_is_read_from_its_calls(tmp_path: Path) -> None:
    folder = tmp_path / "ring"
    folder.mkdir()
    program = (
        f"import os; os.mkdir({str(folder / 'north')!r})\n"
        f"with open({str(folder / 'north/1.seg')!r}, 'w+b', buffering=0) as f:\n"
        "    f.write(b'one'); f.write(b'two'); os.ftruncate(f.fileno(), 3); f.seek(3); f.write(b'2')\n"
        "    os.fsync(f.fileno())\n"
    )
    ops = record([sys.executable, "-c", program], folder, tmp_path / "trace")

    assert [(op.kind, op.name, op.offset, op.data) for op in ops] == [
        ("make folder", "north", 0, b""),
        ("create", "north/1.seg", 0, b""),
        ("write", "north/1.seg", 0, b"one"),
        ("write", "north/1.seg", 3, b"two"),
        ("truncate", "north/1.seg", 3, b""),
        ("write", "north/1.seg", 3, b"2"),
        ("sync", "north/1.seg", 0, b""),
    ]
