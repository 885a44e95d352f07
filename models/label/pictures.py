"""A picture as a browser gets it: its own file where it can show that, a smaller one where that is large."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from agent.errors import ModelError
from agent.translatable import tr

KINDS = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
"""What is sent as it is."""
MOST_SENT_PX = 16_000_000
"""A tablet's browser shows no larger picture, or shows it blurred."""
LONGEST_PX = 4096
"""Side of what is sent instead."""
TILE_PX = 240
"""Width of a picture in the overview."""


def shown(picture: Path, pixels: int) -> tuple[bytes, str]:
    """The file's bytes, or those of a smaller JPEG, and the media type. `pixels` is width times height.

    Raises:
        ModelError: it cannot be read or decoded.
    """
    kind = KINDS.get(picture.suffix.lower())
    if kind is None or pixels > MOST_SENT_PX:
        return _jpeg(picture, LONGEST_PX, 92), "image/jpeg"
    try:
        return picture.read_bytes(), kind
    except OSError as error:
        raise ModelError(
            tr("{path}: cannot be read: {error}", path=picture, error=error.strerror or error)
        ) from error


def tile(picture: Path) -> bytes:
    """A JPEG for the overview.

    Raises:
        ModelError: it cannot be read or decoded.
    """
    return _jpeg(picture, TILE_PX, 80)


def _jpeg(picture: Path, longest: int, quality: int) -> bytes:
    try:
        with Image.open(picture) as opened:
            opened.draft("RGB", (longest, longest))  # a JPEG is decoded at a half, a quarter, an eighth
            image = ImageOps.exif_transpose(opened).convert("RGB")
        image.thumbnail((longest, longest))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise ModelError(tr("{path}: the picture cannot be decoded", path=picture)) from error
    return out.getvalue()
