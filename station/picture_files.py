"""Pictures as files for people: named by local time, camera and kind of event."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

_ID_DIGITS = 12
"""Of the end of an event's id: of a UUIDv7 they are chance, so two events of one second keep two files."""


def place_of(
    folder: Path, box: str, camera: str, at: datetime, kind: str | None, picture: str, event_id: str
) -> Path:
    """Where the picture goes, BOX/CAMERA/DAY_TIME+ZONE_CAMERA_KIND_PICTURE_ID.jpg in local time.

    `picture` is thumbnail or scene. With one start and one kind, an event has one name for each over all its
    life, so that a better picture takes the place of the one before.
    """
    words = (f"{at.astimezone():%Y-%m-%d_%H%M%S%z}", camera, kind, picture, event_id[-_ID_DIGITS:])
    return folder / box / camera / ("_".join(word for word in words if word) + ".jpg")


def write(path: Path, picture: bytes) -> None:
    """Write the file whole or not at all; the folders are made.

    Raises:
        OSError: it could not be written; nothing of it is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    try:
        unfinished.write_bytes(picture)
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise


def is_a_store(folder: Path) -> bool:
    """Whether a station keeps its database or its pictures there."""
    place = folder.resolve()
    blobs = [each for each in (place, *place.parents) if each.name == "blobs"]
    try:
        return any((each / "station.db").exists() for each in (place, *(each.parent for each in blobs)))
    except OSError:  # what may not be entered is told when it is written to
        return False
