"""Segments, or the rest of one, that nobody can read: kept under another name, counted, until they are too old.

Nothing of them is cut off: what is damaged may be worth a look by somebody with other tools.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final

import structlog

from agent.evidence.retention.deletion import DeletedRange, Deletion, Role, Why, require_noted
from agent.evidence.segment import SUFFIX, segment_number, sync_folder

log = structlog.get_logger(__name__)

MARK: Final = ".damaged"
LATER_S: Final = 3600.0
"""So far after now a file was written by a clock that was wrong."""
_NAME: Final = re.compile(rf"(\d{{10}}{re.escape(SUFFIX)}){re.escape(MARK)}(-\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Aside:
    """A file that was set aside."""

    path: Path
    camera: str
    number: int
    """Of the segment that it was."""
    bytes: int
    written_s: float
    """Wall time at which it was written last, as it was known then."""


def set_aside(path: Path, why: str) -> Aside:
    """Give a segment's file another name, under which nobody takes it for a segment.

    Raises:
        OSError: it cannot be renamed; it is where it was.
    """
    kept = _free_name(path)
    path.rename(kept)
    return _told(kept, why)


def set_rest_aside(path: Path, at: int, why: str) -> Aside:
    """Copy what a segment's file has from this byte on to a file beside it: there it may be cut off.

    Raises:
        OSError: it cannot be copied; the segment is as it was.
    """
    kept, written = _free_name(path), path.stat().st_mtime_ns
    with path.open("rb") as whole, kept.open("xb") as rest:
        whole.seek(at)
        shutil.copyfileobj(whole, rest)
        rest.flush()
        os.utime(rest.fileno(), ns=(written, written))
        os.fsync(rest.fileno())
    return _told(kept, why)


def _free_name(path: Path) -> Path:
    names = (path.with_name(path.name + MARK + (f"-{each}" if each > 1 else "")) for each in count(1))
    return next(name for name in names if not os.path.lexists(name))


def _told(kept: Path, why: str) -> Aside:
    sync_folder(kept.parent)
    log.error("segment_set_aside", camera=kept.parent.name, kept_as=kept.name, why=why)
    found = aside(kept)
    assert found is not None
    return found


def delete_aside(chosen: Sequence[Aside], why: Why, role: Role, note: Callable[[Deletion], bool]) -> None:
    """Delete what lies aside; noted before it is done.

    Raises:
        FootageError: that could not be noted, and so it is not done.
        OSError: the disk fails.
    """
    if not chosen:
        return
    cameras: dict[str, list[Aside]] = {}
    for each in chosen:
        cameras.setdefault(each.camera, []).append(each)
    require_noted(Deletion(why, tuple(map(_range, cameras.values()))), role, note)
    for each in chosen:
        each.path.unlink(missing_ok=True)


def not_later(kept: Aside, now_s: float) -> Aside:
    """The same, and where it says that it was written later than now, it says now: else it would stay for ever.

    Raises:
        OSError: the disk fails.
    """
    if kept.written_s <= now_s + LATER_S:
        return kept
    with suppress(FileNotFoundError):
        os.utime(kept.path, (now_s, now_s))
    return replace(kept, written_s=now_s)


def _range(chosen: Sequence[Aside]) -> DeletedRange:
    return DeletedRange(
        camera=chosen[0].camera,
        first=min(each.number for each in chosen),
        last=max(each.number for each in chosen),
        from_s=min(each.written_s for each in chosen),
        to_s=max(each.written_s for each in chosen),
        segments=len(chosen),
        bytes=sum(each.bytes for each in chosen),
    )


def aside(path: Path) -> Aside | None:
    """What was set aside under this name; None if it is no such name.

    Raises:
        OSError: the file is gone, or cannot be asked.
    """
    match = _NAME.fullmatch(path.name)
    number = segment_number(match[1]) if match else None
    if number is None:
        return None
    lies = path.lstat()
    if not stat.S_ISREG(lies.st_mode):
        return None
    return Aside(path, path.parent.name, number, lies.st_size, lies.st_mtime)
