"""station.uplink.envelope"""

from __future__ import annotations

import lzma
import os
import zlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from station.uplink.dictionary import DICTIONARY_1
from station.uplink.envelope import (
    LZMA,
    MAX_ITEMS,
    MAX_PACKED_BYTES,
    MAX_PLAIN_BYTES,
    ZLIB,
    Envelope,
    UpItem,
    fitting,
    pack,
    packed,
    unpack,
)

ONE = Envelope("hai-ninh", 1_764_421_200_000, (UpItem("event", "hn-01", b'{"a":\n1}'),))
MANY = Envelope("hai-ninh", 1, tuple(UpItem("of_later", "hn-01", b"abc%d" % n**3) for n in range(300)))
"""So many that LZMA packs them smaller."""


def raw(plain: bytes) -> bytes:
    """An envelope of anything."""
    packer = zlib.compressobj(zdict=DICTIONARY_1)
    return ZLIB + packer.compress(plain) + packer.flush()


HEAD = b'{"commune":"hai-ninh","made_ms":1}\n'


@given(st.lists(st.tuples(st.sampled_from(["event", "box", "of_later"]), st.binary(max_size=200)), max_size=20))
def test_whatever_bytes_an_item_has_come_out_as_they_went_in(given_items: list[tuple[str, bytes]]) -> None:
    items = tuple(UpItem(kind, "hn-01", data) for kind, data in given_items)

    assert unpack(pack(Envelope("hai-ninh", 5, items))) == Envelope("hai-ninh", 5, items)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_envelope_are_one_clear_error(data: bytes) -> None:
    for tried in (data, ZLIB + data, LZMA + data, raw(data), raw(HEAD + data)):
        try:
            unpack(tried)
        except WireError as error:
            assert error.what


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"[]\n",
        b'{"commune":"Hai Ninh","made_ms":1}\n',
        b'{"commune":"hai-ninh","made_ms":true}\n',
        b'{"commune":"hai-ninh","made_ms":99999999999999999}\n',
        HEAD + b'["event","hn-01",5]\nabc\n',
        HEAD + b'["event","hn-01",2]\nabc\n',
        HEAD + b'["event","hn-01",-1]\n\n',
        HEAD + b'["event","hn-01",true]\na\n',
        HEAD + b'["event","../x",1]\na\n',
        HEAD + b'["event","hn-01",1]\na\nrest',
        HEAD + b"[" * 250 + b"\n",
        HEAD + b'["event","hn-01",0]\n\n' * (MAX_ITEMS + 1),
    ],
)
def test_an_envelope_that_is_not_what_it_says_is_refused(plain: bytes) -> None:
    with pytest.raises(WireError):
        unpack(raw(plain))


def test_an_envelope_that_unpacks_to_very_much_is_refused_after_a_megabyte() -> None:
    bomb = raw(HEAD + b"\0" * 50 * MAX_PLAIN_BYTES)

    assert len(bomb) < MAX_PACKED_BYTES
    with pytest.raises(WireError, match="larger unpacked"):
        unpack(bomb)


@pytest.mark.parametrize(("sent", "by"), [(ONE, ZLIB), (MANY, LZMA)])
def test_a_flipped_bit_never_gives_anything_else_than_was_packed(sent: Envelope, by: bytes) -> None:
    data, refused = pack(sent), 0
    assert data[:1] == by

    for at in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        try:
            assert unpack(bytes(flipped)) == sent  # a bit that nobody has a use for
        except WireError:
            refused += 1
    assert refused > len(data) * 7


@pytest.mark.long
def test_a_bomb_of_the_other_kind_is_refused_too() -> None:
    plain = HEAD + b"\0" * 50 * MAX_PLAIN_BYTES
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20, "lc": 3, "lp": 0, "pb": 0}]
    bomb = LZMA + zlib.crc32(plain).to_bytes(4) + lzma.compress(plain, lzma.FORMAT_RAW, filters=filters)

    assert len(bomb) < MAX_PACKED_BYTES
    with pytest.raises(WireError, match="larger unpacked"):
        unpack(bomb)


def test_what_is_too_much_for_one_envelope_makes_several_in_order() -> None:
    items = tuple(UpItem("event", "hn-01", os.urandom(3_000)) for _ in range(150))

    messages = list(packed(Envelope("hai-ninh", 1, items)))

    assert len(messages) > 1 and max(map(len, messages)) <= MAX_PACKED_BYTES
    assert tuple(item for each in messages for item in unpack(each).items) == items


def test_what_no_envelope_can_hold_is_told_apart() -> None:
    large, small = UpItem("event", "hn-01", bytes(MAX_PACKED_BYTES)), UpItem("event", "hn-01", b"a")

    assert fitting([small, large]) == ([small], [large])


def test_the_dictionary_is_the_one_of_version_1_to_the_byte() -> None:
    """Whoever changes it reads nothing of what was sent before: a new one is another version."""
    assert sha256(DICTIONARY_1).hexdigest() == (
        "1177feab94544ea9b125f4679486d8d2d9858d0095d876d931a19312ce756370"
    )
