"""verifier.custody_log"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import WireError
from verifier.custody_log import FIRST, CustodyEntry, HeardLink, line, line_sha256, read_line

KEY = Ed25519PrivateKey.generate()
AT = datetime(2027, 1, 1, tzinfo=UTC)
ENTRY = CustodyEntry(
    1,
    FIRST,
    AT,
    "received",
    "station",
    "27 files",
    "thanh-xuan",
    "a" * 64,
    "b" * 64,
    (HeardLink(9, "c" * 64, AT),),
)


def test_a_line_is_read_back() -> None:
    assert read_line(line(ENTRY, KEY), 1, FIRST, KEY.public_key()) == ENTRY


def test_a_line_names_the_one_before() -> None:
    first = line(ENTRY, KEY)
    second = replace(ENTRY, n=2, previous=line_sha256(first))

    assert read_line(line(second, KEY), 2, line_sha256(first), KEY.public_key()) == second
    with pytest.raises(WireError, match="line 2 does not follow"):
        read_line(line(second, KEY), 2, FIRST, KEY.public_key())
    with pytest.raises(WireError, match="line 3 does not follow"):
        read_line(line(second, KEY), 3, line_sha256(first), KEY.public_key())


@pytest.mark.parametrize("at", [0, 40, 87, 88, 89, 120, -1])
def test_one_byte_otherwise_and_it_is_not_what_the_station_signed(at: int) -> None:
    found = bytearray(line(ENTRY, KEY))
    found[at] ^= 1

    with pytest.raises(WireError, match="line 1 is not what the station signed"):
        read_line(bytes(found), 1, FIRST, KEY.public_key())


@pytest.mark.parametrize("found", [b"", b" ", b"x" * 88 + b" {}", b"\xff" * 200])
def test_what_is_no_line_is_told(found: bytes) -> None:
    with pytest.raises(WireError, match="is not what the station signed"):
        read_line(found, 1, FIRST, KEY.public_key())


def test_one_signature_has_one_spelling() -> None:
    found = line(ENTRY, KEY)
    signature, _, data = found.partition(b" ")
    raw = base64.b64decode(signature)
    # the last letter before "==" has four bits that say nothing
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = signature[:-3] + bytes([letters[letters.index(signature[-3:-2]) | 1]]) + b"=="
    assert base64.b64decode(other) == raw

    with pytest.raises(WireError):
        read_line(other + b" " + data, 1, FIRST, KEY.public_key())


def test_another_format_is_told() -> None:
    with pytest.raises(WireError, match="another version"):
        read_line(line(replace(ENTRY, version=2), KEY), 1, FIRST, KEY.public_key())
