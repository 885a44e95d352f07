"""tests.acceptance.faults.crash_disk: what a disk may hold after a power cut"""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.acceptance.faults.crash_disk import SECTOR, Op, after_a_cut

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
