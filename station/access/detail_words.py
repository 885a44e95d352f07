"""The details of entries of the console's audit log, as people read them. Pure.

A page that notes a detail under a new name gives the name its words here; a test holds that it has. Words of
values that only another room knows come with the page that shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from agent.printable import printable
from agent.translatable import joined, tr
from agent.wire.payloads import UNKNOWN_COLOUR
from agent.wire.words import COLOURS, DIRECTIONS, KINDS, LABELS, SEVERITIES, named
from station.access.audit_entry import VERBS, ConsoleEntry
from station.access.roles import ROLES
from station.retention.settings import CLASSES

NAMES: Final[Mapping[str, str]] = {
    "about": tr("words"),
    "action": tr("action"),
    "after": tr("later page"),
    "answer": tr("answer"),
    "asked": tr("asked for"),
    "at": tr("shown in"),
    "backup": tr("backup"),
    "box": tr("box"),
    "boxes": tr("boxes"),
    "browser": tr("browser"),
    "by": tr("by"),
    "camera": tr("camera"),
    "cameras": tr("cameras"),
    "cause": tr("because"),
    "clothes_colours": tr("colour of the clothes"),
    "case": tr("case number"),
    "change": tr("step"),
    "commune": tr("commune"),
    "communes": tr("communes"),
    "count": tr("how many"),
    "bytes": tr("bytes"),
    "class": tr("class"),
    "cut": tr("cut short"),
    "deletion": tr("deletion"),
    "messages": tr("messages"),
    "days": tr("days"),
    "deed": tr("deed"),
    "directions": tr("directions"),
    "did": tr("deed"),
    "disabled": tr("disabled"),
    "done": tr("done"),
    "entries_lost": tr("entries lost"),
    "everywhere": tr("logged out everywhere"),
    "first": tr("first day"),
    "form": tr("format"),
    "found": tr("found"),
    "format": tr("format"),
    "kind": tr("kind of event"),
    "kinds": tr("kinds of events"),
    "label": tr("label"),
    "labels": tr("labels"),
    "language": tr("language"),
    "last": tr("last day"),
    "late_only": tr("late ones only"),
    "legal_basis": tr("legal basis"),
    "line": tr("line"),
    "locked_until_ms": tr("must wait until"),
    "made_ms": tr("made"),
    "name": tr("name"),
    "newest_first": tr("newest first"),
    "note": tr("note"),
    "order": tr("order"),
    "picture": tr("picture"),
    "places": tr("places"),
    "plan": tr("plan"),
    "purpose": tr("purpose"),
    "reason": tr("reason"),
    "request": tr("request"),
    "reviews": tr("reviews"),
    "riders": tr("riders"),
    "right_label": tr("what it is"),
    "riders_at_least": tr("at least so many riders"),
    "role": tr("role"),
    "rule": tr("rule"),
    "rules": tr("rules"),
    "seconds": tr("seconds"),
    "severities": tr("severities"),
    "sha256": tr("hash"),
    "since": tr("from"),
    "since_ms": tr("from"),
    "state": tr("state"),
    "step": tr("step"),
    "to": tr("handed to"),
    "until": tr("until"),
    "until_ms": tr("until"),
    "vehicle_colours": tr("colour of the vehicle"),
    "what": tr("of what"),
    "who": tr("of whom"),
    "why": tr("why"),
    "words": tr("words"),
    "zones": tr("zones"),
}
_COLOURS: Final = {**COLOURS, UNKNOWN_COLOUR: tr("not known")}
"""Of a look-up: it may ask for those of whom none was told."""
_OF: Final[Mapping[str, Mapping[str, str]]] = {
    "at": {"review": tr("the queue of alerts")},
    "by": {"reset": tr("given by an administrator"), "own": tr("by themselves")},
    "class": CLASSES,
    "clothes_colours": _COLOURS,
    "deed": VERBS,
    "did": VERBS,
    "directions": DIRECTIONS,
    "done": {
        "made": tr("made"),
        "changed": tr("changed"),
        "removed": tr("removed"),
        "arranged": tr("boxes placed anew"),
    },
    "kind": KINDS,
    "kinds": KINDS,
    "label": LABELS,
    "labels": LABELS,
    "language": {"vi": "Tiếng Việt", "en": "English"},
    "role": ROLES,
    "severities": SEVERITIES,
    "vehicle_colours": _COLOURS,
    "why": {"wrong": tr("wrong name or password"), "disabled": tr("disabled")},
}
"""Of some details also the values have words."""
_UNSAID: Final = ("change", "deletion", "newest_first", "plan")
"""Numbers and orders that say nothing to people; the export has them."""
_PROGRAMS: Final = (
    ("coc_coc_browser", "Cốc Cốc"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""The first that is found: most call themselves by the names of older ones, too."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def detail_words(
    entry: ConsoleEntry, moment: Callable[[int], str], of: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[tuple[str, str]]:
    """Name and value of each detail that says something.

    `moment` shows milliseconds since 1970; `of` has words for values of more details.
    """
    words = {**_OF, **(of or {})}
    for name, value in entry.details.items():
        if value not in (None, "", [], {}) and name not in _UNSAID:
            yield NAMES.get(name, printable(name)), _value(name, value, moment, words.get(name, {}))


def browser_words(said: str) -> str:
    """Such as "Firefox on Windows", by its User-Agent; what is not known is told so."""
    program = next((name for mark, name in _PROGRAMS if mark in said), None)
    system = next((name for mark, name in _SYSTEMS if mark in said), None)
    if program and system:
        return tr("{program} on {system}", program=program, system=system)
    return program or system or tr("an unknown browser")


def _value(name: str, value: Any, moment: Callable[[int], str], words: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, dict):
        value = [f"{key}: {each}" for key, each in value.items()]
    if isinstance(value, list):
        return joined(", ", (named(words, each) for each in value))
    if name == "browser":
        return browser_words(str(value))
    at_ms = _at_ms(name, value)
    with suppress(ValueError, OverflowError, OSError):  # altered: there is no such year
        if at_ms is not None:
            return moment(at_ms)
    return named(words, value)


def _at_ms(name: str, value: Any) -> int | None:
    if name in ("since", "until"):
        with suppress(ValueError, OverflowError):
            return round(datetime.fromisoformat(str(value)).timestamp() * 1000)
    return value if name.endswith("_ms") and isinstance(value, int) else None
