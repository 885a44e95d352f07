"""agent.publishing.jpeg"""

from __future__ import annotations

from hashlib import sha256

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Box, Image, Instant, Sensitive, SensitiveKind, Shot
from agent.publishing.jpeg import Blur, ThumbnailSettings, encode, scene, thumbnail

AT = Instant(1.0, 1.0)
MIDDLE = Box(0.4, 0.4, 0.6, 0.6)


def noise(width_px: int, height_px: int) -> Image:
    return np.random.default_rng(7).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def smooth(width_px: int, height_px: int) -> Image:
    small = cv2.resize(noise(8, 6), (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    return np.asarray(small, np.uint8)


def shot(image: Image, box: Box = MIDDLE) -> Shot:
    return Shot(image, AT, box, 0.5)


def decoded(data: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


@given(st.integers(1, 200), st.integers(1, 200), st.integers(16, 100), st.integers(1_500, 20_000))
def test_any_picture_fits_its_budget_and_side(width_px: int, height_px: int, side_px: int, budget: int) -> None:
    jpeg = encode(shot(noise(width_px, height_px)), side_px, budget)

    assert len(jpeg.data) <= budget
    assert max(jpeg.width_px, jpeg.height_px) <= side_px
    assert decoded(jpeg.data).shape == (jpeg.height_px, jpeg.width_px, 3)
    assert jpeg.sha256 == sha256(jpeg.data).hexdigest()


def test_a_picture_is_never_enlarged() -> None:
    jpeg = encode(shot(smooth(100, 50)), 320, 24_000)

    assert (jpeg.width_px, jpeg.height_px) == (100, 50)


def test_the_search_finds_the_best_quality_that_fits() -> None:
    image, budget = noise(160, 120), 12_000
    jpeg = encode(shot(image), 320, budget, min_quality=10)
    sizes = {
        quality: len(
            cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])[1]
        )
        for quality in range(10, 93)
    }

    assert len(jpeg.data) == max(size for size in sizes.values() if size <= budget)


def test_noise_that_no_quality_can_save_is_shrunk() -> None:
    jpeg = encode(shot(noise(320, 240)), 320, 8_000, min_quality=45)

    assert len(jpeg.data) <= 8_000
    assert 32 <= jpeg.width_px < 320
    assert jpeg.width_px / jpeg.height_px == pytest.approx(4 / 3, rel=0.05)


def test_a_smooth_picture_keeps_its_best_quality() -> None:
    image = smooth(320, 240)
    jpeg = encode(shot(image), 320, 24_000)

    error = np.abs(decoded(jpeg.data).astype(int) - image.astype(int)).mean()
    assert len(jpeg.data) < 24_000
    assert error < 2.0


def test_no_metadata_leaves_the_box() -> None:
    data = encode(shot(smooth(64, 64)), 320, 24_000).data

    assert b"Exif" not in data
    assert b"http" not in data
    assert b"\xff\xe1" not in data[:200]


def test_the_scene_frames_the_object_and_leaves_it_visible() -> None:
    grey = np.full((540, 960, 3), 128, np.uint8)
    picture = decoded(scene(shot(grey, Box(0.25, 0.25, 0.5, 0.5)), ThumbnailSettings()).data).astype(int)

    left, top, right, bottom = 240, 135, 480, 270
    assert picture[top - 2, left:right].mean() > 180
    assert picture[top:bottom, left - 2].mean() > 180
    assert abs(picture[top + 6 : bottom - 6, left + 6 : right - 6].mean() - 128) < 3


@pytest.mark.parametrize(("width_px", "line_px"), [(320, 1), (960, 2), (1920, 4)])
def test_the_frame_grows_with_the_picture_and_never_into_the_object(width_px: int, line_px: int) -> None:
    grey = np.full((width_px // 2, width_px, 3), 128, np.uint8)
    settings = ThumbnailSettings(scene_max_side_px=width_px)
    marked = decoded(scene(shot(grey, Box(0.25, 0.25, 0.5, 0.5)), settings).data)
    row = marked[width_px // 4 * 3 // 4, : width_px // 2 - 8, 0]

    assert (row > 192).sum() == line_px, "white"
    assert (row < 64).sum() == line_px, "dark"
    assert (marked[width_px // 8 : width_px // 4, width_px // 4 : width_px // 2] == 128).all()


def test_the_picture_of_the_caller_is_left_as_it_was() -> None:
    image = smooth(320, 240)
    before = image.copy()
    scene(shot(image), ThumbnailSettings())
    thumbnail(shot(image), ThumbnailSettings())

    assert np.array_equal(image, before)


def test_a_box_at_the_edge_or_beyond_it_does_not_harm() -> None:
    jpeg = scene(shot(smooth(64, 48), Box(-0.5, -0.5, 1.5, 1.5)), ThumbnailSettings())

    assert (jpeg.width_px, jpeg.height_px) == (64, 48)


HEAD = Sensitive(SensitiveKind.HEAD, Box(0.2, 0.2, 0.4, 0.4), 6)
PLATE = Sensitive(SensitiveKind.PLATE, Box(0.6, 0.6, 0.9, 0.9), 6)


def private_shot(image: Image) -> Shot:
    return Shot(image, AT, MIDDLE, 0.5, (HEAD, PLATE))


def detail(image: Image, box: Box) -> float:
    """How much neighbouring pixels differ in a part."""
    height_px, width_px = image.shape[:2]
    rows = slice(round(box.top * height_px), round(box.bottom * height_px))
    part = image[rows, round(box.left * width_px) : round(box.right * width_px)]
    return float(np.abs(np.diff(part.astype(float), axis=1)).mean())


@pytest.mark.parametrize(
    ("blur", "hidden"), [("none", ()), ("heads", (HEAD,)), ("heads_and_plates", (HEAD, PLATE))]
)
def test_heads_and_plates_are_of_coarse_squares_where_it_is_wanted(
    blur: Blur, hidden: tuple[Sensitive, ...]
) -> None:
    image = noise(480, 480)
    plain = decoded(encode(shot(image), 480, 500_000).data)
    for jpeg in (
        encode(private_shot(image), 480, 500_000, blur=blur),
        scene(private_shot(image), ThumbnailSettings(blur=blur, scene_max_side_px=480)),
        thumbnail(private_shot(image), ThumbnailSettings(blur=blur, max_side_px=480)),
    ):
        seen = decoded(jpeg.data)
        for each in (HEAD, PLATE):
            assert (detail(seen, each.box) < 0.35 * detail(plain, each.box)) is (each in hidden), each.kind
        assert detail(seen, Box(0.0, 0.7, 0.3, 1.0)) > 0.35 * detail(plain, Box(0.0, 0.7, 0.3, 1.0)), (
            "the rest stays"
        )


def test_of_what_is_hidden_no_more_is_left_than_a_few_squares() -> None:
    """In a picture of half the size each square shrinks to some pixels, and inside of one nothing differs."""
    image = noise(480, 480)
    seen = decoded(encode(private_shot(image), 480, 500_000, blur="heads").data).astype(int)
    square = seen[98:110, 98:110]

    assert np.abs(square - square.mean(axis=(0, 1))).max() < 12, "JPEG's own noise"


@pytest.mark.parametrize(
    "box", [Box(-0.5, -0.5, 0.1, 0.1), Box(0.9, 0.9, 2.0, 2.0), Box(0.5, 0.5, 0.5001, 0.5001)]
)
def test_what_reaches_out_of_the_picture_or_is_smaller_than_a_pixel_is_borne(box: Box) -> None:
    picture = Shot(smooth(100, 50), AT, MIDDLE, 0.5, (Sensitive(SensitiveKind.HEAD, box, 6),))

    assert encode(picture, 320, 24_000, blur="heads").width_px == 100
