"""One search at work: which ways it takes, in what order, until a page is full or the time is up."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, Final

from sqlalchemy import Connection, select, tuple_

from station.lookup.cards import NEW, read_cards
from station.lookup.found import EventCount, EventPage, cursor_at
from station.lookup.places import read_places
from station.lookup.walk.conditions import conditions
from station.lookup.walk.scan import FIRST_MS, Budget, EventPlace, Met, Scan, ScanOrder, Stretch
from station.lookup.walk.ways import PROBE_ROWS, KnownCameras, SearchWay, best_way, known_cameras
from station.lookup.wanted import EventSearch
from station.store.columns import ms
from station.store.schema import event, event_is_lasting, review

_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000
_KEYS_AT_ONCE = 200
_NOTHING: Final[dict[str, Any]] = {each.name: each.default for each in fields(EventSearch)}
_NARROW = 2
"""Of more heads each would be walked through as far as all of them need be together."""


class SearchWalk:
    """One search at work in one transaction, within a time."""

    def __init__(self, connection: Connection, wanted: EventSearch, budget: Budget) -> None:
        self._connection, self._wanted = connection, wanted
        self._order = ScanOrder(newest_first=wanted.newest_first)
        self._places = read_places(connection)
        self._cameras = known_cameras(wanted, self._places)
        self._budget = budget
        self._scan = self._scanning(wanted, self._cameras)
        self._since_ms, self._until_ms = ms(wanted.since), ms(wanted.until)
        self._lately_ms = min(self._since_ms - _HOUR_MS, self._until_ms)
        self._few = None if self._cameras.is_none else self._reviewed()
        self._way: SearchWay | None = None

    def _scanning(self, wanted: EventSearch, cameras: KnownCameras) -> Scan:
        where = conditions(wanted, cameras, self._places)
        return Scan(self._connection, self._order, where, self._budget)

    def _scanning_on(self, way: SearchWay) -> Scan:
        """For what lies on a way: with what the way leaves open."""
        nothing = {name: _NOTHING[name] for name in way.fulfils if name in _NOTHING}
        every = KnownCameras(None, None)
        return self._scanning(
            replace(self._wanted, **nothing), every if "cameras" in way.fulfils else self._cameras
        )

    @property
    def is_narrow(self) -> bool:
        """Whether a page and the number are found in one walk: there are few stretches to walk through."""
        if self._cameras.is_none or self._few is not None:
            return True
        return len(self._best(None).heads) <= _NARROW

    def page(self, after: EventPlace | None, limit: int) -> EventPage:
        """So many of what is found beyond a place."""
        return self._paged(*self._gathered(after, limit + 1), limit)

    def page_and_number(self, limit: int, most: int) -> tuple[EventPage, EventCount]:
        """The first page, and how many there are, up to `most`, in one walk."""
        met, cut = self._gathered(None, most + 1)
        count = EventCount(min(len(met), most), is_all=cut is None and len(met) <= most)
        return self._paged(met, cut, limit), count

    def _gathered(self, after: EventPlace | None, most: int) -> tuple[list[EventPlace], EventPlace | None]:
        """So many places beyond one; and where the time was up, if it was before that."""
        met: list[EventPlace] = []
        for each in self._met(after, most):
            if each.is_end:
                return met, each.place
            if not met or each.place != met[-1]:
                met.append(each.place)
            if len(met) >= most:
                break
        return met, None

    def _paged(self, met: list[EventPlace], cut: EventPlace | None, limit: int) -> EventPage:
        keys = [(box_id, event_id) for _, box_id, event_id in met[:limit]]
        cards = read_cards(self._connection, keys, self._places)
        if len(met) > limit:
            return EventPage(tuple(cards), cursor_at(met[limit - 1]))
        return EventPage(tuple(cards), cut and cursor_at(cut), cut and cut[0])

    def number(self, most: int) -> EventCount:
        """How many, up to `most`."""
        if self._few is not None or self._cameras.is_none or self._best(None).overlaps:
            return self._number_met(most)
        number, is_all = 0, True
        for scan, beside in self._stretches(None):
            for stretch in beside:
                some, is_cut = scan.number(stretch, None, most + 1 - number)
                number, is_all = number + some, is_all and not is_cut
                if number > most:
                    return EventCount(most, is_all=False)
        return EventCount(number, is_all)

    def _number_met(self, most: int) -> EventCount:
        places: set[EventPlace] = set()
        for each in self._met(None, most + 1):
            if each.is_end:
                return EventCount(len(places), is_all=False)
            places.add(each.place)
            if len(places) > most:
                return EventCount(most, is_all=False)
        return EventCount(len(places), is_all=True)

    def _met(self, after: EventPlace | None, most: int) -> Iterator[Met]:
        """What is found beyond a place, in order; where ways overlap the same may stand twice."""
        if self._cameras.is_none:
            return iter(())
        if self._few is not None:
            return (Met(place) for place in self._few if after is None or self._order.passes(after, place))
        return itertools.chain.from_iterable(
            heapq.merge(
                *(scan.met(stretch, after, most) for stretch in beside),
                key=lambda it: it.place,
                reverse=self._wanted.newest_first,
            )
            for scan, beside in self._stretches(after)
        )

    def _best(self, after: EventPlace | None) -> SearchWay:
        if self._way is None:
            window = self._lately_ms, self._until_ms
            self._way = best_way(self._connection, self._wanted, self._cameras, self._places, window, after)
        return self._way

    def _stretches(self, after: EventPlace | None) -> list[tuple[Scan, list[Stretch]]]:
        """Those beside one another, and those after one another in the order that is asked for.

        What began more than an hour before is among the few that last; the rest lies on the best way. Of what
        began in the time that is asked for nobody need look when it ended.
        """
        way, since_ms = self._best(after), max(self._lately_ms, min(self._since_ms, self._until_ms))
        on = self._scanning_on(way)
        if len(way.heads) > _NARROW:  # twice as many questions would cost more
            parts = [[Stretch(head, self._lately_ms, self._until_ms) for head in way.heads]]
        else:
            parts = [
                [Stretch(head, self._lately_ms, since_ms, is_short=True) for head in way.heads],
                [Stretch(head, since_ms, self._until_ms, is_likely=True) for head in way.heads],
            ]
        lasting = [Stretch((event_is_lasting,), FIRST_MS, self._lately_ms, is_sparse=True)]
        found = [(self._scan, lasting), *((on, part) for part in parts)]
        return found[::-1] if self._wanted.newest_first else found

    def _reviewed(self) -> list[EventPlace] | None:
        """All that is found, where few events have such a review; None: many have, or the rest is wanted."""
        states = self._wanted.reviews
        if not states or NEW in states:
            return None
        since_ms = self._since_ms - _DAY_MS  # reviews are by the station's clock, and come later
        query = select(review.c.box_id, review.c.event_id).where(review.c.state.in_(states))
        rows = self._connection.execute(
            query.where(review.c.changed_ms >= since_ms).limit(PROBE_ROWS + 1)
        ).all()
        if len(rows) > PROBE_ROWS:
            return None
        keys, found = [(row.box_id, row.event_id) for row in rows], list[EventPlace]()
        for at in range(0, len(keys), _KEYS_AT_ONCE):
            head = (tuple_(event.c.box_id, event.c.event_id).in_(keys[at : at + _KEYS_AT_ONCE]),)
            stretch = Stretch(head, high_ms=self._until_ms)
            query_ = self._scan.matching(stretch, None, _KEYS_AT_ONCE, _KEYS_AT_ONCE)
            found += [(row[0], row[1], row[2]) for row in self._connection.execute(query_)]
        return sorted(found, reverse=self._wanted.newest_first)
