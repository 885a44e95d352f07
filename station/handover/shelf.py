"""The ZIP file of a hand-over while it waits to be fetched: beside its request, the newest alone.

    <state_dir>/footage/<box>/<request id>/handed-over/NAME.zip
    <state_dir>/footage/<box>/<request id>/handed-over/NAME.zip.sha256    as `sha256sum -c` reads it
    <state_dir>/footage/<box>/<request id>/handed-up/                     the same, for the province

It is a copy of what the request's folder holds: in no backup, and gone after KEPT.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from agent.errors import NgatuError
from agent.translatable import tr
from station.footage.custody import CustodyBook
from station.footage.folder import FootageFolder, RequestFolder, write_whole
from station.handover.archive import hand_over
from station.handover.dossier import PlaceNames
from station.handover.report import HandOver

PLACE: Final = "handed-over"
TO_PROVINCE: Final = "handed-up"
"""What goes to the province: by itself, so that nobody's hand-over changes it while it goes."""
KEPT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ShelvedArchive:
    """A ZIP file that can be fetched."""

    file: Path
    bytes: int
    sha256: str
    made: datetime


def shelve(
    folder: RequestFolder, custody: CustodyBook, names: PlaceNames, what: HandOver, where: str = PLACE
) -> ShelvedArchive:
    """Hand over, and put the file where it can be fetched; one of before goes.

    Raises:
        NgatuError: as in `hand_over`; then the one of before stays.
    """
    place = folder.path / where
    try:
        place.mkdir(mode=0o750, exist_ok=True)
    except OSError as error:
        raise NgatuError(tr("{path}: {reason}", path=place, reason=error.strerror or error)) from error
    made = hand_over(folder, place, custody, names, what)
    beside = made.file.with_name(f"{made.file.name}.sha256")
    with suppress(OSError):  # the file is handed over, whether or not its hash can be shown
        write_whole(beside, f"{made.sha256}  {made.file.name}\n".encode())
        for each in place.iterdir():
            if each not in (made.file, beside):
                each.unlink()
    return ShelvedArchive(made.file, made.bytes, made.sha256, datetime.now(UTC))


def shelved(folder: RequestFolder, where: str = PLACE) -> ShelvedArchive | None:
    """What can be fetched; None: nothing was handed over lately."""
    with suppress(OSError):
        for file in sorted((folder.path / where).glob("*.zip")):
            if file.name.startswith("."):
                continue  # being made
            digest = file.with_name(f"{file.name}.sha256").read_text(encoding="ascii").split(" ")[0]
            found = file.stat()
            return ShelvedArchive(file, found.st_size, digest, datetime.fromtimestamp(found.st_mtime, UTC))
    return None


def clear(folders: FootageFolder, now: datetime) -> int:
    """Remove what nobody fetched within KEPT, and what was never finished; how many requests that were."""
    gone = 0
    for place in (each.path / name for each in folders.every() for name in (PLACE, TO_PROVINCE)):
        try:
            newest_s = max((file.stat().st_mtime for file in place.iterdir()), default=0.0)
        except OSError:  # there is none, or it is made or removed just now
            continue
        if now.timestamp() - newest_s > KEPT.total_seconds():
            shutil.rmtree(place, ignore_errors=True)
            gone += 1
    return gone
