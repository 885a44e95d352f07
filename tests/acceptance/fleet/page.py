"""A page of the guide as steps that a walker can take: what is typed where, and what is shown then.

What a page says to a reader is what is walked, so the page itself is read, block by block:

- In a `console` block a line after `$ ` is typed, `^C` is pressed, and the lines below are what is printed.
  A line `…` stands for lines that are left out, and within a line for the words that are.
  A block that types nothing shows what comes in a terminal whose program still runs.
- `nano FILE` opens an editor: the next block that is no console is what is written into it. Where there is none
  before the next command, the walker must know what to write (a password stands on no page).
- Every other block must say why it is not walked.

What a reader takes from the sentences, a walker takes from a comment before the block, words apart by commas:

    <!-- walk: on station -->              from here on, this machine (its first terminal)
    <!-- walk: terminal 2 -->              from here on, this terminal of it
    <!-- walk: given NAME -->              before this block the walker does what it knows as NAME;
                                           `given NAME after 2`: after its second command
    <!-- walk: counts -->                  whole numbers of this block are amounts: none, or some
    <!-- walk: any order -->               what this block shows comes in whatever order
    <!-- walk: not walked: WHY -->         this block is for reading
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tests.acceptance.fleet.printed import Like

PROMPT, INTERRUPT = "$ ", "^C"
EDITORS = ("nano ", "sudo nano ")
_WALK = re.compile(r"^<!-- walk: (.+) -->$")
_GIVEN = re.compile(r"given ([a-z-]+)(?: after (\d))?")
_FENCE = re.compile(r"^(\s*)(```+)(\S*)\s*$")


class PageError(ValueError):
    """A page cannot be read as steps; says where."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where something is typed."""

    host: str = ""
    terminal: int = 1


@dataclass(frozen=True, slots=True)
class Typed:
    """One command, one Ctrl-C, or (with an empty command) a look at what still runs."""

    command: str
    shown: tuple[str, ...]
    """What the page shows below it; none: it shows nothing, and anything may be printed."""
    line: int
    """Of the page, from 1."""
    written: tuple[str, ...] | None = None
    """The lines that are written, when it opens an editor and the page has them."""

    @property
    def edits(self) -> str | None:
        """The file that it opens in an editor, with the `sudo` before it."""
        return self.command if self.command.startswith(EDITORS) else None


@dataclass(frozen=True, slots=True)
class Block:
    """One console block, or one that is not walked."""

    line: int
    where: Where = Where()
    typed: tuple[Typed, ...] = ()
    given: tuple[tuple[str, int], ...] = ()
    """What is to be there: a name that the walker knows, and after how many of the commands."""
    like: Like = field(default_factory=Like)
    left_out: str | None = None
    """Why it is not walked."""


@dataclass
class _Reading:
    """How far a page is read."""

    name: str
    blocks: list[Block] = field(default_factory=list)
    where: Where = Where()
    words: list[str] = field(default_factory=list)

    def comment(self, words: str, line: int) -> None:
        reason = re.fullmatch(r"not walked: (.+)", words)
        for word in [words] if reason else re.split(r",\s*", words):
            if on := re.fullmatch(r"on ([a-z][a-z0-9-]*)", word):
                self.where = Where(on[1])
            elif terminal := re.fullmatch(r"terminal (\d)", word):
                self.where = replace(self.where, terminal=int(terminal[1]))
            elif not (reason or word in ("counts", "any order") or _GIVEN.fullmatch(word)):
                raise PageError(f"{self.name}:{line}: walk: {word}: no such word")
            else:
                self.words.append(word)

    def block(self, language: str, lines: Sequence[str], line: int) -> None:
        words, self.words = self.words, []
        reason = next((word.partition(": ")[2] for word in words if word.startswith("not walked: ")), None)
        if reason is not None:
            self.blocks.append(Block(line, self.where, left_out=reason))
        elif language == "console":
            given = tuple((each[1], int(each[2] or 0)) for each in map(_GIVEN.fullmatch, words) if each)
            typed = tuple(_typed(lines, line))
            like = Like("counts" in words, "any order" in words)
            self.blocks.append(Block(line, self.where, typed, given, like))
        else:
            self._write(lines, line)

    def _write(self, lines: Sequence[str], line: int) -> None:
        """Into the file that the command before opened."""
        before = self.blocks[-1] if self.blocks else None
        if before is None or not before.typed or not before.typed[-1].edits or before.typed[-1].written:
            raise PageError(
                f"{self.name}:{line}: nothing says what becomes of this block: open it with `$ nano FILE` "
                "before it, or say why it is not walked"
            )
        last = replace(before.typed[-1], written=tuple(lines))
        self.blocks[-1] = replace(before, typed=(*before.typed[:-1], last))


def blocks(name: str, text: str) -> list[Block]:
    """The blocks of a page in order.

    Raises:
        PageError: a block that is neither typed nor written nor left out with a reason, or a comment for a
            walker that is none.
    """
    reading = _Reading(name)
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if walk := _WALK.match(line.strip()):
            reading.comment(walk[1], number)
        elif fence := _FENCE.match(line):
            body = _body(lines, fence[1], fence[2])
            reading.block(fence[3], body, number)
    return reading.blocks


def _body(lines: Iterator[tuple[int, str]], indent: str, fence: str) -> list[str]:
    body: list[str] = []
    for _, line in lines:
        if line.strip() == fence:
            break
        body.append(line.removeprefix(indent))
    return body


def _typed(lines: Sequence[str], first: int) -> Iterator[Typed]:
    command, shown, at = "", list[str](), first
    for number, line in enumerate(lines, first + 1):
        if line.startswith(PROMPT) or line == INTERRUPT:
            if command or shown:
                yield Typed(command, tuple(shown), at)
            command, shown, at = line.removeprefix(PROMPT), [], number
        elif line.strip():
            shown.append(line)
    if command or shown:
        yield Typed(command, tuple(shown), at)
