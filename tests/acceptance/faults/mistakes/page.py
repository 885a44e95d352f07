"""docs/design/mistakes.md: a row for each mistake, as the trial has heard it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.acceptance.faults.mistakes.mistake import MAKERS, Mistake
from tests.acceptance.faults.mistakes.trial import Outcome
from tests.conftest import ROOT

PAGE = ROOT / "docs/design/mistakes.md"
HEAD = """\
# Mistakes, and what is said about them

Status: built.
Code: `tests/acceptance/faults/mistakes/`.
Written by `python -m tests.acceptance.faults.mistakes --write`, which makes each of them anew:
real files, the real commands, a real broker, a box and a station at work.
Promise P66 of [the fault suite](faults.md) holds them:
sixty by chance at its usual size, all of them with `--long`.

Whoever makes a mistake gets one message: what, where, and what to do.
Nobody sees a traceback, in no stream and no log, and nobody waits for more than 15 seconds without a word.
A message of several lines stands in one here.
`{port}` and the like stand for what differs from machine to machine:
`{checkout}` is the clone, `{elsewhere}` a folder with what all trials share.
The exit code is that of the command.
A message in the log of a station or a box at work has 0: these go on.
"""
TABLE = "| what was done | what is said | exit code |\n|---|---|---|\n"


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole page."""
    text = HEAD
    for who, title in MAKERS.items():
        rows = [
            row(each.mistake, each.said.message()) for each in outcomes if each.mistake.who == who and each.said
        ]
        text += f"\n## {title}\n\n{TABLE}{''.join(rows)}"
    return text


def row(each: Mistake, said: str) -> str:
    """One row of it."""
    return f"| {_cell(each.done)} | {_cell(said)} | {each.code} |\n"


def rows(text: str) -> dict[tuple[str, str], tuple[str, int]]:
    """Who and what was done -> what is said and the exit code, of a page."""
    found: dict[tuple[str, str], tuple[str, int]] = {}
    who = ""
    for line in text.splitlines():
        if line.startswith("## "):
            who = next(name for name, title in MAKERS.items() if title == line[3:])
        elif cells := re.fullmatch(r"\| (.*) \| (.*) \| (\d+) \|", line):
            assert (who, cells[1]) not in found, f"{cells[1]} stands twice"
            found[who, _plain(cells[1])] = _plain(cells[2]), int(cells[3])
    return found


def _cell(text: str) -> str:
    """Fit for a cell of a table."""
    return re.sub(r"([|<*_\[\]])", r"\\\1", text)


def _plain(cell: str) -> str:
    return re.sub(r"\\([|<*_\[\]])", r"\1", cell)
