"""Whether a wheel that somebody gives runs on a board: pip would find out there, after the roll-out."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from agent.errors import NgatuError
from fleet.bundle.wheels import Board, read_wheel

LONGEST: Final = 100
"""Of a file's name in a bundle, without its folder."""


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
    if taken.isdisjoint(tags):
        raise NgatuError(
            f"{path.name}: it is for {', '.join(sorted(map(str, tags)))}, and not for {board.words()}",
            "give the wheel of this board; --arch, --python and --glibc say which it is",
        )
    if not wheel.python.contains(f"{board.python}.0", prereleases=True):
        raise NgatuError(
            f"{path.name}: it asks for Python {wheel.python}, and the board has {board.python}",
            "give the wheel of this Python",
        )


def short_name(path: Path, board: Board) -> Path:
    """The wheel by a name that a bundle can hold: of its platforms only the one that the board likes best.

    A name in a tar has at most LONGEST characters (POSIX ustar, IEEE 1003.1); some wheels name four platforms.
    pip asks nothing else of the name than that the board fits it; what is in the file stays as it is.

    Raises:
        NgatuError: it is too long even so.
    """
    if len(path.name) <= LONGEST:
        return path
    about, python, abi, platforms = path.stem.rsplit("-", 3)
    named = platforms.split(".")
    best = next((each for each in board.platforms() if each in named), platforms)
    short = path.with_name(f"{about}-{python}-{abi}-{best}{path.suffix}")
    if len(short.name) > LONGEST:
        raise NgatuError(
            f"{path.name}: the name has more than {LONGEST} characters",
            "give it a shorter one: what a wheel's name ends with may be one platform alone",
        )
    return path.rename(short)
