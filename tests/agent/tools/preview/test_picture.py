"""agent.tools.preview.picture"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.clock import SystemClock
from agent.config.schema import CameraConfig
from agent.core.geometry import side
from agent.core.types import Frame, Image, Instant
from agent.errors import CameraRefused, NgatuError
from agent.tools.preview.picture import ARROW_PX, READABLE_PX, drawn, preview, save

PLACES = {
    "zones": [{"id": "junction", "polygon": [[0.22, 0.52], [0.78, 0.52], [0.88, 0.88], [0.12, 0.88]]}],
    "rules": [{"kind": "line", "id": "stop-line", "start": [0.15, 0.65], "end": [0.85, 0.65]}],
}
MASK = [[0.62, 0.12], [0.88, 0.12], [0.88, 0.28], [0.62, 0.28]]


def camera(path: Path = Path("clip.mkv"), **more: object) -> CameraConfig:
    return CameraConfig.model_validate(
        {"name": "north", "source": {"kind": "file", "path": path, "pace": "fast"}, **more}
    )


def grey(width: int, height: int) -> Frame:
    half = (height // 2, width // 2)
    chroma = np.full(half, 128, np.uint8)
    return Frame(0, Instant(1.0, 1.0), np.full((height, width), 110, np.uint8), chroma, chroma)


def changed(image: Image, plain: Image, x: float, y: float) -> bool:
    """Whether something is drawn at this fraction of the picture."""
    at = round(y * image.shape[0]), round(x * image.shape[1])
    return bool((image[at] != plain[at]).any())


@pytest.mark.parametrize(("width", "height"), [(320, 240), (1280, 720), (2560, 1440)])
def test_a_grid_line_lies_on_every_tenth_and_nothing_between_whatever_the_size(width: int, height: int) -> None:
    image = drawn(grey(width, height), camera(rules=[]))
    plain = np.full_like(image, image[round(image.shape[0] * 0.55), round(image.shape[1] * 0.55)])

    for step in range(1, 10):
        assert changed(image, plain, step / 10, 0.45)
        assert changed(image, plain, 0.45, step / 10)
        assert not changed(image, plain, step / 10 + 0.05, 0.45)
        assert not changed(image, plain, 0.45, step / 10 + 0.05)


def test_the_letters_of_a_small_picture_are_as_large_as_those_of_a_large_one() -> None:
    assert drawn(grey(320, 240), camera(rules=[])).shape == (720, READABLE_PX, 3)
    assert drawn(grey(2560, 1440), camera(rules=[])).shape == (1440, 2560, 3)


def test_zones_lines_and_masks_of_the_file_are_drawn_where_it_puts_them() -> None:
    frame = grey(960, 540)
    bare, full = drawn(frame, camera(rules=[])), drawn(frame, camera(privacy_masks=[MASK], **PLACES))

    for x, y in ((0.35, 0.52), (0.45, 0.88), (0.17, 0.7), (0.3, 0.65), (0.75, 0.12), (0.62, 0.2)):
        assert changed(full, bare, x, y), (x, y)
    for x, y in ((0.35, 0.58), (0.05, 0.5), (0.3, 0.3)):
        assert not changed(full, bare, x, y), (x, y)


def test_the_arrow_points_to_the_side_that_the_rule_calls_in() -> None:
    frame = grey(960, 540)
    image = drawn(frame, camera(rules=[{**PLACES["rules"][0], "start": [0.55, 0.15], "end": [0.55, 0.85]}]))
    plain = drawn(frame, camera(rules=[]))
    middle, reach = (0.55, 0.5), ARROW_PX / 960

    # Where the arrow's tip is wide, and its shaft is not: beside the line's middle.
    tips = [sign for sign in (-1, 1) if changed(image, plain, 0.55 + sign * reach * 0.85, 0.5 + 5 / 540)]
    assert len(tips) == 1
    assert side((middle[0] + tips[0] * reach, 0.5), (0.55, 0.15), (0.55, 0.85)) < 0  # the right hand


def test_what_a_mask_hides_is_black_in_the_picture_too(numbered_clip: Callable[..., Path]) -> None:
    shown, size = preview(camera(numbered_clip(3), rules=[], privacy_masks=[MASK]), SystemClock())
    bare, _ = preview(camera(numbered_clip(3), rules=[]), SystemClock())
    inside = np.s_[round(0.14 * 720) : round(0.18 * 720), round(0.63 * 960) : round(0.69 * 960)]

    assert (size.width_px, size.height_px) == (320, 240)
    assert shown[inside].max() < 8
    assert bare[inside].min() > 50


def test_a_picture_is_written_as_its_name_says(tmp_path: Path) -> None:
    image = drawn(grey(320, 240), camera(rules=[]))
    for name in ("north.jpg", "north.PNG"):
        save(image, tmp_path / name)
        assert cv2.imread(str(tmp_path / name)).shape == image.shape


@pytest.mark.parametrize(
    ("name", "says"), [("north.txt", "not a name for a picture"), ("nowhere/north.jpg", "cannot be written")]
)
def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(NgatuError, match=says):
        save(drawn(grey(320, 240), camera(rules=[])), tmp_path / name)


def test_a_camera_without_a_picture_is_told(tmp_path: Path) -> None:
    with pytest.raises(CameraRefused):
        preview(camera(tmp_path / "none.mkv"), SystemClock())
