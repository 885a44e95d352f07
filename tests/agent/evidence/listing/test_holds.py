"""agent.evidence.listing.holds: ranges that go last, over every restart."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from agent.evidence.listing.holds import FILE, MAX_HOLDS, Hold, Holds


def test_holds_are_there_after_a_restart_until_they_are_released(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    holds.add(Hold("one", "north", 10.0, 20.0, "an accident"))
    holds.add(Hold("two", "south", 10.0, 20.0, ""))
    assert holds.release("two")
    assert not holds.release("two")

    again = Holds(tmp_path)

    assert again.all == (Hold("one", "north", 10.0, 20.0, "an accident"),)
    assert again.covers("north", 19.0, 30.0)
    assert not again.covers("north", 20.0, 30.0)
    assert not again.covers("south", 10.0, 20.0)


def test_a_write_that_fails_changes_nothing(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    holds.add(Hold("one", "north", 10.0, 20.0, ""))
    (tmp_path / (FILE + ".new")).mkdir()  # so that it cannot be written

    with pytest.raises(OSError, match="directory"):
        holds.add(Hold("two", "north", 30.0, 40.0, ""))
    with pytest.raises(OSError, match="directory"):
        holds.release("one")
    assert [each.id for each in holds.all] == [each.id for each in Holds(tmp_path).all] == ["one"]


def test_a_range_that_is_none_and_too_many_are_refused(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    with pytest.raises(ValueError, match="end after"):
        holds.add(Hold("one", "north", 20.0, 20.0, ""))
    plain = [asdict(Hold(str(n), "north", 0.0, 1.0, "")) for n in range(MAX_HOLDS)]
    (tmp_path / FILE).write_text(json.dumps(plain))
    holds = Holds(tmp_path)
    with pytest.raises(ValueError, match="already"):
        holds.add(Hold("one", "north", 10.0, 20.0, ""))


@pytest.mark.long
def test_of_a_damaged_file_only_what_is_damaged_is_lost(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    for name in ("one", "two", "three"):
        holds.add(Hold(name, "north", 10.0, 20.0, "an accident"))
    path = tmp_path / FILE
    whole = path.read_bytes()
    for at in range(len(whole)):
        damaged = whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :]
        path.write_bytes(damaged)

        beside = Holds(tmp_path, readonly=True)
        assert beside.damaged
        assert len(beside.all) >= 2
        assert path.read_bytes() == damaged, "who only reads writes nothing"
        assert [each.name for each in tmp_path.iterdir()] == [FILE]

        again = Holds(tmp_path)
        assert again.all == beside.all
        assert (tmp_path / f"{FILE}.damaged").read_bytes() == damaged
        after = Holds(tmp_path)
        assert (after.all, after.damaged) == (again.all, False)
        (tmp_path / f"{FILE}.damaged").unlink()


def test_a_damaged_file_that_cannot_be_kept_beside_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[{"id": "one", "camera": "north", "from_s": 1, "to_s": 2, "why": ""}, {')
    (tmp_path / f"{FILE}.damaged").mkdir()
    assert [each.id for each in Holds(tmp_path).all] == ["one"]


def test_a_file_of_anything_is_set_aside(tmp_path: Path) -> None:
    for number, data in enumerate(
        (b'[{"id": "one"', b"", bytes(400), b"7", b"null", b"\xff{}", b"[[]]", b"[null]")
    ):
        (tmp_path / FILE).write_bytes(data)
        assert Holds(tmp_path).all == ()
        assert (tmp_path / f"{FILE}.damaged").read_bytes() == data, number
