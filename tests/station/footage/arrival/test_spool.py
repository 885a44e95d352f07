"""station.footage.arrival.spool"""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.wire.pieces import PIECE_BYTES
from station.footage.arrival.spool import Spool, SpooledPiece

ONE = SpooledPiece("manifest.json", 0, b"m" * PIECE_BYTES)
TWO = SpooledPiece("manifest.json", 1, b"n" * 7)


def test_pieces_are_there_after_a_restart_and_read_in_their_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "pieces")
    spool.add([TWO])
    spool.add([ONE, SpooledPiece("a.age", 0, b"")])

    again = Spool(tmp_path / "pieces")

    assert b"".join(again.read("manifest.json")) == ONE.data + TWO.data
    assert dict(again.sizes("manifest.json")) == {0: PIECE_BYTES, 1: 7}
    assert again.bytes == PIECE_BYTES + 7
    assert again.has("a.age", 0)
    assert not again.has("a.age", 1)


def test_the_first_of_two_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "pieces")
    spool.add([TWO, SpooledPiece("manifest.json", 1, b"other")])
    size = (tmp_path / "pieces").stat().st_size

    spool.add([SpooledPiece("manifest.json", 1, b"another")])

    assert (tmp_path / "pieces").stat().st_size == size
    assert dict(spool.sizes("manifest.json")) == {1: 7}


def test_what_does_not_follow_is_not_read(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "pieces")
    spool.add([ONE, SpooledPiece("manifest.json", 2, b"z")])

    assert b"".join(spool.read("manifest.json")) == ONE.data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_wherever_it_is_cut_off_what_stands_before_is_whole_and_more_can_be_added(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "pieces"
    path.unlink(missing_ok=True)
    every = [SpooledPiece("f", number, bytes([number]) * 50) for number in range(4)]
    Spool(path).add(every)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    flip = data.draw(st.booleans())
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] if flip else whole[:at])

    spool = Spool(path)
    kept = set(spool.sizes("f"))

    spool.add(every)
    assert len(kept) <= 4
    assert b"".join(Spool(path).read("f")) == b"".join(piece.data for piece in every)


def test_a_disk_that_takes_half_of_it_leaves_what_was_there(tmp_path: Path) -> None:
    """The bound of a file's size stands for a full disk: what fits is written, and then comes an error."""
    spool = Spool(tmp_path / "pieces")
    spool.add([TWO])
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(OSError, match="too large"):
            spool.add([ONE])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)

    assert not spool.has("manifest.json", 0)
    spool.add([ONE])
    assert b"".join(Spool(tmp_path / "pieces").read("manifest.json")) == ONE.data + TWO.data
