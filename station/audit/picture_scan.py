"""Looks for pictures that the database names and the disk lacks: slowly, over and over, in a thread of its own.

A look goes through 256 parts, spread over `look_s`: of each the segments whose numbers leave this remainder,
and the files of their own whose hashes begin so. A segment that reaches as far as its last row lacks nothing,
so its rows are read only where it does not: to read each of a million rows took a twenty-fifth of a core.
Names and lengths are read only; whether the bytes are still those that came is the business of proof.py. Where
a part is not as it was, a whole look is made at once, but never for more than half of the time.

Files of their own that no row names are what a crash of an earlier version left: they are removed after the
first whole look. More than that can leave is no crash but a mistake, such as another database: then none is,
and it is told.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, func, select, union
from sqlalchemy.exc import SQLAlchemyError

from agent.translatable import tr
from station.ingest.alarms import AlarmKind
from station.ingest.handler import RaisesAlarms
from station.store.blobs import INCOMING, names_below
from station.store.pictures.rows import PLACE, places_of
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.pictures.writer import MAX_ORPHANS
from station.store.schema import blob, box, conflict, other_message, picture, picture_shows_blob

log = structlog.get_logger("station.audit.picture_scan")

PREFIXES = tuple(f"{number:02x}" for number in range(256))
_ENDS = func.min(blob.c.segment), func.max(blob.c.segment)
_IN_SEGMENT = blob.c.segment.is_not(None)
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class MissingPictures:
    """What the database names and the disk lacks."""

    count: int = 0
    named: int = 0
    """How many the database names."""
    boxes: Mapping[str, int] = field(default_factory=dict)
    """Box -> how many are missing; a picture that two boxes sent counts for both."""
    strays: frozenset[str] = frozenset()
    """Hashes of files of their own that the database does not name."""

    def __str__(self) -> str:
        each = ", ".join(f"{name} {count}" for name, count in self.boxes.items())
        return tr(
            "{count} of {named} pictures are gone: {names}", count=self.count, named=self.named, names=each
        )


def missing_pictures(connection: Connection, folder: Path) -> MissingPictures:
    """One look, at once.

    Raises:
        OSError: a folder cannot be read.
    """
    shelf = PictureShelf(folder)
    return _summed({prefix: _missing_in(connection, shelf, prefix) for prefix in PREFIXES})


class PictureScan:
    """One thread over one store; reads only, but for the files that no row names.

    `tell` is called in the station's own turn, and raises the alarm there or ends it.
    """

    def __init__(self, engine: Engine, folder: Path, look_s: float) -> None:
        self._engine = engine
        self._shelf = PictureShelf(folder)
        self._has_swept = False
        self._pause_s = look_s / len(PREFIXES)
        self._parts: dict[str, MissingPictures] = {}
        self._found: MissingPictures | None = None
        """By the latest whole look."""
        self._told: MissingPictures | None = None
        self._trouble: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)

    def start(self) -> None:
        """Begin; the store must have its tables."""
        self._thread.start()

    def tell(self, alarms: RaisesAlarms) -> None:
        """Raise the alarm where something is missing, or other than was told; end it where nothing is."""
        found = self._found
        if found is None or found == self._told:
            return
        if not found.count:
            alarms.close_alarm(AlarmKind.PICTURES_MISSING, None)
        elif self._told is None or (found.count, found.boxes) != (self._told.count, self._told.boxes):
            alarms.raise_alarm(AlarmKind.PICTURES_MISSING, None, str(found))
        self._told = found

    def close(self) -> None:
        """End within a step."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self._engine.dispose()

    def _run(self) -> None:
        left, hurries = len(PREFIXES), False  # parts until this look is whole
        for prefix in cycle(PREFIXES):
            begun_s = time.monotonic()
            if self._has_changed(prefix) and not hurries:
                left, hurries = len(PREFIXES), True
            left -= 1
            if not left:
                self._found = _summed(self._parts)
                self._sweep(self._found.strays)
                left, hurries = len(PREFIXES), False
            took_s = time.monotonic() - begun_s
            if self._stop.wait(took_s if hurries else max(took_s, self._pause_s - took_s)):
                return

    def _has_changed(self, prefix: str) -> bool:
        """Look at one part; whether more or less of it is missing than before."""
        try:
            found = self._look_at(prefix)
            if found.count:  # retention may have removed a row and its file after the row was read
                again = self._look_at(prefix)
                found = min(found, again, key=lambda each: each.count)
        except (SQLAlchemyError, OSError) as error:
            self._note(" ".join(str(getattr(error, "orig", error)).split())[:300])
            return False
        self._note(None)
        before, self._parts[prefix] = self._parts.get(prefix, MissingPictures()), found
        return found.count != before.count

    def _look_at(self, prefix: str) -> MissingPictures:
        with self._engine.connect() as connection, connection.begin():
            return _missing_in(connection, self._shelf, prefix, with_strays=not self._has_swept)

    def _sweep(self, strays: frozenset[str]) -> None:
        """Once for each life; nothing of this version makes any."""
        if self._has_swept:
            return
        self._has_swept = True
        with suppress(OSError):  # half a file each; there is no such folder where no earlier version was
            for unfinished in (self._shelf.folder / INCOMING).iterdir():
                unfinished.unlink()
        if len(strays) > MAX_ORPHANS:
            hint = tr("is this the database that belongs to these pictures? nothing was removed")
            log.warning("pictures_without_rows", pictures=len(strays), hint=hint)
        elif strays:
            try:
                with self._engine.connect() as connection, connection.begin():
                    named = {place.sha256 for place in places_of(connection, strays)}
                self._shelf.remove(PicturePlace(sha256, 0) for sha256 in strays - named)
                log.info("orphans_removed", pictures=len(strays - named))
            except (SQLAlchemyError, OSError) as error:
                self._note(" ".join(str(getattr(error, "orig", error)).split())[:300])

    def _note(self, trouble: str | None) -> None:
        if trouble is not None and self._trouble is None:
            hint = tr("may the station read the folder and the database? nobody notices now when pictures go")
            log.warning("pictures_not_looked_at", why=trouble, hint=hint)
        elif trouble is None and self._trouble is not None:
            log.info("pictures_looked_at")
        self._trouble = trouble


