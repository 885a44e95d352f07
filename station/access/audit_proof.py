"""What is wrong with the console's audit log, and where: each entry held against the one before. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.translatable import tr
from station.access.audit_entry import HEAD, ConsoleEntry, LogEnd, digest


class BreakKind(StrEnum):
    """What is wrong at a place of the log."""

    ALTERED = "altered"
    MISSING = "missing"
    CUT_OFF = "cut_off"
    NO_HEAD = "no_head"


@dataclass(frozen=True, slots=True)
class LogBreak:
    """The first place at which the log is not what it was."""

    kind: BreakKind
    first: int
    """Number of the entry."""
    last: int

    @property
    def words(self) -> str:
        """What is wrong, for people."""
        lines = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        match self.kind:
            case BreakKind.ALTERED:
                return tr("not what it was: entry {lines}", lines=lines)
            case BreakKind.MISSING:
                return tr("missing: entry {lines}", lines=lines)
            case BreakKind.CUT_OFF:
                return tr("cut off at the end: entry {lines}", lines=lines)
            case BreakKind.NO_HEAD:
                return tr("{file} is missing or damaged: whether the end is whole cannot be said", file=HEAD)


@dataclass(frozen=True, slots=True)
class LogVerdict:
    """What `verify` found."""

    entries: int
    broken: LogBreak | None


def break_at(end: LogEnd, entry: ConsoleEntry) -> LogBreak | None:
    """What is wrong with an entry that is found behind this end; None: it follows."""
    if entry.id != end.id + 1:
        return LogBreak(BreakKind.MISSING, end.id + 1, entry.id - 1)
    if digest(entry) != entry.sha256:
        return LogBreak(BreakKind.ALTERED, entry.id, entry.id)
    if entry.previous_sha256 != end.sha256:  # the one before was written anew, its hash included
        return LogBreak(BreakKind.ALTERED, max(1, end.id), max(1, end.id))
    return None


def broken_line(found: LogBreak) -> str:
    """What is wrong, in a line of its own."""
    return tr("audit log of the console: {what}", what=found.words)
