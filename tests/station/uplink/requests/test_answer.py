"""station.uplink.requests.answer"""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from station.uplink.envelope import Envelope, UpItem, pack
from station.uplink.requests.answer import (
    MOST_ANSWERS,
    PIECE_BYTES,
    RequestAnswer,
    SentFile,
    answer_item,
    file_of,
    piece_items,
    pieces_in,
    read_answer,
    read_piece,
)
from station.uplink.requests.order import RequestState

ANSWER = RequestAnswer(
    "r-1", "a" * 64, 2, RequestState.DONE, None, 5, (SentFile("p.jpg", 3, "b" * 64),), {"went": 1}
)


def test_an_answer_is_read_as_it_was_written() -> None:
    assert read_answer(answer_item(ANSWER, "hai-ninh").raw) == ANSWER


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "r 1"), ("sha256", "a"), ("number", -1), ("number", True), ("state", "perhaps"), ("at_ms", "5"),
        ("reason", "No!"), ("files", [["../p", 3, "b" * 64]]), ("files", [["p", 2**40, "b" * 64]]),
        ("counts", {"a": 1, "b": 2, "c": 3}), ("counts", []), ("files", None),
        ("number", MOST_ANSWERS + 1),
    ],
)  # fmt: skip
def test_an_answer_with_one_wrong_word_is_none(name: str, value: object) -> None:
    said = json.loads(answer_item(ANSWER, "hai-ninh").raw)
    with pytest.raises(WireError):
        read_answer(json.dumps(said | {name: value}).encode())


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_a_file_is_the_sum_of_its_pieces_and_each_fits_into_an_envelope(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    file = file_of("p.jpg", data)

    items = list(piece_items("r-1", file, data, "hn-01"))
    read = [read_piece(each.raw) for each in items]

    assert b"".join(each.data for each in read) == data and len(read) == pieces_in(size)
    assert all(each.file == file for each in read) and all(b.number == a.number + 1 for a, b in pairwise(read))
    assert all(pack(Envelope("hai-ninh", 1, (each,))) for each in items)


def test_a_piece_of_another_number_or_size_is_none() -> None:
    file = file_of("p.jpg", b"abc")
    (item,) = piece_items("r-1", file, b"abc", "hn-01")
    head, _, data = item.raw.partition(b"\n")

    for wrong in (item.raw + b"x", item.raw[:-1], head + data, head.replace(b",0]", b",1]") + b"\n" + data):
        with pytest.raises(WireError):
            read_piece(wrong)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_nothing_but_a_wire_error_is_raised(raw: bytes) -> None:
    for read in (read_answer, read_piece):
        with pytest.raises(WireError):
            read(UpItem("piece", "hn-01", raw).raw)