def _missing_in(
    connection: Connection, shelf: PictureShelf, prefix: str, *, with_strays: bool = True
) -> MissingPictures:
    """Of one part: the segments of this remainder, and the files of their own below this folder.

    A row is written after its picture, so the rows are read first: what comes meanwhile is not missing.
    """
    below = blob.c.sha256.between(prefix, prefix + "g")
    named = connection.scalar(select(func.count()).where(below)) or 0
    alone = set(connection.scalars(select(blob.c.sha256).where(below, blob.c.segment.is_(None))))
    there = names_below(shelf.folder, prefix) if alone or with_strays else set[str]()
    gone = sorted(alone - there) + _lost_of_segments(connection, shelf, int(prefix, 16))
    boxes: Counter[str] = Counter()
    for at in range(0, len(gone), _AT_ONCE):
        boxes += _boxes_of(connection, gone[at : at + _AT_ONCE])
    strays = there - alone
    strays -= {place.sha256 for place in places_of(connection, strays)}
    return MissingPictures(len(gone), named, dict(boxes), frozenset(strays))


def _lost_of_segments(connection: Connection, shelf: PictureShelf, remainder: int) -> list[str]:
    """Hashes of the pictures of every 256th segment that are neither in it nor in files of their own."""
    lost: list[str] = []
    first, last = (connection.scalar(select(end).where(_IN_SEGMENT)) for end in _ENDS)
    if first is None or last is None:
        return lost
    for number in range(first + (remainder - first) % len(PREFIXES), last + 1, len(PREFIXES)):
        its = select(*PLACE).where(blob.c.segment == number)
        final = connection.execute(its.order_by(blob.c.segment_offset.desc()).limit(1)).one_or_none()
        if final is not None and _length(shelf, number) < PicturePlace(*final).end:
            places = [PicturePlace(*row) for row in connection.execute(its)]
            lost += [place.sha256 for place in places if not shelf.has(place)]
    return lost


def _length(shelf: PictureShelf, number: int) -> int:
    with suppress(FileNotFoundError):
        return shelf.segment(number).stat().st_size
    return 0


def _boxes_of(connection: Connection, hashes: list[str]) -> Counter[str]:
    """A picture may be an event's, footage, or one side of a conflict."""
    of_events = select(picture.c.box_id, blob.c.sha256).join(blob, picture_shows_blob)
    named = union(
        of_events.where(blob.c.sha256.in_(hashes)),
        *(
            select(table.c.box_id, table.c.sha256).where(table.c.sha256.in_(hashes))
            for table in (other_message, conflict)
        ),
    ).subquery()
    query = (
        select(box.c.commune, box.c.device, func.count())
        .join(named, named.c.box_id == box.c.id)
        .group_by(box.c.commune, box.c.device)
    )
    return Counter({f"{row[0]}/{row[1]}": row[2] for row in connection.execute(query)})


def _summed(parts: Mapping[str, MissingPictures]) -> MissingPictures:
    boxes: Counter[str] = Counter()
    for part in parts.values():
        boxes += Counter(part.boxes)
    named = sum(part.named for part in parts.values())
    strays = frozenset[str]().union(*(part.strays for part in parts.values()))
    count = sum(part.count for part in parts.values())
    return MissingPictures(count, named, dict(sorted(boxes.items())), strays)
