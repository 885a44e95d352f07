"""The label of a box: which one it is, in words and as a QR code that a phone reads from the foot of the pole.

Everybody who passes may read it, so it names the box and whom to call, and holds nothing that opens anything.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import NgatuError, UsageError, how_to_install
from agent.settings.base import NAME_IN_WORDS, NAME_PATTERN
from fleet.template import template
from fleet.whole_file import ROOM, in_words, require_takes, write_whole

if TYPE_CHECKING:
    from segno import QRCode

QUIET_MODULES: Final = 4
"""White on each side of the code, or no reader finds it (ISO/IEC 18004, 6.3.8)."""
ERROR: Final = "q"
"""A quarter of the code may be dirty or torn off."""
QR_MM: Final = 30.0
TEXT_MM: Final = 36.0
LINE_LETTERS: Final = 26
LARGEST_ID_MM: Final = 5.0
LETTER: Final = 0.62
"""Width of a letter of the id, as a part of its height; a little more than common fonts need."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is on it."""

    commune: str
    device: str
    place: str = ""
    contact: str = ""
    """Whom to call about it."""

    def __post_init__(self) -> None:
        for what, word in (("commune", self.commune), ("box", self.device)):
            if not re.fullmatch(NAME_PATTERN, word):
                raise UsageError(
                    f"{what}: {word!r} is not {NAME_IN_WORDS}",
                    "as in its topics and its certificate",
                )
        for what, text in (("place", self.place), ("contact", self.contact)):
            if len(text) > 200 or not text.isprintable():
                raise UsageError(f"{what}: is not one line of at most 200 letters", "shorten it")

    @property
    def code(self) -> str:
        """What the QR code says."""
        return f"ngatu:{self.commune}/{self.device}"


def terminal(label: Label) -> list[str]:
    """The code in lines for a dark terminal, and the words below it."""
    drawn = io.StringIO()
    _qr(label).terminal(drawn, border=QUIET_MODULES, compact=True)
    return [*drawn.getvalue().splitlines(), label.device, *filter(None, (label.place, label.contact))]


def svg(label: Label) -> str:
    """A label of 72 by 36 mm, to be printed at its own size."""
    qr = _qr(label)
    modules = qr.symbol_size(border=QUIET_MODULES)[0]
    return template("label.svg").render(
        label=label,
        modules=modules,
        scale=QR_MM / modules,
        dark=_dark(qr.matrix),
        id_mm=round(min(LARGEST_ID_MM, TEXT_MM / (LETTER * len(label.device))), 2),
        place=_wrapped(label.place, 3),
        contact=_wrapped(label.contact, 2),
    )


def write(label: Label, path: Path) -> None:
    """Write the printable label.

    Raises:
        NgatuError: it cannot be written.
    """
    if path.suffix.lower() != ".svg" or path.is_dir():
        raise UsageError(f"{path}: a label is an SVG file", f"name it {label.device}.svg, wherever it goes")
    require_takes(path.parent, "name a file in a folder in which you may write")
    with in_words(path, ROOM):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, svg(label).encode())


def _qr(label: Label) -> QRCode:
    try:
        import segno  # noqa: PLC0415 (boxes and stations have these commands too, and draw no labels)
    except ImportError:
        raise NgatuError("a label needs the package segno", how_to_install("fleet")) from None
    return segno.make(label.code, error=ERROR, micro=False)


def _dark(matrix: Sequence[bytearray]) -> str:
    """The dark modules as an SVG path in modules: each run of a row one rectangle."""
    runs = []
    for y, row in enumerate(matrix):
        text = "".join("1" if module & 1 else "0" for module in row)
        runs += [f"M{run.start()} {y}h{len(run[0])}v1h-{len(run[0])}z" for run in re.finditer("1+", text)]
    return "".join(runs)


def _wrapped(text: str, lines: int) -> list[str]:
    return textwrap.wrap(text, LINE_LETTERS, max_lines=lines, placeholder=" …")
