"""station.ingest.jpeg"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.types import WHOLE, Instant, Shot
from agent.publishing.jpeg import encode
from station.ingest.jpeg import MAX_SCANS, fault
from tests.support.jpegs import jpeg

NOISE = np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)
PLAIN = cv2.imencode(".jpg", NOISE)[1].tobytes()
SCAN = PLAIN.index(b"\xff\xda")
FRAME = PLAIN.index(b"\xff\xc0")


def sized(width: int, height: int) -> bytes:
    return PLAIN[: FRAME + 5] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + PLAIN[FRAME + 9 :]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(2_000, 60_000), st.integers(0, 2**32 - 1))
def test_every_picture_that_a_box_makes_is_whole(width: int, height: int, budget: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    assert fault(encode(Shot(image, Instant(0, 0), WHOLE, 1.0), 320, budget).data) is None


@pytest.mark.parametrize("options", [
    [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 2], [cv2.IMWRITE_JPEG_OPTIMIZE, 1],
    [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444], [cv2.IMWRITE_JPEG_QUALITY, 100],
])  # fmt: skip
def test_every_kind_of_picture_that_a_camera_may_make_is_whole(options: list[int]) -> None:
    assert fault(cv2.imencode(".jpg", NOISE, options)[1].tobytes()) is None
    assert fault(cv2.imencode(".jpg", NOISE[:, :, 0], options)[1].tobytes()) is None


@pytest.mark.parametrize(("data", "words"), [
    (b"", "begin"),
    (b"\xff\xd8", "too early"),
    (b"\xff\xd8\xff\xd9", "no picture"),
    (b"\xff\xd8<script>alert(1)</script>", "marker is missing"),
    (PLAIN + b"PK\3\4", "follows its end"),
    (PLAIN + PLAIN, "follows its end"),
    (PLAIN[:-2], "too early"),
    (PLAIN[:SCAN] + b"\xff\xd9", "no picture"),
    (PLAIN[:2] + b"\xff\xe1\0\x0aExif\0\0\1\2" + PLAIN[2:], "kind E1"),
    (PLAIN[:2] + b"\xff\xfe\0\x07words" + PLAIN[2:], "kind FE"),
    (PLAIN[:2] + PLAIN[SCAN:], "before what it means"),
    (PLAIN[:FRAME] + PLAIN[FRAME : FRAME + 19] * 2 + PLAIN[FRAME + 19 :], "frame"),
    (sized(16_000, 16_000), "16000 x 16000"),
    (sized(0, 8), "0 x 8"),
    (sized(8192, 8192), "8192 x 8192"),
    (PLAIN[:FRAME] + b"\xff\xc9" + PLAIN[FRAME + 2 :], "kind C9"),
])  # fmt: skip
def test_what_is_no_whole_picture_is_told(data: bytes, words: str) -> None:
    assert words in (fault(data) or "")


def test_a_picture_of_a_thousand_scans_is_none() -> None:
    data = cv2.imencode(".jpg", NOISE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert fault(data) is None
    last = data.rindex(b"\xff\xda")
    bomb = data[:last] + data[last:-2] * (MAX_SCANS + 1) + data[-2:]
    assert "too many scans" in (fault(bomb) or "")


@given(st.binary(max_size=200), st.integers(0, len(PLAIN)))
def test_bytes_of_any_kind_raise_nothing(data: bytes, at: int) -> None:
    fault(data)
    fault(b"\xff\xd8" + data)
    fault(PLAIN[:at] + data)
    fault(PLAIN[:at] + data + PLAIN[at:])


@given(st.integers(0, len(PLAIN) - 1))
def test_a_picture_that_was_cut_is_none(size: int) -> None:
    assert fault(PLAIN[:size]) is not None


def test_the_pictures_of_other_tests_are_whole() -> None:
    assert fault(jpeg(b"words")) is None
