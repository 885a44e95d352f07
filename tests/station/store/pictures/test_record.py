"""station.store.pictures.record"""

from __future__ import annotations

from hashlib import sha256

import pytest

from station.store.pictures.record import HEAD_BYTES, MAGIC, RecordHead, head_of, heads_in, recorded


def name(data: bytes) -> str:
    return sha256(data).hexdigest()


def test_a_record_says_what_it_holds_and_holds_it() -> None:
    record = recorded(name(b"one"), b"one")

    assert head_of(record) == RecordHead(name(b"one"), 3)
    assert record[HEAD_BYTES:] == b"one"
    assert len(record) == HEAD_BYTES + 3


@pytest.mark.parametrize("at", range(HEAD_BYTES))
def test_no_byte_of_a_head_can_change_unseen(at: int) -> None:
    record = bytearray(recorded(name(b"one"), b"one"))
    record[at] ^= 1

    assert head_of(bytes(record)) is None


def test_half_a_head_is_none() -> None:
    assert head_of(recorded(name(b"one"), b"one")[: HEAD_BYTES - 1]) is None
    assert head_of(b"") is None


def test_records_are_found_behind_whatever_lies_between_them() -> None:
    first, second, third = (recorded(name(each), each) for each in (b"one", b"two", b"three"))
    torn = bytearray(second)
    torn[20] ^= 0xFF

    data = bytes(100) + first + bytes(torn) + b"rubbish" + MAGIC + third

    assert list(heads_in(data)) == [
        (100, RecordHead(name(b"one"), 3)),
        (len(data) - len(third), RecordHead(name(b"three"), 5)),
    ]


def test_a_picture_that_holds_a_whole_record_hides_none_and_shows_none() -> None:
    inner = recorded(name(b"inner"), b"inner")
    data = recorded(name(inner), inner) + recorded(name(b"next"), b"next")

    assert [head.sha256 for _, head in heads_in(data)] == [name(inner), name(b"next")]
