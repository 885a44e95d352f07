"""Walks a page on test hosts as a plain user does who types what stands there, and fails where it is otherwise.

A command must end with 0, unless the page asks for its exit code next (`echo $?`) and shows another. What the
page shows below a command must be what is printed (`printed.py`), and a block that the page does not mark as
one for reading (`page.py`) is walked. What was shown and what was printed are kept, so that the judge itself
can be tried: each shown line is changed in turn, and the change must be found.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.acceptance.faults.suite import Broken
from tests.acceptance.fleet.hosts import Fleet
from tests.acceptance.fleet.page import INTERRUPT, Block, Typed, Where, blocks
from tests.acceptance.fleet.printed import LEFT_OUT, Like, begins, by_kind, difference
from tests.acceptance.fleet.terminal import Came, Terminal
from tests.conftest import ROOT

QUIET_S, LONG_S = 120.0, 300.0
"""For what the page shows, and for a command of which it shows nothing: an installation."""
ASKED = "echo $?"


@dataclass
class Walked:
    """What became of a page."""

    page: str
    typed: int = 0
    walked: list[int] = field(default_factory=list)
    """Lines of its blocks."""
    left_out: list[tuple[int, str]] = field(default_factory=list)
    judged: list[tuple[tuple[str, ...], list[str], Like, bool]] = field(default_factory=list)
    """Shown, printed, how far they may differ, whether more could come."""

    def __str__(self) -> str:
        shown = sum(len(each[0]) for each in self.judged)
        return (
            f"{self.page}: {len(self.walked)} of {len(self.walked) + len(self.left_out)} blocks, "
            f"{self.typed} commands, {shown} lines shown"
        )


class Walk:
    """Over several pages; each begins with fresh terminals, and finds what the one before left on the hosts."""

    def __init__(
        self, fleet: Fleet, given: Mapping[str, Callable[[Terminal], None]], written: Mapping[str, str]
    ) -> None:
        """`given` is what blocks ask for by name; `written` what an editor is given that no page tells."""
        self._fleet, self._given, self._written = fleet, given, written
        self._terminals: dict[Where, Terminal] = {}
        self._ends: set[int] = set()

    def page(self, name: str) -> Walked:
        """Walk it from its first block to its last.

        Raises:
            Broken: something is not as the page says; with its line.
            PageError: it cannot be read as steps.
        """
        done = Walked(name)
        try:
            read = blocks(name, (ROOT / name).read_text(encoding="utf-8"))
            self._ends = must_end(read)
            for block in read:
                if block.left_out is not None:
                    done.left_out.append((block.line, block.left_out))
                else:
                    self._block(block, done)
            # As a reader does who goes on to the next page: what is hung up takes a second more to end.
            for terminal in self._terminals.values():
                if terminal.busy:
                    terminal.interrupt(QUIET_S)
        finally:
            for terminal in self._terminals.values():
                terminal.close()
            self._terminals.clear()
        return done

    def _block(self, block: Block, done: Walked) -> None:
        terminal = self._terminal(block.where)
        for number, (typed, after) in enumerate(zip(block.typed, (*block.typed[1:], None), strict=True)):
            for name in (name for name, commands in block.given if commands == number):
                self._given[name](terminal)
            where = f"{done.page}:{typed.line}: {typed.command or 'what comes then'}"
            try:
                came = self._step(terminal, typed, block.like)
                _judge(typed, came, after, block.like)
            except AssertionError as why:
                raise Broken(f"{where}: on {block.where.host}: {why}") from why
            done.typed += bool(typed.command)
            if typed.shown:
                done.judged.append((typed.shown, came.lines, block.like, came.code is None))
        done.walked.append(block.line)

    def _terminal(self, where: Where) -> Terminal:
        if where not in self._terminals:
            self._terminals[where] = Terminal(self._fleet[where.host])
        return self._terminals[where]

    def _step(self, terminal: Terminal, typed: Typed, like: Like) -> Came:
        speaks = any(line.strip() != LEFT_OUT for line in typed.shown)
        stays = speaks and typed.line not in self._ends
        enough = partial(_all_there, typed.shown, like) if stays else None
        if typed.command == INTERRUPT:
            return terminal.interrupt(QUIET_S)
        if not typed.command:
            assert enough is not None, "it shows nothing"
            return terminal.look(QUIET_S, enough)
        if typed.edits is not None:
            return self._edit(terminal, typed)
        return terminal.type(typed.command, QUIET_S if stays else LONG_S, enough)

    def _edit(self, terminal: Terminal, typed: Typed) -> Came:
        """Write what the page has, or only its reader knows; a part of a YAML file takes its part's place."""
        *sudo, _, file = shlex.split(typed.command)
        before = terminal.type(shlex.join([*sudo, "cat", file]), QUIET_S)
        if typed.written is None:
            assert file in self._written, f"nothing says what is to be written into {file}"
            text = self._written[file]
        else:
            text = "\n".join(typed.written) + "\n"
            if before.code == 0 and file.endswith(".yaml"):
                text = in_place("\n".join(before.lines) + "\n", text)
        packed = base64.b64encode(text.encode()).decode()
        return terminal.type(
            f"echo {packed} | base64 -d | {shlex.join([*sudo, 'tee', file])} >/dev/null", QUIET_S
        )


def must_end(read: Sequence[Block]) -> set[int]:
    """The lines of commands after which their terminal is typed into again: these must have ended by then."""
    last: dict[Where, Typed] = {}
    lines = set()
    for block in read:
        for typed in block.typed:
            if block.where in last and typed.command not in ("", INTERRUPT):
                lines.add(last[block.where].line)
            last[block.where] = typed
    return lines


def _all_there(shown: tuple[str, ...], like: Like, printed: list[str]) -> bool:
    return begins(shown, printed, like)


def in_place(file: str, part: str) -> str:
    """A YAML file of which the top-level keys of `part` are as they stand there; all else stays."""
    sections = dict(_sections(file)) | dict(_sections(part))
    return "".join(sections.values())


def _sections(text: str) -> list[tuple[str, str]]:
    pieces = re.split(r"(?m)^(?=[a-z_]+:)", text)
    return [(piece.partition(":")[0], piece) for piece in pieces if piece]


def _judge(typed: Typed, came: Came, after: Typed | None, like: Like) -> None:
    """AssertionError where what came is not what the page lets expect."""
    asked = after is not None and after.command == ASKED
    said = "\n".join(came.lines[-20:])
    stopped = typed.command == INTERRUPT
    assert came.code in (0, None) or asked or stopped, f"exit code {came.code}, printed was:\n{said}"
    if typed.shown and came.code is not None:
        wrong = difference(typed.shown, came.lines, like)
        assert wrong is None, f"{wrong}; all of it:\n{said}"


def changed_lines_found(walks: Sequence[Walked]) -> tuple[int, int]:
    """Change each shown line in turn, in the last word that is compared, and judge anew: (changes, found)."""
    changes = found = 0
    for shown, printed, like, open_end in (each for walk in walks for each in walk.judged):
        for number, line in enumerate(shown):
            plain = re.sub(r"<\w+>", " ", by_kind(line, counts=like.counts))
            words = [word for word in re.findall(r"[A-Za-z]{2,}|\d+", plain) if word in line]
            if not words:
                continue
            head, _, tail = line.rpartition(words[-1])
            planted = (*shown[:number], f"{head}{words[-1]}x{tail}", *shown[number + 1 :])
            wrong = not begins(planted, printed, like) if open_end else difference(planted, printed, like)
            changes, found = changes + 1, found + bool(wrong)
    return changes, found
