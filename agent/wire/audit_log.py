"""Lines of a box's audit log as whoever keeps them reads them, and held against each other; pure.

Each line has its number `n` and the sha256 of the line before, `prev`. A station has every line as it was when
it came, and with each ack number and hash of a line once more. So it finds a line that is missing, one that was
another when it came, and a log that went back and on in another way.
"""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from agent.errors import WireError
from agent.printable import printable
from agent.wire.payloads import LARGEST

FIRST: Final = "0" * 64
"""What the first line of a log has for the one before."""
VIEWS: Final = ("snapshot", "look", "clip", "record", "preview", "samples")
"""By these verbs pictures leave a box on request."""
MOST_LETTERS: Final = 500


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line."""

    n: int
    prev: str
    sha256: str
    text: str
    fields: dict[str, Any]
    """As it says; anything may be in it."""

    def word(self, name: str) -> str:
        """A field of the line, or of its arguments, as people may be shown it; empty where it has none."""
        args = self.fields.get("args")
        value = self.fields.get(name, args.get(name) if isinstance(args, dict) else None)
        return printable(str(value))[:MOST_LETTERS] if isinstance(value, str | int | float) else ""

    @property
    def who(self) -> str:
        """Officer, or else who gave the order."""
        return self.word("officer") or self.word("issuer")

    @property
    def action(self) -> tuple[str, str]:
        """What is the same in all lines of one action."""
        return self.word("verb"), self.word("id") or str(self.n)


class AuditFault(StrEnum):
    """What is wrong with a log."""

    MISSING = "missing"
    """The line is not there, and later ones are."""
    REWRITTEN = "rewritten"
    """It is not what it was."""
    ANEW = "anew"
    """The log began again at 1: another card, or somebody deleted the first."""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One fault, and the lines that it is about."""

    fault: AuditFault
    first: int
    last: int


def entry(text: str) -> AuditEntry:
    """A line, as it stands in the file.

    Raises:
        WireError: it is none.
    """
    try:
        fields = json.loads(text)
        n, prev = _number(fields["n"]), str(fields["prev"])
        return AuditEntry(n, prev, sha256(text.encode()).hexdigest(), text, dict(fields))
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise WireError(
            f"no line of an audit log: {text[:80]!r}", "it was written by something else"
        ) from error


def _number(value: object) -> int:
    """That of a line, as a box counts; JSON of a stranger may hold true, 1e9 and Infinity there."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST:
        raise ValueError(value)
    return value


def check(entries: Sequence[AuditEntry], acks: Iterable[tuple[int, str]] = ()) -> list[AuditFinding]:
    """What is wrong with the lines of one box, in the order in which they came; again is no fault.

    `acks` are number and hash of lines as the box told them with its answers. What is newer than all lines may
    be on its way.
    """
    lines: dict[str, AuditEntry] = {}
    followed: dict[str, str] = {}
    """prev -> the first line that came after it."""
    by_number: dict[int, set[str]] = {}
    numbers: list[int] = []
    """Of by_number, sorted: a box may send its lines in any order, and as many holes as lines."""
    found: list[AuditFinding] = []
    for line in entries:
        if line.sha256 in lines:
            continue
        found += _against(line, lines, followed, by_number, numbers)
        lines[line.sha256] = line
        followed.setdefault(line.prev, line.sha256)
        if line.n not in by_number:
            by_number[line.n] = set()
            insort(numbers, line.n)
        by_number[line.n].add(line.sha256)
    oldest, newest = (numbers[0], numbers[-1]) if numbers else (0, 0)
    for n, digest in acks:
        if n in by_number and digest not in by_number[n]:
            found.append(AuditFinding(AuditFault.REWRITTEN, n, n))
        elif oldest <= n < newest and n not in by_number:
            found.append(AuditFinding(AuditFault.MISSING, n, n))
    return sorted(set(found), key=lambda each: (each.first, each.last, each.fault))


def _against(
    line: AuditEntry,
    lines: dict[str, AuditEntry],
    followed: dict[str, str],
    by_number: dict[int, set[str]],
    numbers: list[int],
) -> list[AuditFinding]:
    """What a new line says against those before it."""
    if not lines:
        return []  # where the log of before has gone by its age, a station begins in the middle
    if line.n == 1 and line.prev == FIRST:
        return [AuditFinding(AuditFault.ANEW, 1, 1)]
    if line.prev in followed:
        return [AuditFinding(AuditFault.REWRITTEN, line.n, line.n)]
    if line.prev in lines:
        return []
    if line.n - 1 in by_number:
        return [AuditFinding(AuditFault.REWRITTEN, line.n - 1, line.n - 1)]
    at = bisect_left(numbers, line.n)
    return [AuditFinding(AuditFault.MISSING, numbers[at - 1] + 1 if at else 1, line.n - 1)]
