"""agent.cameras.decode.footage.parameter_sets: what a decoder must know first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.footage.parameter_sets import parameter_sets

SPS, PPS, IDR = b"\x67\x42\x00\x1f", b"\x68\xce\x38\x80", b"\x65\x88\x84\x21" * 100
START = b"\0\0\0\1"


def test_the_sets_before_an_h264_picture_are_found_with_start_codes_of_either_length() -> None:
    assert parameter_sets(START + SPS + START + PPS + START + IDR, "h264") == START + SPS + START + PPS
    short = b"\0\0\1"
    assert parameter_sets(START + SPS + short + PPS + short + IDR, "h264") == START + SPS + START + PPS


def test_what_stands_behind_the_picture_and_other_units_do_not_count() -> None:
    aud = b"\x09\xf0"
    assert parameter_sets(START + aud + START + SPS + START + IDR + START + PPS, "h264") == START + SPS
    assert parameter_sets(START + IDR, "h264") == b""


def test_h265_has_three_of_them() -> None:
    vps, sps, pps, idr = b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc1", b"\x26\x01\xaf" * 50
    assert parameter_sets(START.join((b"", vps, sps, pps, idr)), "hevc") == START.join((b"", vps, sps, pps))


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x05" + SPS, b"\xff\xd8\xff", b"\0\0"])
def test_another_form_has_none(data: bytes) -> None:
    assert parameter_sets(data, "h264") == b""
    assert parameter_sets(START + SPS, "mjpeg") == b""


@given(st.binary(max_size=300), st.sampled_from(["h264", "hevc"]))
def test_a_hostile_stream_gives_no_more_than_it_is(data: bytes, codec: str) -> None:
    assert len(parameter_sets(START + data, codec)) <= 2 * len(data) + 8
