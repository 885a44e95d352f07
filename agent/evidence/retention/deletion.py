"""What goes when footage is deleted: by age, or the oldest for room, held ranges last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from agent.errors import FootageError
from agent.evidence.listing.index import Index
from agent.evidence.listing.listed import ListedSegment
from agent.evidence.segment import segment_name
from agent.translatable import tr

DAY_S: Final = 86_400.0
Role = Literal["community", "enforcement"]
Why = Literal[
    "age", "budget", "held, for want of all else", "its deletion had begun", "no picture in it was whole"
]


@dataclass(frozen=True, slots=True)
class DeletedRange:
    """Segments of one camera that were deleted."""

    camera: str
    first: int
    last: int
    """Numbers of segments."""
    from_s: float
    to_s: float
    """Corrected wall time."""
    segments: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is deleted at one time, and why."""

    why: Why
    ranges: tuple[DeletedRange, ...]


def expired(index: Index, role: Role, offsets_ms: Mapping[str, int], before_ms: int) -> list[ListedSegment]:
    """What ended before this moment, by the steady clock of its boot, whatever time it was given.

    `offsets_ms` is what is believed of each boot: wall minus steady clock; `before_ms` is wall time.
    """
    rows = []
    for row in index.in_order():
        if row.boot not in offsets_ms:
            continue
        ended_ms = row.start_mono_ms + row.duration_ms + offsets_ms[row.boot]
        if ended_ms < before_ms:
            rows.append(row)
        elif ended_ms > before_ms + DAY_S * 1000:
            break
    return [row for row in rows if deletable(index, role, row) and not index.is_held(row)]


def oldest(index: Index, role: Role, wanted_bytes: int) -> tuple[list[ListedSegment], list[ListedSegment]]:
    """Enough of what may be deleted, the oldest first; and if that is too little, of what is held."""
    free: list[ListedSegment] = []
    held: list[ListedSegment] = []
    found = 0
    for row in index.in_order():
        if not deletable(index, role, row):
            continue
        if index.is_held(row):
            held.append(row)
            continue
        free.append(row)
        found += row.bytes
        if found >= wanted_bytes:
            return free, []
    for count, row in enumerate(held):
        if found >= wanted_bytes:
            return free, held[:count]
        found += row.bytes
    return free, held


def deletable(index: Index, role: Role, row: ListedSegment) -> bool:
    """Whether a segment may be deleted at all."""
    return role == "community" or index.received(row)


def delete(
    index: Index, rows: Sequence[ListedSegment], why: Why, role: Role, note: Callable[[Deletion], bool]
) -> None:
    """Delete segments; `note` writes it down before it is done, and says whether it could.

    Raises:
        FootageError: that could not be noted, and so it is not done; or the index cannot be written.
        OSError: the disk fails; what is left is deleted when index and files are brought together.
    """
    require_noted(Deletion(why, ranges(rows)), role, note)
    index.forget(rows)
    for row in rows:
        with suppress(FileNotFoundError):
            (index.folder / row.camera / segment_name(row.number)).unlink()


def require_noted(deletion: Deletion, role: Role, note: Callable[[Deletion], bool]) -> None:
    """Note a deletion before it is done. For room it is done all the same: the log may lie on that full disk.

    Raises:
        FootageError: it could not be noted, and so it may not be done.
    """
    if not note(deletion) and (role == "enforcement" or deletion.why == "age"):
        raise FootageError(
            tr("footage is not deleted: that could not be noted in the audit log"),
            tr("is the disk of state_dir full, read-only or dying?"),
        )


def ranges(rows: Sequence[ListedSegment]) -> tuple[DeletedRange, ...]:
    """Segments gathered by camera."""
    cameras: dict[str, list[ListedSegment]] = {}
    for row in rows:
        cameras.setdefault(row.camera, []).append(row)
    return tuple(
        DeletedRange(
            camera=camera,
            first=min(row.number for row in each),
            last=max(row.number for row in each),
            from_s=min(row.from_s for row in each),
            to_s=max(row.to_s for row in each),
            segments=len(each),
            bytes=sum(row.bytes for row in each),
        )
        for camera, each in cameras.items()
    )
