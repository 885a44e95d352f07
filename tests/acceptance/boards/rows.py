"""What was tried of each system that a lock is for, row by row, and the table of it.

A row is written after each step, so that whoever was stopped in the middle sees how far it came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from fleet.bundle.boards import BOARDS
from tests.conftest import ROOT

ROWS = ROOT / "build" / "boards"
HEAD = (
    "system", "Python", "wheels by the lock", "bundle built", "the newest glibc that they ask for",
    "root file system", "installed there", "`check` there", "`replay` there", "events",
)  # fmt: skip


@dataclass(slots=True)
class SystemRow:
    """One system; what is None was not reached."""

    board: str
    """Name of its lock."""
    wheels: int | None = None
    bundle_mb: float | None = None
    built_s: float | None = None
    glibc: int | None = None
    """2.x of the newest symbol that a library of the wheels asks for."""
    root_s: float | None = None
    """0 where it was kept from an earlier run."""
    installed_s: float | None = None
    check_s: float | None = None
    replay_s: float | None = None
    events: str = ""
    """How those of there compare with those of here."""
    stopped: str = ""
    """Why it went no further."""

    def keep(self, folder: Path) -> None:
        """Write it down."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.board}.json").write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def kept(folder: Path) -> list[SystemRow]:
    """The rows that lie there, in the order of the boards."""
    paths = (folder / f"{name}.json" for name in BOARDS)
    return [SystemRow(**json.loads(path.read_text(encoding="utf-8"))) for path in paths if path.exists()]


def table(rows: Iterable[SystemRow]) -> str:
    """Markdown, as docs/design/fleet.md has it."""
    lines = [HEAD, ("---",) * len(HEAD), *map(_cells, rows)]
    return "".join(f"|{'|'.join(_padded(line))}|\n" for line in lines)


def _padded(cells: Iterable[str]) -> list[str]:
    return [cell if cell == "---" else f" {cell} " for cell in cells]


def _cells(row: SystemRow) -> tuple[str, ...]:
    known = BOARDS[row.board]
    return (
        f"{known.about}, {known.board.arch}",
        known.board.python,
        "" if row.wheels is None else str(row.wheels),
        "" if row.built_s is None else f"{row.bundle_mb or 0:.0f} MB, {row.built_s:.0f} s",
        "" if row.glibc is None else f"2.{row.glibc} of 2.{known.board.glibc}",
        *_steps(row),
        row.events,
    )


def _steps(row: SystemRow) -> list[str]:
    """The times; where it stopped the reason, and after that nothing but no."""
    root = None if row.root_s is None else f"{row.root_s:.0f} s" if row.root_s else "kept"
    times = (row.installed_s, row.check_s, row.replay_s)
    done = [root, *(None if each is None else f"{each:.0f} s" for each in times)]
    why = f"no: {row.stopped}" if row.stopped else "no"
    first = done.index(None) if None in done else -1
    return [each if each is not None else why if at == first else "no" for at, each in enumerate(done)]
