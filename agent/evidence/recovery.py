"""Index and files of a ring brought together after a cut, a damage, or a disk that failed.

Invariants
1. Cut off is only what a cut of the power had torn: the rest of a file without its end, which is written when
   all else is on disk; if something in that rest is whole, it is set aside. What else is not whole is listed as
   far as it can be read, or set aside; its file stays as it is.
2. What is deleted is noted before, as any deletion; in the role of enforcement it is set aside if it cannot be.
3. What cannot be read costs nobody else: the folder or the file is told, and the others go on.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import structlog

from agent.evidence.listing.index import Index
from agent.evidence.listing.listed import ListedSegment
from agent.evidence.retention.aside import Aside, aside, set_aside, set_rest_aside
from agent.evidence.retention.deletion import DAY_S, DeletedRange, Deletion, Role, Why
from agent.evidence.segment import SegmentFile, goes_on, mend, read_segment, segment_name, segment_number
from agent.settings.base import NAME_PATTERN

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Recovered:
    """What was found."""

    listed: int = 0
    """Segments that lay there and that the index did not name."""
    cut: int = 0
    """Of which an open one was cut where it was whole."""
    empty: int = 0
    """Files in which no picture was whole; they are gone."""
    deleted: int = 0
    """Files whose deletion had begun; they are gone."""
    missing: int = 0
    """Segments that the index named and that are not there."""
    aside: int = 0
    """Files that are damaged; they have another name now."""
    unreadable: int = 0
    """Folders and files that the disk does not give."""

    def __bool__(self) -> bool:
        return any((self.listed, self.cut, self.empty, self.deleted, self.missing, self.aside, self.unreadable))


class _Unlisted(NamedTuple):
    """A segment's file that the index does not name."""

    written_s: float
    """When it was written last; wall time, as it was known then."""
    path: Path
    bytes: int


