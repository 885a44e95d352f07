"""models.label.pictures"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from agent.errors import ModelError
from models.label.pictures import shown, tile
from tests.support.labelled import picture


def test_a_picture_is_sent_as_it_is(tmp_path: Path) -> None:
    path = picture(tmp_path / "x.png")

    assert shown(path, 640 * 360) == (path.read_bytes(), "image/png")


def test_a_large_or_odd_one_is_sent_as_a_smaller_jpeg_turned_as_it_is_shown(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.new("L", (10_000, 10_000 // 4)).save(tmp_path / "large.jpg", exif=exif, quality=10)

    data, kind = shown(tmp_path / "large.jpg", 10_000 * 2_500)

    assert kind == "image/jpeg"
    with Image.open(io.BytesIO(data)) as sent:
        assert sent.size == (1024, 4096)
    assert shown(picture(tmp_path / "x.bmp", 64, 48), 64 * 48)[1] == "image/jpeg"


def test_a_tile_is_small(tmp_path: Path) -> None:
    with Image.open(io.BytesIO(tile(picture(tmp_path / "x.jpg")))) as sent:
        assert sent.size == (240, 135)


def test_what_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no picture")

    with pytest.raises(ModelError, match="cannot be decoded"):
        tile(tmp_path / "x.jpg")
    with pytest.raises(ModelError, match="No such file"):
        shown(tmp_path / "gone.jpg", 1)
