"""Lines of an audit log as a person reads them, at the box and at the station."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from agent.translatable import tr
from agent.wire.audit_log import VIEWS, AuditEntry
from agent.wire.words import ANSWERS, named

COLUMNS: Final = (tr("TIME"), tr("WHO"), tr("WHAT"), tr("CAMERA"), tr("PURPOSE"), tr("BECAME"))
STATES: Final[Mapping[str, str]] = {
    **ANSWERS,
    "begun": tr("begun"),
    "repeated": tr("asked again"),
    "pause_over": tr("the pause is over"),
}


def last_lines(entries: Iterable[AuditEntry], every: bool = False) -> list[AuditEntry]:
    """Of each action the last line, in the order in which they ended; without `every` only of views."""
    last: dict[tuple[str, str], AuditEntry] = {}
    for each in entries:
        verb, _ = each.action
        if (every or verb in VIEWS) and each.word("state") != "repeated":
            last.pop(each.action, None)
            last[each.action] = each
    return list(last.values())


def cells(entry: AuditEntry) -> tuple[str, ...]:
    """A row of COLUMNS."""
    became = named(STATES, entry.word("state"))
    detail = entry.word("detail")
    return (
        _local(entry.word("time")),
        entry.who,
        entry.word("verb") or _of_itself(entry),
        entry.word("camera"),
        entry.word("purpose"),
        tr("{became}: {detail}", became=became, detail=detail) if detail else became,
    )


def _of_itself(entry: AuditEntry) -> str:
    """What the box did without an order: footage that it deleted, frames for training."""
    topic = "samples" if entry.word("samples") else "footage"
    return f"{topic} {entry.word(topic)}"


def _local(time: str) -> str:
    try:
        return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError):
        return time
