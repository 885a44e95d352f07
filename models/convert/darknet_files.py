"""Darknet's two files: the .cfg that lists the layers, and the .weights with their numbers.

The formats are darknet's (github.com/pjreddie/darknet: src/option_list.c, and src/parser.c for the order of the
weights).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError


@dataclass(frozen=True, slots=True)
class Section:
    """One [section] of a .cfg."""

    kind: str
    line: int
    options: dict[str, str]

    def number(self, name: str, default: int) -> int:
        """An option that is a whole number."""
        try:
            return int(self.options.get(name, default))
        except ValueError as error:
            raise ModelError(f"line {self.line}: [{self.kind}] {name}: {error}") from error

    def numbers(self, name: str) -> list[int]:
        """An option that is a list of whole numbers."""
        try:
            return [int(part) for part in self.options[name].split(",")]
        except (KeyError, ValueError) as error:
            raise ModelError(f"line {self.line}: [{self.kind}] {name}: not a list of numbers") from error


def parse_cfg(text: str) -> list[Section]:
    """The sections of a .cfg, [net] first.

    Raises:
        ModelError: it is no .cfg.
    """
    sections: list[Section] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#")[0].split(";")[0].strip()
        if line.startswith("[") and line.endswith("]"):
            sections.append(Section(line[1:-1], number, {}))
        elif line:
            name, equals, value = line.partition("=")
            if not equals or not sections:
                raise ModelError(f"line {number}: not a line of a darknet .cfg: {raw.strip()!r}")
            sections[-1].options[name.strip()] = value.strip()
    if not sections or sections[0].kind not in ("net", "network"):
        raise ModelError("a darknet .cfg begins with [net]")
    return sections


class Weights:
    """The numbers of a .weights file, read in the order in which darknet wrote them."""

    def __init__(self, content: bytes) -> None:
        if len(content) < 20:
            raise ModelError("the weights are cut short")
        major, minor, _ = struct.unpack_from("<3i", content)
        # Since 0.2 the count of training pictures that follows has eight bytes instead of four.
        start = 20 if major * 10 + minor >= 2 else 16
        self._numbers: NDArray[np.float32] = np.frombuffer(
            content[: len(content) // 4 * 4], "<f4", offset=start
        )
        self._next = 0

    def take(self, *shape: int) -> NDArray[np.float64]:
        """The next numbers, in this shape, exact enough to fold with."""
        count = int(np.prod(shape))
        taken = self._numbers[self._next : self._next + count]
        if len(taken) < count:
            raise ModelError(
                "the weights end too early for this .cfg", "the .cfg or the .weights is not the right one."
            )
        self._next += count
        return np.asarray(taken.reshape(shape), np.float64)

    def must_be_read_up(self) -> None:
        """Numbers left over mean that the .cfg is not the one of these weights."""
        if self._next != len(self._numbers):
            left = len(self._numbers) - self._next
            raise ModelError(
                f"{left} of the {len(self._numbers)} weights are left over",
                "the .cfg or the .weights is not the right one.",
            )
