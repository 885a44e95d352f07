"""The pictures of events that were found, copied out of the store under names for people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.errors import NgatuError
from agent.translatable import tr
from station.lookup.query import FoundEvent
from station.picture_files import place_of, write
from station.store.pictures.rows import KeptPictures


class PictureFolder:
    """A folder that pictures are copied to; the store keeps its own."""

    def __init__(self, folder: Path, kept: KeptPictures) -> None:
        self._folder, self._kept = folder, kept
        self.copied = 0
        self.missing = 0
        """Pictures that the database names and the disk lacks."""

    def copy(self, found: FoundEvent) -> FoundEvent:
        """The event with its pictures in the folder; one that is missing is none.

        Raises:
            NgatuError: the folder cannot be written, or a picture cannot be read.
        """
        picture = self._copied(found, "thumbnail", found.picture)
        return replace(found, picture=picture, scene=self._copied(found, "scene", found.scene))

    def _copied(self, found: FoundEvent, kind: str, sha256: str | None) -> str | None:
        if sha256 is None:
            return None
        place = place_of(self._folder, found.box, found.camera, found.start, found.kind, kind, found.event_id)
        try:
            data = self._kept.read(sha256)
        except OSError as error:
            what = f"{error.filename or sha256}: {error.strerror or type(error).__name__}"
            raise NgatuError(what, tr("ask as the station's user, or as root")) from None
        if data is None:
            self.missing += 1
            return None
        try:
            write(place, data)
        except OSError as error:
            what = f"{error.filename or place}: {error.strerror or type(error).__name__}"
            raise NgatuError(what, tr("name a folder that you may write to, with room")) from None
        self.copied += 1
        return str(place)
