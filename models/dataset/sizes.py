"""How large a picture is as it is shown, out of the head of its file: turned as its EXIF says.

Browsers, OpenCV and Ultralytics all turn a picture so; boxes are in the pixels of what people see.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from agent.errors import ModelError
from agent.translatable import tr

MOST_PIXELS = 200_000_000
"""Of one picture: decoded, that is 600 MB."""
_ON_ITS_SIDE = (5, 6, 7, 8)
"""EXIF's orientations in which width and height change places."""


def size_of(picture: Path) -> tuple[int, int]:
    """Width and height in pixels, as shown.

    Raises:
        ModelError: it cannot be read, is no picture, or is larger than MOST_PIXELS.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own bound follows
            with Image.open(picture) as opened:
                width, height = opened.size
                turned = opened.getexif().get(ExifTags.Base.Orientation) in _ON_ITS_SIDE
    except Image.DecompressionBombError:
        width, height, turned = MOST_PIXELS, 2, False
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        reason = getattr(error, "strerror", None) or tr("it is no picture, or a damaged one")
        raise ModelError(tr("{path}: cannot be read: {error}", path=picture, error=reason)) from error
    if width * height > MOST_PIXELS:
        raise ModelError(
            tr("{path}: the picture has more than {most:,} pixels", path=picture, most=MOST_PIXELS),
            tr("Make it smaller."),
        )
    return (height, width) if turned else (width, height)
