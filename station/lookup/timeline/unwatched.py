"""Which boxes and cameras that are asked for did not watch all of a time, for a look-up to say it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import timedelta
from heapq import nlargest
from math import inf
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from station.lookup.places import BoxPlace, read_places
from station.lookup.timeline.outages import BRIEF_MS, Outage, brief_outages, lasting_outages, outages
from station.lookup.wanted import EventSearch
from station.store.columns import ms
from station.store.database import in_words

LONGEST: Final = timedelta(days=400)
MOST: Final = 1_000
"""A box whose cameras come and go all the time fills no answer without end."""


def unwatched(
    engine: Engine, wanted: EventSearch, now_ms: int, *, only_lasting: bool = False
) -> tuple[Outage, ...]:
    """Outages of what is asked for, by when they began, without those that are brief.

    An outage of a camera within one of its own box is left out: the box's says it. With `only_lasting` those
    that last still, which is all that the province knows. Of more than MOST the longest; of more than LONGEST
    nobody should ask.

    Raises:
        StoreError: the store cannot be read.
    """
    since_ms, until_ms = ms(wanted.since), min(ms(wanted.until), now_ms)
    if until_ms <= since_ms:
        return ()
    try:
        with engine.connect() as connection, connection.begin():
            places = read_places(connection)
            if only_lasting:
                found = lasting_outages(connection, places, since_ms, until_ms)
            else:
                found = outages(connection, places, since_ms, until_ms, _boxes(wanted, places))
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    asked = [each for each in found if _is_asked(each, wanted, places)]
    brief = brief_outages(asked)
    lasting = [each for each in asked if each not in brief]
    away = _BoxesAway(lasting)
    kept = [each for each in lasting if not away.has(each)]
    longest = nlargest(MOST, kept, key=lambda each: each.within_ms(since_ms, until_ms))
    return tuple(sorted(longest, key=lambda each: (each.start_ms, each.box, each.camera)))


def _boxes(wanted: EventSearch, places: Mapping[int, BoxPlace]) -> tuple[int, ...] | None:
    """Those that are asked for; None: all."""
    named = {*wanted.boxes, *(each.rpartition("/")[0] for each in wanted.cameras)}
    return tuple(place.id for place in places.values() if place.device in named) if named else None


def _is_asked(outage: Outage, wanted: EventSearch, places: Mapping[int, BoxPlace]) -> bool:
    """A box's is that of each of its cameras."""
    box_id, camera = outage.whose
    place = places.get(box_id)
    if place is None:
        return False
    if not (wanted.boxes or wanted.cameras) or place.device in wanted.boxes:
        return True
    of_box = [each for each in wanted.cameras if each.rpartition("/")[0] == place.device]
    return f"{place.device}/{camera}" in of_box if camera else bool(of_box)


class _BoxesAway:
    """When boxes were not connected or switched off; what joins is one stretch."""

    def __init__(self, found: Sequence[Outage]) -> None:
        self._spans: dict[int, list[tuple[float, float]]] = {}
        whole = (each for each in found if not each.camera and each.state in ("offline", "stopped"))
        for each in sorted(whole, key=lambda it: it.start_ms):
            spans = self._spans.setdefault(each.whose[0], [])
            begun, ended = float(each.start_ms - BRIEF_MS), _end(each) + BRIEF_MS
            if spans and begun <= spans[-1][1]:
                begun, ended = spans[-1][0], max(spans.pop()[1], ended)
            spans.append((begun, ended))

    def has(self, outage: Outage) -> bool:
        """It is a camera's and lies within: those of a box that is switched off end a moment before it."""
        spans = self._spans.get(outage.whose[0], [])
        at = bisect_right(spans, (outage.start_ms, inf))
        return bool(outage.camera) and at > 0 and _end(outage) <= spans[at - 1][1]


def _end(outage: Outage) -> float:
    return inf if outage.end_ms is None else outage.end_ms
