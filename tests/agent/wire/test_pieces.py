"""agent.wire.pieces"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire.pieces import FILE_PATTERN, PIECE_BYTES, count, cut, span


@given(st.integers(0, 4), st.integers(0, PIECE_BYTES - 1))
def test_pieces_together_are_the_file_and_only_the_last_is_short(whole: int, rest: int) -> None:
    data = bytes(number % 251 for number in range(whole * PIECE_BYTES + rest))

    pieces = list(cut(data))

    assert b"".join(pieces) == data
    assert len(pieces) == count(len(data))
    assert all(len(piece) == PIECE_BYTES for piece in pieces[:-1])
    assert all(data[slice(*span(len(data), number))] == piece for number, piece in enumerate(pieces))


def test_a_piece_beyond_the_file_is_none() -> None:
    with pytest.raises(ValueError, match="no piece 1"):
        span(PIECE_BYTES, 1)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a" * 65, "-x", "ä"])
def test_a_name_that_could_lead_elsewhere_is_none(name: str) -> None:
    assert re.fullmatch(FILE_PATTERN, name) is None
