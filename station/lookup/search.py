"""Looks events up: a page of cards, how many there are, all of them for an export.

Each page is a transaction of its own, and so much work and no more: `scan.py` has the invariants.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, false, func, or_, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from agent.core.types import Phase
from agent.errors import NgatuError
from agent.translatable import tr
from station.lookup.cards import NEW, EventCard, read_cards
from station.lookup.places import BoxPlace, read_places
from station.lookup.scan import (
    FIRST_MS,
    Budget,
    Conditions,
    EventPlace,
    Met,
    Scan,
    ScanOrder,
    Stretch,
    go_by_index,
)
from station.lookup.wanted import EventSearch
from station.lookup.ways import PROBE_ROWS, KnownCameras, SearchWay, best_way, known_cameras, placed_by
from station.store.columns import ms
from station.store.database import in_words
from station.store.events import LONGEST_WORD
from station.store.schema import LATE_MS, event, event_is_lasting, review

PAGE: Final = 60
BUDGET_S: Final = 0.15
MOST_COUNTED: Final = 1_000
_EXPORT_PAGE = 500
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000
_KEYS_AT_ONCE = 200
_NOTHING: Final[dict[str, Any]] = {each.name: each.default for each in fields(EventSearch)}
_NARROW = 2
"""Of more heads each would be walked through as far as all of them need be together."""


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


def found_page(
    engine: Engine, wanted: EventSearch, after: str | None = None, limit: int = PAGE, budget_s: float = BUDGET_S
) -> EventPage:
    """A page of what is looked for; `after` is the `next` of the page before.

    Raises:
        NgatuError: `after` is none of ours.
        StoreError: the store cannot be read.
    """
    place = None if after is None else _place_of(after)
    with _reading(engine) as connection:
        return _ScanLook(connection, wanted, Budget(budget_s)).page(place, limit)


def looked_up(
    engine: Engine, wanted: EventSearch, after: str | None = None, limit: int = PAGE, budget_s: float = BUDGET_S
) -> tuple[EventPage, EventCount]:
    """A page as `found_page` gives it, and how many there are, up to MOST_COUNTED, as far as time allows.

    Raises:
        NgatuError: `after` is none of ours.
        StoreError: the store cannot be read.
    """
    place = None if after is None else _place_of(after)
    with _reading(engine) as connection:
        look = _ScanLook(connection, wanted, Budget(budget_s))
        if place is None and look.is_narrow:
            return look.page_and_number(limit, MOST_COUNTED)
        page = look.page(place, limit)
        if place is None and (page.next is None or page.looked_to_ms is not None):
            return page, EventCount(len(page.cards), page.next is None)
        return page, look.number(MOST_COUNTED)


def counted(
    engine: Engine, wanted: EventSearch, most: int = MOST_COUNTED, budget_s: float = BUDGET_S
) -> EventCount:
    """How many there are, up to `most`, as far as the time allows.

    Raises:
        StoreError: the store cannot be read.
    """
    with _reading(engine) as connection:
        return _ScanLook(connection, wanted, Budget(budget_s)).number(most)


def found_all(engine: Engine, wanted: EventSearch, page: int = _EXPORT_PAGE) -> Iterator[EventCard]:
    """All of them, a page at a time: a reader who pauses holds up nobody.

    Raises:
        StoreError: the store cannot be read.
    """
    after: str | None = None
    while True:
        found = found_page(engine, wanted, after, page)
        yield from found.cards
        after = found.next
        if after is None:
            return


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection, connection.begin():
            go_by_index(connection)
            yield connection
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error


class _ScanLook:
    """One search at work in one transaction."""

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
            return EventPage(tuple(cards), _cursor(met[limit - 1]))
        return EventPage(tuple(cards), cut and _cursor(cut), cut and cut[0])

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
                [Stretch(head, self._lately_ms, since_ms) for head in way.heads],
                [Stretch(head, since_ms, self._until_ms, is_likely=True) for head in way.heads],
            ]
        lasting = [Stretch((event_is_lasting,), FIRST_MS, self._lately_ms)]
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


def conditions(wanted: EventSearch, cameras: KnownCameras, places: Mapping[int, BoxPlace]) -> Conditions:
    """From the columns of a chunk to what each event must fulfil."""
    since_ms = ms(wanted.since)
    heard = [place.id for place in places.values() if place.last_seen_ms >= since_ms]

    def of(columns: Any, low_ms: int) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if low_ms < since_ms:
            # What has no end went on for as long as its box was heard.
            is_open = (columns.phase != str(Phase.END)) & columns.box_id.in_(heard)
            found.append(or_(columns.began_ms >= since_ms, columns.latest_ms >= since_ms, is_open))
        found += _plain(columns, wanted)
        if cameras.pairs is not None:
            found.append(_at(columns, cameras.pairs, cameras.box_ids or ()))
        if wanted.reviews:
            found.append(_is_reviewed(columns, wanted.reviews))
        found += [_says(columns, word, places) for word in wanted.words]
        return found

    return of


def _plain(columns: Any, wanted: EventSearch) -> Iterator[ColumnElement[bool]]:
    for name, values in (
        ("kind", wanted.kinds),
        ("label", wanted.labels),
        ("vehicle_colour", wanted.vehicle_colours),
        ("clothes_colour", wanted.clothes_colours),
        ("direction", wanted.directions),
        ("rule_id", wanted.rules),
        ("severity", wanted.severities),
    ):
        if values:
            yield getattr(columns, name).in_([value[:LONGEST_WORD] for value in values])
    if wanted.riders is not None:
        yield columns.riders >= wanted.riders if wanted.riders_at_least else columns.riders == wanted.riders
    if wanted.zones:
        yield or_(*(columns.zones.contains(f",{zone},", autoescape=True) for zone in wanted.zones))
    if wanted.late_only:
        yield or_(columns.first_received_ms - columns.began_ms > LATE_MS, columns.replayed)


def _at(columns: Any, pairs: tuple[tuple[int, str], ...], box_ids: tuple[int, ...]) -> ColumnElement[bool]:
    of: dict[int, list[str]] = {}
    for box_id, camera in pairs:
        of.setdefault(box_id, []).append(camera)
    each = [and_(columns.box_id == box_id, columns.camera.in_(names)) for box_id, names in of.items()]
    return or_(false(), columns.box_id.in_(box_ids), *each) if box_ids else or_(false(), *each)


def _is_reviewed(columns: Any, states: tuple[str, ...]) -> ColumnElement[bool]:
    of_it = (review.c.box_id == columns.box_id) & (review.c.event_id == columns.event_id)
    found: list[ColumnElement[bool]] = [exists().where(of_it, review.c.state.in_(states))]
    if NEW in states:
        found.append(~exists().where(of_it, review.c.state != NEW))
    return or_(*found)


def _says(columns: Any, word: str, places: Mapping[int, BoxPlace]) -> ColumnElement[bool]:
    """Whether an event has a word in its texts, or is at a place whose name has it."""
    texts = (columns.camera, columns.rule_id, columns.zones, columns.detail)
    found = [func.lower(text).contains(word.lower(), autoescape=True) for text in texts]
    placed = placed_by(word, places)
    return or_(columns.event_id == word, *found, _at(columns, placed.pairs or (), placed.box_ids or ()))


def _cursor(place: EventPlace) -> str:
    return f"{place[0]}~{place[1]}~{place[2]}"


def _place_of(cursor: str) -> EventPlace:
    try:
        began_ms, box_id, event_id = cursor.split("~", 2)
        place = int(began_ms), int(box_id), event_id
    except ValueError:
        place = None
    if place is None or abs(place[0]) > 2**53 or not 0 <= place[1] < 2**31 or "\0" in event_id:
        raise NgatuError(tr("this page of the look-up cannot be found"), tr("look it up anew"))
    return place