@dataclass(slots=True)
class Recovery:
    """Brings index and files together. Nobody may write to the ring meanwhile."""

    index: Index
    role: Role
    note: Callable[[Deletion], bool]
    """Writes a deletion down before it is done, and says whether it could."""
    found: Recovered = field(default_factory=Recovered)
    aside: list[Aside] = field(default_factory=list)
    """What lies aside, also from before."""

    def reconcile(self, today: int, turn: Callable[[], object] = lambda: None) -> Recovered:
        """Make the index name exactly what lies in its folder.

        What the index does not name counts as written `today`, in days since 1970: a life was cut there. With
        an index that was lost it counts for the day that its file says.
        `turn` is called between files: on a large ring whose index is damaged this takes minutes.

        Raises:
            FootageError: the index cannot be written.
            OSError: the folder of the ring cannot be read.
        """
        unlisted: list[_Unlisted] = []
        folders = camera_folders(self.index.folder)
        for folder in folders:
            try:
                unlisted += self._compare(folder)
            except OSError as error:
                self.found.unreadable += 1
                why = error.strerror or str(error)
                log.error("footage_folder_unreadable", camera=folder.name, why=why)  # noqa: TRY400
            turn()
        written: Counter[int] = Counter()
        for each in unlisted:
            written[int(each.written_s // DAY_S) if self.index.file.fresh else today] += each.bytes
        self.index.count_written(written)  # a life that is cut before its first segment is finished counts none
        # Over all cameras in the order in which they were written: so they are deleted in it, too.
        for each in sorted(unlisted):
            with suppress(OSError):  # it is told, and stays where it is
                self.list_found(each.path)
            turn()
        for camera in set(self.index.cameras()) - {each.name for each in folders}:
            self._forget(camera, self.index.numbers(camera))
        self.index.file.fresh = False
        if found := self.found:
            log.warning(
                "footage_recovered", listed=found.listed, cut=found.cut, empty=found.empty,
                deleted=found.deleted, missing=found.missing, aside=found.aside, unreadable=found.unreadable,
            )  # fmt: skip
        return self.found

    def list_found(self, path: Path, day: int | None = None, written: int = 0) -> SegmentFile | None:
        """List a segment that lies there; what was cut is finished first. None if it cannot be listed.

        `written` bytes count for `day`.

        Raises:
            FootageError: the index cannot be written.
            OSError: the disk does not take it; it stays where it is.
        """
        try:
            look = _look_at(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            look = _FoundFile(damaged=error.strerror or str(error))
        if look.damaged:
            self._set_aside(path, look.damaged)
            return None
        lies = look.lies
        if lies is not None and look.cut:
            if look.rest:
                self.aside.append(set_rest_aside(path, lies.bytes, look.rest))
                self.found.aside += 1
            mend(path, lies)
            lies = read_segment(path)
            self.found.cut += 1
        if lies is None:
            self.found.empty += 1
            self._remove("no picture in it was whole", [path])
            return None
        self.index.add(lies, day, written)
        self.found.listed += 1
        return lies

    def _compare(self, folder: Path) -> list[_Unlisted]:
        listed, lying = self.index.numbers(folder.name), {}
        with os.scandir(folder) as entries:
            for entry in entries:
                number = segment_number(entry.name)
                if number is not None and entry.is_file(follow_symlinks=False):
                    lying[number] = Path(entry.path)
                elif (kept := aside(Path(entry.path))) is not None:
                    self.aside.append(kept)
        self._forget(folder.name, listed - lying.keys())
        newest, _ = self.index.head(folder.name)
        unlisted, begun = [], []
        for number in sorted(lying.keys() - listed):
            if number <= newest and not self.index.file.fresh:
                begun.append(lying[number])  # it has a link, so it was listed: it was being deleted
            else:
                with suppress(FileNotFoundError):
                    stat = lying[number].stat()
                    unlisted.append(_Unlisted(stat.st_mtime, lying[number], stat.st_size))
        self.found.deleted += len(begun)
        self._remove("its deletion had begun", begun)
        return unlisted

    def _forget(self, camera: str, numbers: set[int]) -> None:
        rows: list[ListedSegment] = [self.index.segment(camera, number) for number in sorted(numbers)]
        if rows:
            self.index.forget(rows)
            self.found.missing += len(rows)

    def _remove(self, why: Why, paths: list[Path]) -> None:
        """Delete files of one camera; invariant 2."""
        if not paths:
            return
        noted = self.note(Deletion(why, (_range(paths),)))
        for path in paths:
            with suppress(OSError):  # it is still there at the next start
                if noted or self.role == "community":
                    path.unlink()
                else:
                    self._set_aside(path, "its deletion could not be noted")

    def _set_aside(self, path: Path, why: str) -> None:
        try:
            self.aside.append(set_aside(path, why))
        except OSError:
            self.found.unreadable += 1
            log.warning("segment_unreadable", camera=path.parent.name, number=path.stem, why=why)
            raise
        self.found.aside += 1


def camera_folders(ring: Path) -> list[Path]:
    """The folders of cameras in a ring; what else lies there, such as `lost+found`, is none of ours.

    Raises:
        OSError: the folder of the ring cannot be read.
    """
    with os.scandir(ring) as entries:
        found = [Path(each.path) for each in entries if re.fullmatch(NAME_PATTERN, each.name) and each.is_dir()]
    return sorted(found)


@dataclass(frozen=True, slots=True)
class _FoundFile:
    """What is to be done with a file."""

    lies: SegmentFile | None = None
    """It is listed so; None: no picture in it is whole."""
    cut: bool = False
    """After it was cut off where it is whole."""
    rest: str = ""
    """Why what is cut off is set aside."""
    damaged: str = ""
    """Why it is set aside instead."""


def _look_at(path: Path) -> _FoundFile:
    """Invariant 1.

    Raises:
        OSError: it cannot be read.
    """
    lies = read_segment(path)
    if lies is None or (lies.header.camera, segment_name(lies.header.number)) != (path.parent.name, path.name):
        return _FoundFile(damaged="it is not the segment whose name it has" if goes_on(path) else "")
    size = path.stat().st_size
    if lies.ended and lies.media:
        return _FoundFile(replace(lies, bytes=size))
    whole = read_segment(path, check=True)
    if whole is None or not goes_on(path, whole.bytes):
        return _FoundFile(whole, cut=True) if whole and whole.media else _FoundFile()
    finished = goes_on(path, whole.bytes, "end")
    if finished and whole.media and whole.fragments == lies.fragments:
        return _FoundFile(replace(lies, bytes=size))
    if not finished and whole.media:  # no link of it was told yet
        return _FoundFile(whole, cut=True, rest="a cut of the power tore what is before it")
    return _FoundFile(damaged="it is damaged in the middle")


def _range(paths: list[Path]) -> DeletedRange:
    """Files of one camera that no index knows: their times are those at which they were written last."""
    stats = [path.stat() for path in paths]
    numbers = [segment_number(path.name) or 0 for path in paths]
    return DeletedRange(
        camera=paths[0].parent.name,
        first=min(numbers),
        last=max(numbers),
        from_s=min(each.st_mtime for each in stats),
        to_s=max(each.st_mtime for each in stats),
        segments=len(paths),
        bytes=sum(each.st_size for each in stats),
    )
