"""agent.evidence.fragment: a piece of footage."""

from __future__ import annotations

import hashlib
from pathlib import Path

from agent.core.types import Instant
from agent.evidence.fragment import as_stored
from tests.support.footage import NOON_S, RingBench, piece


def test_a_fragment_ends_when_the_next_begins() -> None:
    assert piece("north", "run", "media", Instant(5.0, 100.0), 2.5, b"x").end == Instant(7.5, 102.5)


def test_what_lies_knows_its_end_by_the_wall(tmp_path: Path) -> None:
    bench = RingBench(tmp_path)
    bench.record(4)
    bench.ring.cut("north")
    assert [each.end_s for each in bench.ring.index.between("north", NOON_S, NOON_S + 9)] == [
        NOON_S + 2,
        NOON_S + 4,
    ]
    bench.ring.close()


def test_a_piece_as_it_lies_names_its_plain_bytes_its_ciphertext_and_the_init_that_it_needs() -> None:
    fragment = piece("north", "run", "media", Instant(5.0, 100.0), 2.5, b"in the clear")
    lies = as_stored(fragment, b"ciphertext", 7, "boot-1", "of the init")

    assert (lies.segment, lies.boot, lies.bytes, lies.init_sha256) == (7, "boot-1", 10, "of the init")
    assert lies.sha256 == hashlib.sha256(b"in the clear").hexdigest()
    assert lies.cipher_sha256 == hashlib.sha256(b"ciphertext").hexdigest()
    assert (lies.start, lies.duration_s, lies.wall_s) == (fragment.start, 2.5, 100.0)
    init = piece("north", "run", "init", Instant(5.0, 100.0), 0.0, b"init")
    assert as_stored(init, b"c", 7, "boot-1", None).init_sha256 == hashlib.sha256(b"init").hexdigest()
