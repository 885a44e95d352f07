"""What the name of a picture's file says, and which files are pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""What a browser, OpenCV and Pillow all read; in lower case."""
_DATE = re.compile(r"[_-]?(19|20)\d\d-?[01]\d-?[0-3]\d(?!\d).*$")
_LAST_NUMBER = re.compile(r"[_-]?\d+$")
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""Label Studio sets eight digits before the name of what is uploaded."""


def camera_of(name: str) -> str:
    """The camera, by what stands before a date or before the last number; else the folder; else the whole stem.

    `cam_01_00017.jpg` is of `cam_01`, `junction_2026-01-14_23H14_night.jpg` of `junction`, and `north/17.jpg`
    of `north`.
    """
    path = PurePosixPath(name)
    stem = _UPLOAD.sub("", path.stem)
    begin = _LAST_NUMBER.sub("", _DATE.sub("", stem))
    return begin or ("" if path.parent == PurePosixPath() else path.parent.name)


def pictures_in(folder: Path) -> Iterator[str]:
    """Names of the pictures in a folder and below it, as paths from it, in order.

    Nothing that is hidden, and no link that leads out of the folder.
    """
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in place.parts)
        if (
            path.suffix.lower() in PICTURES
            and not hidden
            and path.is_file()
            and path.resolve().is_relative_to(root)
        ):
            yield place.as_posix()
