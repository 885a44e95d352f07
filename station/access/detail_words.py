"""The details of entries of the console's audit log, as people read them.

A page that notes a detail under a new name gives the name its words here; a test holds that it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from agent.printable import printable
from agent.translatable import tr
from station.access.audit_entry import VERBS, ConsoleEntry
from station.access.roles import ROLES

NAMES: Final[Mapping[str, str]] = {
    "action": tr("action"),
    "answer": tr("answer"),
    "backup": tr("backup"),
    "box": tr("box"),
    "browser": tr("browser"),
    "by": tr("by"),
    "camera": tr("camera"),
    "case": tr("case number"),
    "count": tr("how many"),
    "cut": tr("cut short"),
    "deed": tr("deed"),
    "disabled": tr("disabled"),
    "entries_lost": tr("entries lost"),
    "everywhere": tr("logged out everywhere"),
    "format": tr("format"),
    "kind": tr("kind of event"),
    "label": tr("label"),
    "language": tr("language"),
    "locked_until_ms": tr("must wait until"),
    "made_ms": tr("made"),
    "name": tr("name"),
    "note": tr("note"),
    "plan": tr("plan"),
    "purpose": tr("purpose"),
    "reason": tr("reason"),
    "role": tr("role"),
    "rule": tr("rule"),
    "sha256": tr("hash"),
    "since": tr("from"),
    "since_ms": tr("from"),
    "state": tr("state"),
    "to": tr("handed to"),
    "until": tr("until"),
    "until_ms": tr("until"),
    "what": tr("of what"),
    "who": tr("of whom"),
    "why": tr("why"),
    "words": tr("words"),
}
_WORDS: Final[Mapping[str, str]] = {
    **ROLES,
    "wrong": tr("wrong name or password"),
    "reset": tr("given by an administrator"),
    "own": tr("by themselves"),
    "vi": "Tiếng Việt",
    "en": "English",
    **VERBS,
}
"""Of the details in _NAMED."""
_NAMED: Final = ("why", "by", "role", "language", "deed")


def detail_words(entry: ConsoleEntry, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """Name and value of each detail that says something; `moment` shows milliseconds since 1970."""
    for name, value in entry.details.items():
        if value not in (None, "", [], {}):
            yield NAMES.get(name, printable(name)), _value(name, value, moment)


def _value(name: str, value: Any, moment: Callable[[int], str]) -> str:
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, int) and name.endswith("_ms"):
        try:
            return moment(value)
        except (ValueError, OverflowError, OSError):  # altered: there is no such year
            return str(value)
    if isinstance(value, str) and name in ("since", "until"):
        with suppress(ValueError, OverflowError, OSError):
            return moment(round(datetime.fromisoformat(value).timestamp() * 1000))
    if isinstance(value, dict):
        value = [f"{key}: {each}" for key, each in value.items()]
    if isinstance(value, list):
        return ", ".join(printable(str(each)) for each in value)
    return _WORDS.get(str(value), printable(str(value))) if name in _NAMED else printable(str(value))
