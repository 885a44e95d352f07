"""station.boxes.plan_picture"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.boxes.plan_picture import KEPT_SIDE_PX, MAX_BYTES, MAX_SIDE_PX, PlanError, plan_picture


def image(width: int = 120, height: int = 80, channels: int = 3) -> np.ndarray[Any, Any]:
    found = np.full((height, width, channels), 200, np.uint8)
    found[: height // 2, : width // 2, 0] = 30
    return found


def encoded(picture: np.ndarray[Any, Any], kind: str = ".png") -> bytes:
    return cv2.imencode(kind, picture)[1].tobytes()


def claimed(width: int, height: int) -> bytes:
    """A PNG of some bytes that claims to be of that size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + b"\0" * 20
    )


@pytest.mark.parametrize(("kind", "media_type"), [(".png", "image/png"), (".jpg", "image/jpeg")])
def test_a_picture_is_written_anew_as_what_it_is(kind: str, media_type: str) -> None:
    found = plan_picture(encoded(image(), kind))

    assert (found.media_type, found.width_px, found.height_px) == (media_type, 120, 80)
    again = cv2.imdecode(np.frombuffer(found.data, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(again.astype(int) - image().astype(int)).mean() < 3


def test_nothing_but_the_pixels_is_kept() -> None:
    hidden = b"<script>alert(1)</script>"
    comment = b"\xff\xfe" + struct.pack(">H", len(hidden) + 2) + hidden
    jpeg = encoded(image(), ".jpg")
    found = plan_picture(jpeg[:2] + comment + jpeg[2:] + hidden)

    assert hidden not in found.data
    assert hidden not in plan_picture(encoded(image()) + hidden).data


def test_what_is_transparent_is_white_and_what_is_grey_or_of_16_bits_is_read() -> None:
    clear = np.zeros((60, 60, 4), np.uint8)
    for picture, value in (
        (clear, 255),
        (np.full((60, 60), 77, np.uint8), 77),
        (np.full((60, 60, 3), 25_700, np.uint16), 100),
    ):
        found = plan_picture(encoded(picture))
        pixels = cv2.imdecode(np.frombuffer(found.data, np.uint8), cv2.IMREAD_COLOR)
        assert (pixels == value).all()


def test_a_large_picture_is_made_smaller_and_keeps_its_shape() -> None:
    found = plan_picture(encoded(np.zeros((1000, 8000, 3), np.uint8)))

    assert (found.width_px, found.height_px) == (KEPT_SIDE_PX, KEPT_SIDE_PX // 8)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "no picture that can be a plan",
        ),
        (b"", "no picture"),
        (b"GIF89a" + bytes(50), "no picture"),
        (b"\x89PNG\r\n\x1a\n", "no picture"),
        (b"\xff\xd8\xff\xe0\x00\x02", "no picture"),
        (bytes(MAX_BYTES + 1), "larger than 8 MB"),
        (claimed(MAX_SIDE_PX + 1, 100), "8001 × 100 pixels"),
        (claimed(2**31 - 1, 2**31 - 1), "pixels"),
        (claimed(100, 10), "100 × 10 pixels"),
        (claimed(100, 100), "damaged"),
        (encoded(image())[:60], "damaged"),
    ],
)
def test_what_is_no_plan_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(PlanError, match=why):
        plan_picture(data)


@given(st.integers(0, 10_000), st.binary(max_size=40), st.sampled_from([".png", ".jpg"]))
def test_whatever_is_changed_in_a_file_it_is_a_plan_or_refused(place: int, bytes_: bytes, kind: str) -> None:
    data = bytearray(encoded(image(), kind))
    at = place % len(data)
    data[at : at + len(bytes_)] = bytes_
    try:
        found = plan_picture(bytes(data))
    except PlanError:
        return
    assert found.data[:3] in (b"\x89PN", b"\xff\xd8\xff")
