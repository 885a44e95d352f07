"""station.labels.unframed"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.core.types import Box, Image
from agent.publishing import jpeg as of_the_box
from agent.publishing.jpeg import ThumbnailSettings
from agent.wire.payloads import BoxPayload
from station.labels.unframed import FRAME_SHARE, BarePicture, unframed
from tests.support.jpegs import jpeg
from tests.support.judged_alerts import PLACE, road, whole_view

BOXES = [
    PLACE,
    Box(0.0, 0.2, 0.3, 0.9),
    Box(0.7, 0.0, 1.0, 0.4),
    Box(0.4567, 0.6543, 0.4777, 0.6843),
    Box(0.1, 0.6, 0.9, 1.0),
]


def on_the_wire(box: Box) -> BoxPayload:
    """As the wire rounds it."""
    return BoxPayload(**{side: round(getattr(box, side), 3) for side in ("left", "top", "right", "bottom")})


def read(data: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def bare(data: bytes, box: Box) -> BarePicture:
    found = unframed(data, on_the_wire(box))
    assert found is not None
    return found


def test_the_share_of_a_line_is_that_of_the_box() -> None:
    assert FRAME_SHARE == of_the_box.FRAME_SHARE


@pytest.mark.parametrize("box", BOXES, ids=str)
@pytest.mark.parametrize(
    ("wide", "high", "settings"),
    [
        (960, 540, ThumbnailSettings()),
        (640, 480, ThumbnailSettings()),
        (1920, 1080, ThumbnailSettings(scene_max_side_px=1920)),
        (960, 540, ThumbnailSettings(scene_max_bytes=15_000)),
    ],
    ids=["usual", "small", "large", "within few bytes"],
)
def test_of_the_frame_nothing_is_left_that_a_detector_could_learn(
    box: Box, wide: int, high: int, settings: ThumbnailSettings
) -> None:
    framed = whole_view(road(wide=wide, high=high), box, settings)
    found = bare(framed, box)
    image = read(found.data)
    plain = cv2.resize(
        road(wide=wide, high=high), (found.width_px, found.height_px), interpolation=cv2.INTER_AREA
    )

    assert (found.height_px, found.width_px) == read(framed).shape[:2] == image.shape[:2]
    assert np.abs(read(framed).astype(int) - plain).max() > 100, "the frame was there"
    assert np.abs(image.astype(int) - plain).max() < 70, "asphalt where it was"
    assert unframed(found.data, on_the_wire(box)) is None, "there is no frame any more"


def test_the_road_user_himself_is_left_as_he_is() -> None:
    image = road()
    left, top, right, bottom = (round(side) for side in (0.4 * 960, 0.5 * 540, 0.5 * 960, 0.7 * 540))
    image[top:bottom, left:right] = (30, 200, 30)
    before = read(whole_view(image))[top + 2 : bottom - 2, left + 2 : right - 2].astype(int)
    after = read(bare(whole_view(image), PLACE).data)[top + 2 : bottom - 2, left + 2 : right - 2].astype(int)

    assert np.abs(before - after).max() <= 12, "what writing a JPEG anew changes"


@pytest.mark.parametrize("shift", [(0.05, 0.0), (0.0, 0.05), (-0.3, -0.3)])
def test_a_place_without_its_frame_is_not_of_this_picture(shift: tuple[float, float]) -> None:
    right, down = shift
    moved = Box(PLACE.left + right, PLACE.top + down, PLACE.right + right, PLACE.bottom + down)

    assert unframed(whole_view(road()), on_the_wire(moved)) is None


def test_noise_is_no_frame_and_what_is_no_picture_is_none() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (540, 960, 3)).astype(np.uint8)
    _, data = cv2.imencode(".jpg", noise)
    whole = BoxPayload(left=0, top=0, right=1, bottom=1)

    assert unframed(whole_view(road(), Box(0, 0, 1, 1)), whole) is None, "no frame can be seen around all of it"
    assert unframed(b"nothing", on_the_wire(PLACE)) is None
    assert unframed(jpeg(), on_the_wire(PLACE)) is None
    assert unframed(cv2.imencode(".jpg", road())[1].tobytes(), on_the_wire(PLACE)) is None
    assert bytes(data), "noise has white beside black everywhere: it is the one thing that passes for a frame"
