"""verifier.layout.splitting"""

from __future__ import annotations

import io
from dataclasses import replace
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from agent.evidence.package.manifest import PackagePart
from tests.support.footage import NOON_S
from tests.support.packages import request_of
from verifier.layout.splitting import Blocks, Located, at_their_places, by_their_content, in_order

REQUEST = request_of("north", NOON_S, NOON_S + 1)
BASE = PackagePart(1, 0, REQUEST.start, REQUEST.end, 0, "", 1, "", 1, 0)


def fragment(body: bytes) -> bytes:
    return b"\x00\x00\x00\x10moof\x00\x00\x00\x08mfhd" + body


BODIES = st.binary(max_size=40).filter(lambda body: b"moof" not in body)
PIECES = st.lists(BODIES.map(fragment), min_size=1, max_size=8, unique=True)


def parts_of(pieces: list[bytes]) -> list[PackagePart]:
    return [
        replace(BASE, number=number, bytes=len(piece), sha256=sha256(piece).hexdigest())
        for number, piece in enumerate(pieces)
    ]


def blocks(data: bytes, most: int = 1 << 20) -> Blocks:
    file = io.BytesIO(data)
    return lambda asked: file.read(min(asked, most))


@given(PIECES, st.integers(1, 30))
def test_what_lies_as_it_was_signed_is_known_by_its_places(pieces: list[bytes], most: int) -> None:
    found, ends = at_their_places(blocks(b"".join(pieces), most), parts_of(pieces))

    assert ([each.part.number for each in found], ends) == (list(range(len(pieces))), True)


@given(PIECES, st.data(), st.integers(17, 60))
def test_in_any_order_and_with_rubbish_before_they_are_known_by_their_content(
    pieces: list[bytes], data: st.DataObject, most: int
) -> None:
    parts = parts_of(pieces)
    order = data.draw(st.permutations(range(len(pieces))))
    rubbish = data.draw(st.binary(max_size=50).filter(lambda found: b"moof" not in found))
    file = rubbish + b"".join(pieces[index] for index in order)
    *located, size = by_their_content(blocks(file, most), {part.sha256: part for part in parts}, 100)

    assert size == len(file)
    found = [each for each in located if isinstance(each, Located)]
    assert [each.part.number for each in found] == list(order)
    assert all(file[each.first_byte : each.end_byte] == pieces[each.part.number] for each in found)


def test_millions_of_beginnings_are_not_looked_at() -> None:
    file = b"".join(fragment(str(number).encode()) for number in range(1000))
    last = fragment(b"known")
    *located, size = by_their_content(blocks(file + last), {part.sha256: part for part in parts_of([last])}, 10)

    assert (located, size) == ([], len(file + last))


@given(st.lists(st.integers(0, 9), max_size=12))
def test_the_most_that_stand_in_order_are_taken(numbers: list[int]) -> None:
    located = [Located(at, at + 1, replace(BASE, number=number)) for at, number in enumerate(numbers)]
    chosen = in_order(located)
    taken = [numbers[index] for index in sorted(chosen)]

    assert taken == sorted(set(taken))
    assert len(taken) == longest(tuple(numbers))


def longest(numbers: tuple[int, ...]) -> int:
    """The plain way: of each number, the longest that ends there."""
    ends: list[int] = []
    for index, number in enumerate(numbers):
        ends.append(1 + max((ends[at] for at in range(index) if numbers[at] < number), default=0))
    return max(ends, default=0)
