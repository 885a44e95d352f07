"""station.access.audit_proof"""

from __future__ import annotations

from dataclasses import replace

import pytest

from station.access.audit_entry import FIRST, AuditVerb, ConsoleEntry, LogEnd, entry_of
from station.access.audit_proof import BreakKind, LogBreak, break_at, broken_line
from tests.support.people import LAN


def chain(count: int) -> list[ConsoleEntry]:
    found: list[ConsoleEntry] = []
    end = LogEnd(0, FIRST)
    for number in range(count):
        found.append(entry_of(end, number, LAN, AuditVerb.LOOK_UP, f"box-{number}", {}))
        end = LogEnd(found[-1].id, found[-1].sha256)
    return found


def end_of(entry: ConsoleEntry) -> LogEnd:
    return LogEnd(entry.id, entry.sha256)


def test_what_follows_is_right() -> None:
    first, second = chain(2)

    assert break_at(LogEnd(0, FIRST), first) is None
    assert break_at(end_of(first), second) is None


def test_what_is_missing_altered_or_elsewhere_is_named() -> None:
    one, two, three, four = chain(4)
    forged = entry_of(end_of(one), 9, LAN, AuditVerb.LOOK_UP, "another", {})

    assert break_at(end_of(one), four) == LogBreak(BreakKind.MISSING, 2, 3)
    assert break_at(end_of(one), replace(two, subject="x")) == LogBreak(BreakKind.ALTERED, 2, 2)
    assert break_at(end_of(one), replace(three, id=2)) == LogBreak(BreakKind.ALTERED, 2, 2)
    assert break_at(end_of(forged), three) == LogBreak(BreakKind.ALTERED, 2, 2)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (LogBreak(BreakKind.ALTERED, 3, 3), "not what it was: entry 3"),
        (LogBreak(BreakKind.MISSING, 3, 5), "missing: entry 3-5"),
        (LogBreak(BreakKind.CUT_OFF, 8, 9), "cut off at the end: entry 8-9"),
        (LogBreak(BreakKind.NO_HEAD, 9, 9), "console.head is missing or damaged"),
    ],
)
def test_a_break_is_told_in_a_line(found: LogBreak, words: str) -> None:
    assert broken_line(found).startswith(f"audit log of the console: {words}")
