"""The boards that people have: what their wheels must run on, and where the lock of each lies.

A lock of a board (lock.py) is part of the source: whoever builds a bundle months later, or elsewhere, takes the
wheels that were looked at. `ngatu bundle lock` makes it anew, from what the registry has that day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.errors import NgatuError, UsageError
from fleet.bundle import lock
from fleet.bundle.fit import require_fit
from fleet.bundle.installed import wheel_again
from fleet.bundle.scratch import scratch
from fleet.bundle.wheels import OLDEST_GLIBC, SOURCE_ONLY, Board, fetch, is_checkout, own_wheel, read_wheel
from fleet.whole_file import ROOM, in_words, require_takes, write_whole

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


ARCHS: Final = tuple(dict.fromkeys(each.board.arch for each in BOARDS.values()))
"""As `uname -m` says them."""
_MEANT: Final = {
    "aarch64": "aarch64", "arm64": "aarch64", "armv8": "aarch64", "amd64": "x86_64", "x64": "x86_64",
    "x8664": "x86_64", **{re.sub("[^a-z0-9]", "", name): f"--board {name}" for name in BOARDS},
}  # fmt: skip
"""What Debian, vendors and people say, in small letters and figures alone -> what they mean."""
OLDEST_PYTHON_MINOR: Final = 11
"""As setup.cfg has it."""
OLDEST_BOX_GLIBC: Final = 35
"""Of Ubuntu 22.04, on a Jetson with JetPack 6."""
NEWEST_GLIBC: Final = 99
"""Beyond what will be for decades: whoever names more has slipped."""


def board_of(arch: str | None, python: str | None, glibc: str | None) -> Board:
    """The board that options name; what is None is that of most boxes. A glibc is `36` or `2.36`.

    Raises:
        UsageError: there is none such.
    """
    arch = ARCHS[0] if arch is None else arch  # an empty one is a variable of a script that nobody has set
    python = f"3.{OLDEST_PYTHON_MINOR}" if python is None else python
    glibc = str(OLDEST_BOX_GLIBC) if glibc is None else glibc
    if arch not in ARCHS:
        there = f"there are {', '.join(ARCHS)}: as `uname -m` says it on the board"
        meant = _MEANT.get(re.sub("[^a-z0-9]", "", arch.lower()))
        raise UsageError(
            f"--arch {arch}: there is no such", f"did you mean {meant}? {there}" if meant else there
        )
    minor = re.fullmatch(r"3\.([0-9]{1,3})", python)
    if not minor or int(minor[1]) < OLDEST_PYTHON_MINOR:
        raise UsageError(
            f"--python {python}: ngatu needs 3.{OLDEST_PYTHON_MINOR} or newer",
            "write major and minor of the board's: 3.11 on Debian 12, 3.12 on Ubuntu 24.04, 3.13 on Debian 13",
        )
    library = re.fullmatch(r"(?:2\.)?([0-9]{1,3})", glibc)
    if not library or not OLDEST_GLIBC <= int(library[1]) <= NEWEST_GLIBC:
        raise UsageError(
            f"--glibc {glibc}: it is 2.{OLDEST_GLIBC} or newer",
            "as `ldd --version` says it there: 2.35 on Ubuntu 22.04, 2.36 on Debian 12, 2.41 on Debian 13",
        )
    return Board(arch, f"3.{int(minor[1])}", int(library[1]))


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
    wanted, path = known(name), source / LOCKS / f"{name}{lock.SUFFIX}"
    require_takes(path.parent, "a lock lies in the source: name another with --source")
    if wheel is not None:
        require_fit(wheel, wanted.board)
    with scratch() as folder:
        built, wheels = folder / "own", folder / "wheels"
        own = wheel or (own_wheel(source, built) if is_checkout(source) else wheel_again(built))
        fetched = fetch(own, wanted.board, wheels, wanted.locked)
        board = wanted.board
        about = f"{wanted.about}: {board.arch}, Python {board.python}, glibc 2.{board.glibc}"
        words = lock.text(about, fetched, {read_wheel(own).name, *SOURCE_ONLY}, f"ngatu bundle lock {name}")
    with in_words(path, ROOM):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, words.encode())
    return path
