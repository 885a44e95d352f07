"""The boards that people have: what their wheels must run on, and where the lock of each lies.

A lock of a board (lock.py) is part of the source: whoever builds a bundle months later, or elsewhere, takes the
wheels that were looked at. `ngatu bundle lock` makes it anew, from what the registry has that day.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.errors import NgatuError, UsageError
from fleet.bundle import lock
from fleet.bundle.installed import wheel_again
from fleet.bundle.wheels import SOURCE_ONLY, Board, fetch, is_checkout, own_wheel, read_wheel

LOCKS: Final = Path("deploy/locks")
"""In a checkout and in a folder of `ngatu fleet init`."""


@dataclass(frozen=True, slots=True)
class KnownBoard:
    """A system that boards or servers have."""

    board: Board
    about: str
    locked: tuple[str, ...]
    """Extras of ngatu whose packages its lock holds, beside what every host needs."""
    extras: tuple[str, ...] = ()
    """Those that a bundle has where none are named."""


_BOX: Final = ("ncnn",)
_STATION: Final = ("station", "postgresql")
BOARDS: Final[Mapping[str, KnownBoard]] = {
    "pi-bookworm": KnownBoard(Board("aarch64", "3.11", 36), "Raspberry Pi OS bookworm", _BOX),
    "pi-trixie": KnownBoard(Board("aarch64", "3.13", 41), "Raspberry Pi OS trixie", _BOX),
    "jetson-noble": KnownBoard(Board("aarch64", "3.12", 39), "Ubuntu 24.04, JetPack 7", _BOX),
    "station-trixie": KnownBoard(Board("x86_64", "3.13", 41), "Debian 13 on a PC", _STATION, ("station",)),
}


def known(name: str) -> KnownBoard:
    """The board of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in BOARDS:
        raise UsageError(f"{name}: no such board", f"there are {', '.join(BOARDS)}")
    return BOARDS[name]


def lock_of(name: str, source: Path) -> Path:
    """The board's lock in a checkout or a folder of `ngatu fleet init`.

    Raises:
        NgatuError: it is not there.
    """
    path = source / LOCKS / f"{name}{lock.SUFFIX}"
    if not path.is_file():
        raise NgatuError(f"{path}: there is no lock of this board", f"make one: ngatu bundle lock {name}")
    return path


def make_lock(name: str, source: Path, wheel: Path | None = None) -> Path:
    """Write the board's lock, of what the registry has now; returns it.

    `wheel` is ngatu's own: what it asks for is fetched, and it is not in the lock itself.

    Raises:
        NgatuError: a package has no wheel for the board, or the registry cannot be reached.
    """
    wanted = known(name)
    with tempfile.TemporaryDirectory() as folder:
        built, wheels = Path(folder, "own"), Path(folder, "wheels")
        built.mkdir()
        wheels.mkdir()
        own = wheel or (own_wheel(source, built) if is_checkout(source) else wheel_again(built))
        fetched = fetch(own, wanted.board, wheels, wanted.locked)
        board = wanted.board
        about = f"{wanted.about}: {board.arch}, Python {board.python}, glibc 2.{board.glibc}"
        words = lock.text(about, fetched, {read_wheel(own).name, *SOURCE_ONLY}, f"ngatu bundle lock {name}")
    path = source / LOCKS / f"{name}{lock.SUFFIX}"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(words, encoding="utf-8")
    part.replace(path)
    return path
