"""Whether what was printed is what a page shows.

Words are compared as they stand, and so is every number, unless a reader knows that his own will differ:

- times, the length of a run, sizes, rates, hashes, ids and the version of a store are compared by their kind;
- how wide a table is drawn is not compared;
- `…` stands for any words of a line, and alone on a line for any lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LEFT_OUT = "…"
_SIZE = r"(?:[KMGT]i?B|kB|bytes|B)"
_KINDS = (
    (r"\bversion \d{4}\b", "version <store>"),
    (r"\bUTC[+-]\d\d:\d\d\b", "<zone>"),
    (r"\b\d{4}-\d\d-\d\d_\d{6}[+-]\d{4}(?=_)", "<time>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?", "<time>"),
    (r"\b\d\d-\d\d \d\d:\d\d(?::\d\d)?\b", "<time>"),
    (r"\b\d{8}-?T?\d{4,6}Z?\b", "<time>"),
    (r"\b\d\d:\d\d(?::\d\d)?(?:\.\d+)?\b", "<time>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,64}\b", "<hash>"),
    (r"(?<=_s=)\d+(?:\.\d+)?\b", "<span>"),
    (rf"\b\d[\d.,]* ?{_SIZE}\b", "<size>"),
    (r"\b\d[\d.,]* pictures/s", "<rate>"),
    (r"\b\d[\d.,]* ?(?:ms|s|min)\b", "<span>"),
    (r"\b\d[\d.,]* ?%", "<share>"),
    (r"[─━═]+", "─"),
    (r"\s+", " "),
)
_AMOUNT = re.compile(r"(?<![\w.:-])[1-9]\d*(?![\w.:-])")
_STEERING = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b[\]P].*?(?:\x07|\x1b\\)|\x1b[()=>78M].?")


def by_kind(line: str, *, counts: bool = False) -> str:
    """A line with what differs from run to run by its kind only; with `counts` amounts above 0 too."""
    for pattern, kind in _KINDS:
        line = re.sub(pattern, kind, line)
    return _AMOUNT.sub("<some>", line).strip() if counts else line.strip()


def screen(text: str) -> list[str]:
    """The lines that a terminal shows after this, without empty ones, colours and what was written over."""
    rows, row, column, at = [""], 0, 0, 0
    text = text.replace("\r\n", "\n")
    while at < len(text):
        if steering := _STEERING.match(text, at):
            at = steering.end()
            if steering[2] == "A":
                row = max(0, row - int(steering[1] or 1))
            elif steering[2] == "K":
                rows[row] = rows[row][:column] if steering[1] in ("", "0") else ""
            elif steering[2] == "J" and steering[1] in ("", "0"):
                rows[row], rows[row + 1 :] = rows[row][:column], []
            continue
        letter, at = text[at], at + 1
        if letter == "\n":
            row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
        elif letter == "\r":
            column = 0
        elif letter == "\b":
            column = max(0, column - 1)
        elif letter >= " ":
            rows[row] = rows[row][:column].ljust(column) + letter + rows[row][column + 1 :]
            column += 1
    return [line for line in rows if line.strip()]


@dataclass(frozen=True, slots=True)
class Like:
    """How far what is printed may differ from what is shown, beyond what differs by its kind."""

    counts: bool = False
    """Whole numbers are amounts: none, or some."""
    any_order: bool = False
    """The lines come in whatever order."""


def begins(shown: Sequence[str], printed: Sequence[str], like: Like) -> bool:
    """Whether all that is shown has been printed; more may come after it."""
    return _difference(shown, printed, like, open_end=True) is None


def difference(shown: Sequence[str], printed: Sequence[str], like: Like) -> str | None:
    """Where what was printed is not what is shown, in words; None: nowhere."""
    return _difference(shown, printed, like, open_end=False)


def _difference(shown: Sequence[str], printed: Sequence[str], like: Like, *, open_end: bool) -> str | None:
    """Each shown line takes the next printed one; after `…` the next that fits."""
    left, skips = list(printed), like.any_order
    for line in shown:
        if line.strip() == LEFT_OUT:
            skips = True
            continue
        found = next((at for at, each in enumerate(left) if _same(line, each, like)), None)
        if found is None or (found > 0 and not skips):
            got = left[0] if left else "nothing"
            return f"the page shows {line.strip()!r}, printed was {got.strip()!r}"
        if like.any_order:
            del left[found]
        else:
            del left[: found + 1]
            skips = False
    allowed = open_end or (LEFT_OUT in map(str.strip, shown) if like.any_order else skips)
    return None if allowed or not left else f"the page shows no more, printed was {left[0].strip()!r}"


def _same(shown: str, printed: str, like: Like) -> bool:
    parts = [re.escape(part) for part in by_kind(shown, counts=like.counts).split(LEFT_OUT)]
    return re.fullmatch(".*".join(parts), by_kind(printed, counts=like.counts)) is not None
