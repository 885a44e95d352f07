"""station.footage.arrival.arriving"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import pieces
from agent.wire.pieces import PIECE_BYTES
from station.footage.arrival.arriving import AHEAD_BYTES, LATER, Arriving
from station.footage.arrival.spool import Spool, SpooledPiece
from tests.support.footage_requests import asked, package, public_pem

FILES = package(300, 2 * PIECE_BYTES + 5)
PIECES = [(name, number, body) for name, data in FILES.items() for number, body in enumerate(pieces.cut(data))]


def arriving(state_dir: Path, key: bytes | None = None) -> Arriving:
    folder = asked(state_dir, key=key)
    return Arriving(folder, Spool(folder.pieces))


def bring(request: Arriving, *names: str) -> None:
    request.spool.add([SpooledPiece(*each) for each in PIECES if each[0] in names])


def test_a_request_is_whole_with_the_last_piece_that_its_manifest_lists(tmp_path: Path) -> None:
    request = arriving(tmp_path)
    bring(request, "manifest.json")
    assert (request.read_manifest(1 << 20), request.listed, request.whole) == (None, None, False)

    bring(request, "manifest.sig", "footage-1-00000.age")
    assert request.read_manifest(1 << 20) is None
    assert request.listed == {name: len(data) for name, data in FILES.items()}
    assert not request.whole

    bring(request, "footage-1-00001.age")
    assert request.whole
    assert request.arrived_bytes == sum(map(len, FILES.values()))


def test_a_manifest_that_lists_more_than_may_come_ends_the_request_in_words(tmp_path: Path) -> None:
    request = arriving(tmp_path)
    bring(request, "manifest.json", "manifest.sig")

    assert "ask for a shorter range" in str(request.read_manifest(1_000))
    assert request.listed is None


def test_a_key_that_is_none_ends_the_request_in_words(tmp_path: Path) -> None:
    request = arriving(tmp_path, key=b"no key")
    bring(request, "manifest.json", "manifest.sig")

    assert request.read_manifest(1 << 20)
    assert request.listed is None


@settings(max_examples=50)
@given(st.sampled_from(PIECES), st.integers(-2, 2), st.integers(-1, 1))
def test_just_the_pieces_that_are_listed_fit_with_just_their_length(
    one: tuple[str, int, bytes], longer: int, further: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        request = arriving(Path(folder), public_pem())
        bring(request, "manifest.json", "manifest.sig")
        assert request.read_manifest(1 << 20) is None
        name, number, body = one[0], max(0, one[1] + further), one[2]

        fits = request.unfit(name, number, len(body) + longer) is None

    assert fits is any(
        (name, number, len(body) + longer) == (each[0], each[1], len(each[2])) for each in PIECES
    )


@pytest.mark.parametrize(
    ("name", "number", "size", "why"),
    [
        ("manifest.json", 0, PIECE_BYTES, None),
        ("manifest.json", 0, PIECE_BYTES + 1, f"a piece of {PIECE_BYTES + 1} bytes"),
        ("manifest.json", 0, 0, "a piece of 0 bytes"),
        ("manifest.sig", 0, 65, "a signature of more than 64 bytes"),
        ("manifest.sig", 1, 64, "a signature of more than 64 bytes"),
        ("footage-1-00000.age", 9, 5, None),
    ],
)
def test_before_the_manifest_is_here_nobody_knows_more_than_what_is_too_long(
    tmp_path: Path, name: str, number: int, size: int, why: str | None
) -> None:
    assert arriving(tmp_path).unfit(name, number, size) == why


def test_what_comes_far_ahead_of_the_manifest_comes_again_later(tmp_path: Path) -> None:
    request, number = arriving(tmp_path), 0
    while request.unfit("a.age", number, PIECE_BYTES) is None:
        request.spool.add([SpooledPiece("a.age", number, b"x" * PIECE_BYTES)])
        number += 1

    assert request.unfit("a.age", number, PIECE_BYTES) == LATER
    assert request.spool.bytes > AHEAD_BYTES


def test_of_several_messages_that_bring_one_piece_the_first_is_needed(tmp_path: Path) -> None:
    request = arriving(tmp_path)

    assert request.lacks("manifest.json", 0, ("s-1", 4))
    assert request.lacks("manifest.json", 0, ("s-1", 4))
    assert not request.lacks("manifest.json", 0, ("s-1", 9))
    assert not request.lacks("manifest.json", 1, (None, None))
    bring(request, "manifest.json")
    assert not request.lacks("manifest.json", 0, ("s-1", 4))
    assert not request.lacks("footage-1-00000.age", 0, ("s-1", 5)), "nobody knows whether it is"
