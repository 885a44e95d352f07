"""Letters that a sheet can show: Roboto's, which has all of Vietnamese; in place of any other stands □."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

from font_roboto import Roboto, RobotoBold
from fontTools.ttLib import TTFont

from agent.printable import printable

BOX: Final = "□"
LONGEST: Final = 8_000
"""Of a longer text the rest is left out: a box's texts have 4,096 letters at most."""
_NEVER: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of Unicode that have no letter of their own, or steer how others are set."""
FONTS: Final[Mapping[str, str]] = {"": Roboto, "B": RobotoBold}
"""Style -> file."""


def shown(text: str) -> str:
    """The text in one line of letters that both fonts have, in the composed form (NFC)."""
    known = _known()
    line = unicodedata.normalize("NFC", printable(text))
    if len(line) > LONGEST:
        line = line[: LONGEST - 1] + "…"
    return "".join(_one(each, known) for each in line)


def _one(letter: str, known: frozenset[str]) -> str:
    if unicodedata.category(letter) == "Zs":
        return " "
    return letter if letter in known else BOX


@cache
def _known() -> frozenset[str]:
    """What every font has a letter for; U+FFFD stands for what was taken out before, so it is a □, too."""
    both = frozenset[int].intersection(*map(_of_font, FONTS.values()))
    letters = (chr(each) for each in both if each != 0xFFFD)
    return frozenset(each for each in letters if unicodedata.category(each) not in _NEVER)


def _of_font(file: str) -> frozenset[int]:
    with TTFont(file, lazy=True) as font:
        return frozenset(font.getBestCmap())
