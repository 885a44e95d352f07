"""Ranges of footage that go last: each lies in a small file that is replaced whole, so a cut loses none."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from agent.evidence.segment import sync_folder

log = structlog.get_logger(__name__)

FILE: Final = "holds.json"
MAX_HOLDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Hold:
    """A range of a camera that no sweep takes before everything else has gone."""

    id: str
    camera: str
    from_s: float
    to_s: float
    """Wall time, corrected; seconds since 1970."""
    why: str

    def covers(self, camera: str, from_s: float, to_s: float) -> bool:
        """Whether some of this range of the camera is held."""
        return camera == self.camera and from_s < self.to_s and to_s > self.from_s


class Holds:
    """The holds of a ring."""

    def __init__(self, folder: Path, readonly: bool = False) -> None:
        """Read them; of a damaged file what is whole. It is kept beside, unless nothing is to be written.

        Raises:
            OSError: the folder cannot be read.
        """
        self._path = folder / FILE
        self.damaged = False
        """The file was: some may have been lost with it."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            data = b"[]"
        try:
            found = [_hold(each) for each in json.loads(data)]
        except (ValueError, TypeError, LookupError) as error:
            self.damaged, found = True, _salvaged(data)
            if not readonly:
                self._keep(data, found, error)
        self._holds = {each.id: each for each in found}

    @property
    def all(self) -> tuple[Hold, ...]:
        """Those that are in force, oldest first."""
        return tuple(self._holds.values())

    def covers(self, camera: str, from_s: float, to_s: float) -> bool:
        """Whether some of this range of the camera is held."""
        return any(each.covers(camera, from_s, to_s) for each in self._holds.values())

    def add(self, hold: Hold) -> None:
        """Hold it; one of the same id is replaced. It is on disk when this returns.

        Raises:
            OSError: it cannot be written; nothing has changed.
            ValueError: there are too many, or the range is none.
        """
        if hold.to_s <= hold.from_s:
            raise ValueError("a hold must end after it begins")
        if hold.id not in self._holds and len(self._holds) >= MAX_HOLDS:
            raise ValueError(f"there are {MAX_HOLDS} holds already")
        self._write({**self._holds, hold.id: hold})

    def release(self, hold_id: str) -> bool:
        """Hold it no more; whether it was held.

        Raises:
            OSError: it cannot be written; nothing has changed.
        """
        if hold_id not in self._holds:
            return False
        self._write({name: each for name, each in self._holds.items() if name != hold_id})
        return True

    def _keep(self, data: bytes, found: list[Hold], why: Exception) -> None:
        kept = self._path.with_name(FILE + ".damaged")
        try:
            kept.write_bytes(data)
            self._write({each.id: each for each in found})
        except OSError as error:  # it is as it was, and is read as now the next time
            log.warning("holds_damaged", path=str(self._path), left=len(found), why=str(error))
        else:
            log.error("holds_damaged", path=str(self._path), left=len(found), kept_as=kept.name, why=str(why))

    def _write(self, holds: dict[str, Hold]) -> None:
        new = self._path.with_name(FILE + ".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump([asdict(each) for each in holds.values()], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        sync_folder(self._path.parent)
        self._holds = holds


def _hold(plain: dict[str, Any]) -> Hold:
    times = float(plain["from_s"]), float(plain["to_s"])
    return Hold(str(plain["id"]), str(plain["camera"]), *times, str(plain["why"]))


def _salvaged(data: bytes) -> list[Hold]:
    """What is whole of a damaged file: each hold stands in braces of its own."""
    found = []
    for each in re.findall(rb"\{[^{}]*\}", data):
        with suppress(ValueError, TypeError, LookupError):
            found.append(_hold(json.loads(each)))
    return found
