"""models.dataset.sizes"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from agent.errors import ModelError
from models.dataset.sizes import size_of
from tests.support.labelled import picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_turned_by_its_exif_has_the_size_that_opencv_reads(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "turned.jpg"
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path, exif=exif)

    seen = cv2.imread(str(path))

    assert seen is not None
    assert size_of(path) == (seen.shape[1], seen.shape[0])


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "bmp"])
def test_every_format_tells_its_size(tmp_path: Path, kind: str) -> None:
    assert size_of(picture(tmp_path / f"x.{kind}", 64, 48)) == (64, 48)


def head_of_png(width: int, height: int) -> bytes:
    """Of a picture whose pixels are not there."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data))
    return b"\x89PNG\r\n\x1a\n" + head + struct.pack(">I", 100) + b"IDAT"


@pytest.mark.parametrize("side", [15_000, 60_000, 2_000_000])
def test_a_picture_that_would_fill_the_ram_is_refused_by_its_head(tmp_path: Path, side: int) -> None:
    (tmp_path / "bomb.png").write_bytes(head_of_png(side, side))

    with pytest.raises(ModelError, match="more than 200,000,000 pixels"):
        size_of(tmp_path / "bomb.png")


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8\xff\xe0", b"not a picture at all"])
def test_what_is_no_picture_is_told_in_a_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.jpg").write_bytes(content)

    with pytest.raises(ModelError, match=r"x\.jpg: cannot be read: it is no picture"):
        size_of(tmp_path / "x.jpg")
    with pytest.raises(ModelError, match="No such file"):
        size_of(tmp_path / "none.jpg")
