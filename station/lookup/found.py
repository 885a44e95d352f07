"""What a look-up gives: a page of cards, how many there are, and the place behind a page, as text."""

from __future__ import annotations

from dataclasses import dataclass

from agent.errors import NgatuError
from agent.translatable import tr
from station.lookup.cards import EventCard
from station.lookup.walk.scan import EventPlace


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some of the events that were looked for, in the order that was asked for."""

    cards: tuple[EventCard, ...]
    next: str | None
    """Goes on behind this page; None: there is nothing more."""
    looked_to_ms: int | None = None
    """Only events that began on this side of that moment were looked at: the time was up. `next` goes on."""


@dataclass(frozen=True, slots=True)
class EventCount:
    """How many events there are."""

    number: int
    is_all: bool
    """False: at least so many."""


def cursor_at(place: EventPlace) -> str:
    """The place as text that goes into an address: when it began, its box, its id."""
    return f"{place[0]}~{place[1]}~{place[2]}"


def place_of(cursor: str) -> EventPlace:
    """The place of such a text.

    Raises:
        NgatuError: it is none of ours.
    """
    try:
        began_ms, box_id, event_id = cursor.split("~", 2)
        place = int(began_ms), int(box_id), event_id
    except ValueError:
        place = None
    if place is None or abs(place[0]) > 2**53 or not 0 <= place[1] < 2**31 or "\0" in event_id:
        raise NgatuError(tr("this page of the look-up cannot be found"), tr("look it up anew"))
    return place
