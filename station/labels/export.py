"""Makes a data set of what officers judged: a folder that is there whole or not at all.

Invariants
1. Before anything is written it stands in the console's log who takes what, what for and by what right.
2. The folder has its name only once all of it is on the disk; what was begun is removed when something fails.
3. What was deleted at the station by its age is not in it, also what went while it was made.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from agent.errors import NgatuError, UsageError
from agent.translatable import tr
from station.access.audit_entry import Actor, AuditVerb
from station.access.audit_log import AuditLog
from station.labels.dataset import JudgedDataset
from station.labels.judged import JudgedEvent, LabelWish, judged_events, still_there
from station.labels.unframed import unframed
from station.picture_files import is_a_store
from station.store.pictures.rows import KeptPictures


@dataclass(frozen=True, slots=True)
class LabelGrounds:
    """What a data set is made for, and by what right."""

    purpose: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class LabelExport:
    """What was written."""

    pictures: int
    there: int
    """Road users with their label."""
    ruled_out: int
    """Places at which there is none."""
    left_out: Mapping[str, int]
    """How many reviewed events are not in it, by the words of WHY_NOT."""


class LabelSource:
    """A store out of which data sets are made."""

    def __init__(self, engine: Engine, audit: AuditLog, blobs: Path) -> None:
        """`engine` reads; `audit` writes into the same store; `blobs` is the folder of pictures."""
        self._engine, self._audit, self._pictures = engine, audit, KeptPictures(engine, blobs)

    def export(self, wish: LabelWish, folder: Path, grounds: LabelGrounds, by: Actor) -> LabelExport:
        """Make the folder.

        Raises:
            UsageError: there is something already, no folder for it, or it belongs to a store.
            NgatuError: nothing that was judged teaches anything, or it cannot be noted, read or written.
        """
        refuse_place(folder)
        found = list(judged_events(self._engine, wish))
        events = [each for each in found if isinstance(each, JudgedEvent)]
        left_out = Counter(each for each in found if isinstance(each, str))
        if not events:
            raise NgatuError(
                tr("of {count} reviewed events none teaches a detector anything", count=len(found)),
                tr("name an earlier --since; what counts is said in docs/guide/label.md"),
            )
        self._audit.note(by, AuditVerb.EXPORT, str(folder.absolute()), _noted(wish, grounds, len(events)))
        with _whole(folder) as unfinished:
            dataset = JudgedDataset(unfinished, grounds.purpose, grounds.legal_basis)
            for each in events:
                if (why := self._add(dataset, each)) is not None:
                    left_out[why] += 1
            before = len(dataset.keys)
            dataset.keep_only(still_there(self._engine, dataset.keys))  # invariant 3
            left_out["no_picture"] += before - len(dataset.keys)
            if not dataset.keys:
                raise NgatuError(
                    tr("none of {count} pictures can be used", count=len(events)),
                    tr("`ngatu station verify` says which pictures are missing"),
                )
            dataset.finish()
        return LabelExport(len(dataset.keys), dataset.there, dataset.ruled_out, +left_out)

    def _add(self, dataset: JudgedDataset, event: JudgedEvent) -> str | None:
        """None: it is in the set; else why not."""
        try:
            data = self._pictures.read(event.scene_sha256)
        except OSError as error:
            what = f"{error.filename or event.scene_sha256}: {error.strerror or type(error).__name__}"
            raise NgatuError(what, tr("ask as the station's user, or as root")) from None
        if data is None:
            return "no_picture"
        picture = unframed(data, event.place)
        if picture is None:
            return "elsewhere"
        dataset.add(event, picture)
        return None


def refuse_place(folder: Path) -> None:
    """Whether a data set can be made there.

    Raises:
        UsageError: there is something already, no folder for it, or it belongs to a store.
    """
    if folder.exists() or folder.is_symlink():
        raise UsageError(
            tr("{folder}: is there already", folder=folder), tr("name a folder that is to be made")
        )
    if not folder.parent.is_dir():
        raise UsageError(tr("there is no folder {folder}", folder=folder.parent), tr("is the stick mounted?"))
    if is_a_store(folder.absolute()):
        raise UsageError(tr("{folder}: belongs to a station's store", folder=folder), tr("name another folder"))


def _noted(wish: LabelWish, grounds: LabelGrounds, count: int) -> dict[str, Any]:
    places = {"boxes": list(wish.boxes), "cameras": list(wish.cameras)}
    said = {"form": "labels", "purpose": grounds.purpose, "legal_basis": grounds.legal_basis, "count": count}
    return {
        **said,
        "since_ms": wish.since_ms,
        "until_ms": wish.until_ms,
        **{name: each for name, each in places.items() if each},
    }


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A new folder to be filled, beside its place; it comes there once it is, and is gone otherwise."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    try:
        try:
            unfinished.mkdir(mode=0o700)
        except FileExistsError:
            raise UsageError(
                tr("{folder}: an export is at work there, or was cut off", folder=unfinished),
                tr("if none is at work, remove this folder: it holds pictures of people"),
            ) from None
        try:
            yield unfinished
            unfinished.rename(folder)  # invariant 2
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        _named(folder.parent)
    except OSError as error:
        raise NgatuError(
            tr("{folder}: {reason}", folder=folder, reason=error.strerror or error),
            tr("look at the rights, and at the room that is left there"),
        ) from None


def _named(folder: Path) -> None:
    """The names in it are on the disk."""
    with suppress(OSError):  # some file systems of sticks cannot, and `sync` was called
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
