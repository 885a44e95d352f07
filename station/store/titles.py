"""What boxes call themselves, and which of them cannot be told apart by it.

A box says where it hangs, and a stolen one says what it likes: an alert that reads like another box's sends a
patrol to the wrong junction. So wherever a title is shown, who is called like another, or in letters that only
look like ours, is shown with its device.

Invariants
1. An alarm stands for each box that has another's title, as long as it has it: whoever shows a title goes by
   that alarm, so both say the same.
2. Titles are the same where nobody tells them apart at a glance: case, accents, spaces, marks and letters of
   other scripts that look alike count for nothing. It may call too many the same; that costs an id on a tile.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, select

from agent.printable import printable
from agent.settings.base import LONGEST_PLACE, LONGEST_TITLE
from station.ingest.alarms import AlarmKind
from station.store.alarms import LogLine, close_alarm, raise_alarm
from station.store.schema import alarm, box

_LOOKS_LIKE: Final = {
    "a": "\u0410\u0430\u0391\u03b1\u0251",
    "b": "\u0412\u0432\u0392\u03b2",
    "c": "\u0421\u0441\u03f9\u03f2",
    "d": "\u0110\u0111\u00d0\u00f0\u0500\u0501",
    "e": "\u0415\u0435\u0395\u03b5",
    "g": "\u0261",
    "h": "\u041d\u043d\u0397\u04bb\u04ba",
    "j": "\u0408\u0458\u03f3",
    "k": "\u041a\u043a\u039a\u03ba",
    "l": "Ii1|\u0406\u0456\u0399\u03b9\u0131\u0269\u0196\u04c0\u04cf\u0141\u0142",
    "m": "\u041c\u043c\u039c",
    "n": "\u039d\u03b7",
    "o": "0\u041e\u043e\u039f\u03bf\u00d8\u00f8",
    "p": "\u0420\u0440\u03a1\u03c1",
    "q": "\u051a\u051b",
    "s": "\u0405\u0455",
    "t": "\u0422\u0442\u03a4\u03c4",
    "u": "\u03c5\u028b",
    "v": "\u03bd\u0475\u0474",
    "w": "\u03c9\u051c\u051d",
    "x": "\u0425\u0445\u03a7\u03c7",
    "y": "\u0423\u0443\u03a5\u03b3",
    "z": "\u0396",
}
"""Letter -> what looks like it on a screen, in Latin, Cyrillic and Greek; accents are gone before. After the
confusables of Unicode (https://www.unicode.org/reports/tr39/), as far as somebody has such a keyboard."""
_LATIN: Final = {ord(each): letter for letter, several in _LOOKS_LIKE.items() for each in several}
_BLANK: Final = re.compile(
    "[\\s\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""What shows nothing: spaces, and Unicode's Default_Ignorable_Code_Point."""
_IN_BRACKETS: Final = re.compile(r"\(([^()]+)\)")
_OTHERS: Final = 5
"""So many are named in an alarm."""


def told_title(info: str | None) -> str:
    """Where a box says that it hangs in its birth message, as it is shown; '': it says nothing."""
    return _told(info) if info else ""


@lru_cache(maxsize=1024)
def _told(info: str) -> str:
    try:
        said = json.loads(info)
    except ValueError:
        return ""
    location = said.get("location") if isinstance(said, dict) else None
    title = location.get("description") if isinstance(location, dict) else None
    return seen_title(title, LONGEST_PLACE) if isinstance(title, str) else ""


def seen_title(title: str, most: int = LONGEST_TITLE) -> str:
    """A title as it is shown: in one line, no blank wider than a space, no longer than an honest one."""
    if not (title.isascii() and title.isprintable() and "  " not in title):
        title = _BLANK.sub(" ", printable(title))
    title = title.strip()
    return title if len(title) <= most else f"{title[:most]}…"


@lru_cache(maxsize=4096)
def bare_title(title: str) -> str:
    """What is left of it at a glance (invariant 2)."""
    letters = unicodedata.normalize("NFKD", _BLANK.sub("", title))
    plain = "".join(each for each in letters if each == "|" or unicodedata.category(each)[0] in "LN").translate(
        _LATIN
    )
    return unicodedata.normalize("NFKD", plain.casefold()).translate(_LATIN)


def shown_title(title: str, device: str, *, is_shared: bool) -> str:
    """What people are shown of a box: its title, with its device where that does not tell which box it is.

    At the province always, and first: many communes have a market, and what a station writes behind its own
    name passes for no other one.
    """
    if not title or title == device:
        return device
    if is_of_province(device):
        return f"{device} · {title}"
    bare = bare_title(title)
    return f"{title} ({device})" if is_shared or not (bare.isascii() and bare) else title


def is_of_province(device: str) -> bool:
    """Whether a box is one of several communes, and named with its own before it (station/province/desk.py)."""
    return "." in device


def sharing(connection: Connection) -> frozenset[int]:
    """The boxes that are called like another (invariant 1)."""
    query = select(alarm.c.box_id).where(alarm.c.kind == str(AlarmKind.SAME_TITLE), alarm.c.closed_ms.is_(None))
    return frozenset(connection.scalars(query))


@dataclass(frozen=True, slots=True)
class _Called:
    id: int
    device: str
    title: str

    @property
    def looks(self) -> set[str]:
        """By what it may be taken for a box: also by another's device that it puts in brackets, as we do."""
        inner = {
            bare_title(each) for each in _IN_BRACKETS.findall(unicodedata.normalize("NFKC", self.title))
        } - {bare_title(self.device)}
        return {bare_title(self.title or self.device), *inner} - {""}


def watch_titles(connection: Connection, now_ms: int) -> list[LogLine]:
    """Raise the alarm for each box that is called like another, close it for the others; what to log."""
    rows = connection.execute(select(box.c.id, box.c.device, box.c.info).order_by(box.c.device))
    found = _shared(_Called(row.id, row.device, told_title(row.info)) for row in rows)
    kind = AlarmKind.SAME_TITLE
    query = select(alarm.c.box_id, alarm.c.detail).where(alarm.c.kind == str(kind), alarm.c.closed_ms.is_(None))
    stands = {row.box_id: row.detail for row in connection.execute(query)}
    lines = [close_alarm(connection, kind, each, now_ms) for each in stands if each not in found]
    for box_id, detail in found.items():
        if stands.get(box_id) != detail:
            lines.append(raise_alarm(connection, kind, box_id, now_ms, detail))
    return [line for line in lines if line is not None]


def _shared(boxes: Iterable[_Called]) -> Mapping[int, str]:
    """Box -> who is called like it, in words; of boxes of which one at least has a title."""
    every = tuple(boxes)
    like: dict[str, set[_Called]] = defaultdict(set)
    for each in every:
        for look in {*each.looks, bare_title(each.device)}:
            like[look].add(each)
    others: dict[_Called, set[_Called]] = defaultdict(set)
    for each in every:
        for other in set().union(*(like[look] for look in each.looks)) - {each}:
            if each.title or other.title:
                others[each].add(other)
                others[other].add(each)
    return {each.id: _named(each, others[each]) for each in others}


def _named(one: _Called, others: Iterable[_Called]) -> str:
    devices = sorted(each.device for each in others)
    more = f" and {len(devices) - _OTHERS} more" if len(devices) > _OTHERS else ""
    return (
        f'{one.device} and {", ".join(devices[:_OTHERS])}{more} are called "{(one.title or one.device)[:100]}"'
    )
