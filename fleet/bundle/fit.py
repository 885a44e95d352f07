"""Whether a wheel that somebody gives runs on a board: pip would find out there, after the roll-out."""

from __future__ import annotations

from pathlib import Path

from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from agent.errors import NgatuError
from fleet.bundle.wheels import Board, read_wheel


def require_fit(path: Path, board: Board) -> None:
    """See to it that the wheel's tags and the Python that it asks for are the board's.

    Raises:
        NgatuError: it does not, or is no wheel.
    """
    wheel = read_wheel(path)
    try:
        tags = parse_wheel_filename(path.name)[3]
    except ValueError as error:
        raise NgatuError(f"{path}: {error}", "keep the name that the wheel came with") from None
    version = tuple(int(part) for part in board.python.split("."))
    platforms = list(board.platforms())
    taken = {*cpython_tags(version, platforms=platforms), *compatible_tags(version, platforms=platforms)}
    where = f"{board.arch} with Python {board.python} and glibc 2.{board.glibc}"
    if taken.isdisjoint(tags):
        raise NgatuError(
            f"{path.name}: it is for {', '.join(sorted(map(str, tags)))}, and not for {where}",
            "give the wheel of this board; --arch, --python and --glibc say which it is",
        )
    if not wheel.python.contains(f"{board.python}.0", prereleases=True):
        raise NgatuError(
            f"{path.name}: it asks for Python {wheel.python}, and the board has {board.python}",
            "give the wheel of this Python",
        )
