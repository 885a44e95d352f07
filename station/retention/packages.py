"""Packages of footage or frames, and their age: which are due, what they hold, how one goes with a record.

Of a request all stays but what came: who asked and why, what the verifier said, and the custody log, which is
laid beside it. The record is written first; a package that is still there although a record names it goes at
the next run (its stage is `deleted`, or the record is not ended).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, select, tuple_, union, update

from agent.evidence.package.manifest import CUSTODY
from station.footage.folder import (
    CLOSED,
    FOOTAGE,
    FootageFolder,
    FootageStage,
    PackageFolder,
    PackageFolders,
    RequestFolder,
    remove,
    sync_folder,
)
from station.footage.samples.folder import SAMPLES, SampleFolder, SampleFolders
from station.retention.deletion import DeletionRecord, TakenOut
from station.retention.due import HeldRange
from station.retention.holds import HOLD, holds_footage
from station.retention.settings import KeptClass
from station.store.columns import ms
from station.store.schema import (
    box,
    deletion,
    event,
    event_began_ms,
    event_hold,
    event_latest_ms,
    review,
)

HANDED_OVER: Final = ("handed-over", "handed-up")
"""Copies of a package: for a court, and for the province."""
F = TypeVar("F", bound=PackageFolder)


def held_ranges(connection: Connection, folders: FootageFolder) -> list[HeldRange]:
    """Of requests whose footage is still to come, or is here."""
    boxes = _boxes(connection)
    return [
        _range(boxes[each.request.device], each)
        for each in folders.every()
        if each.request.device in boxes and (_comes(each) or _is_here(each))
    ]


def due_packages(
    connection: Connection, folders: FootageFolder, until_ms: int
) -> Iterator[tuple[RequestFolder, int]]:
    """Packages that are due, and since when they are as they are (ms), the oldest request first."""
    boxes, held = _boxes(connection), _held_moments(connection)

    def is_free(each: RequestFolder) -> bool:
        box_id = boxes.get(each.request.device)
        return box_id is None or not _shows(_range(box_id, each), held)

    return _due(folders, until_ms, is_free)


def due_samples(folders: SampleFolders, until_ms: int) -> Iterator[tuple[SampleFolder, int]]:
    """Frames that are due, order by order, as `due_packages` says: no event and no case keeps them."""
    return _due(folders, until_ms, lambda _: True)


def _due(folders: PackageFolders[F], until_ms: int, is_free: Callable[[F], bool]) -> Iterator[tuple[F, int]]:
    for each in folders.every():
        if not each.package.is_dir():
            continue
        since_ms = changed_ms(each)
        # What is deleted and there came back with a backup, or its removal was cut off.
        if each.state().stage is FootageStage.DELETED or (
            since_ms < until_ms and not _comes(each) and is_free(each)
        ):
            yield each, since_ms


def changed_ms(folder: PackageFolder) -> int:
    """Since when a request stands as it does."""
    at: datetime = folder.state().changed_at or folder.request.asked_at
    return ms(at)


def name_of(folder: PackageFolder) -> str:
    """As records of deletions name it."""
    return f"{folder.request.device}/{folder.request.id}"


def note_package(connection: Connection, folder: PackageFolder, record: DeletionRecord) -> int:
    """Write down that it goes, before it does; of how many bytes."""
    size = sum(path.stat().st_size for path in folder.package.rglob("*") if path.is_file())
    record.add(connection, TakenOut(items=1, size_bytes=size))
    return size


def remove_package(folder: PackageFolder) -> None:
    """Take away what came; what was begun before is done to its end.

    Raises:
        OSError: the disk does not take it; it is tried again.
    """
    custody = folder.package / CUSTODY
    if custody.is_file():
        shutil.copy2(custody, folder.path / CUSTODY)
        sync_folder(folder.path)
    folder.tell(stage=FootageStage.DELETED)
    remove(folder.package)
    for copy in HANDED_OVER:
        remove(folder.path / copy)
    sync_folder(folder.path)


def half_removed(connection: Connection, state_dir: Path) -> Iterator[PackageFolder]:
    """Those with a record that was not ended."""
    all_of: dict[str, PackageFolders[RequestFolder] | PackageFolders[SampleFolder]] = {
        str(KeptClass.FOOTAGE): folders_of(state_dir),
        str(KeptClass.SAMPLES): samples_of(state_dir),
    }
    query = select(deletion.c.kind, deletion.c.subject).where(
        deletion.c.kind.in_(list(all_of)), deletion.c.ended_ms.is_(None)
    )
    for row in connection.execute(query).all():
        device, _, request_id = row.subject.partition("/")
        folder = all_of[row.kind].find(device, request_id)
        if folder is not None:
            yield folder


def end_records(connection: Connection, ids: Collection[int], now_ms: int) -> None:
    """Nothing of these is left to be done."""
    connection.execute(update(deletion).where(deletion.c.id.in_(ids)).values(ended_ms=now_ms))


def folders_of(state_dir: Path) -> FootageFolder:
    """All requests of a station."""
    return FootageFolder(state_dir / FOOTAGE)


def samples_of(state_dir: Path) -> SampleFolders:
    """All orders for frames of a station."""
    return SampleFolders(state_dir / SAMPLES)


def _held_moments(connection: Connection) -> list[HeldRange]:
    """Of events that keep what shows them."""
    keys = union(
        select(review.c.box_id, review.c.event_id).where(review.c.state.in_(("confirmed", "passed_on"))),
        select(event_hold.c.box_id, event_hold.c.event_id).where(event_hold.c.act == HOLD),
    )
    columns = event.c.box_id, event.c.camera, event_began_ms, event_latest_ms
    query = select(*columns).where(tuple_(event.c.box_id, event.c.event_id).in_(keys), holds_footage())
    return [HeldRange(*row) for row in connection.execute(query)]


def _shows(one: HeldRange, held: Collection[HeldRange]) -> bool:
    return any(
        (one.box_id, one.camera) == (each.box_id, each.camera)
        and one.from_ms <= each.to_ms
        and each.from_ms <= one.to_ms
        for each in held
    )


def _boxes(connection: Connection) -> dict[str, int]:
    return {row.device: row.id for row in connection.execute(select(box.c.device, box.c.id))}


def _range(box_id: int, folder: RequestFolder) -> HeldRange:
    request = folder.request
    return HeldRange(box_id, request.camera, ms(request.from_time), ms(request.to_time))


def _comes(folder: PackageFolder) -> bool:
    stage = folder.state().stage
    return stage not in CLOSED or stage is FootageStage.ARRIVED


def _is_here(folder: RequestFolder) -> bool:
    return folder.package.is_dir() and folder.state().stage is not FootageStage.DELETED
