"""By which index a look-up goes: each that could serve is asked how far it reaches in so many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from agent.core.types import Severity
from agent.wire.payloads import UNKNOWN_COLOUR
from station.lookup.places import BoxPlace
from station.lookup.walk.scan import EventPlace, ScanOrder, Stretch, place_after
from station.lookup.wanted import EventSearch
from station.store.events import LONGEST_WORD
from station.store.schema import (
    ZONES_LONGEST,
    camera,
    event,
    event_has_detail,
    event_is_alert,
    event_is_crowded,
    event_is_late,
    event_zones_head,
)

MOST_STRETCHES: Final = 48
"""More heads of one index than that are not worth reading side by side."""
MOST_VALUES: Final = 160
"""Nor is it worth while to look through more different values of a column."""
PROBE_ROWS: Final = 2_000
CROWDED: Final = 3

_CAMERAS = frozenset({"cameras", "boxes"})
_ALERTS = frozenset({"severities"})

Head = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class SearchWay:
    """Heads of indexes that together hold all that is wanted."""

    heads: tuple[Head, ...]
    overlaps: bool = False
    """Some of it is held more than once."""
    fulfils: frozenset[str] = frozenset()
    """Fields of the search to which all that they hold answers: of these nobody need ask again."""

    def is_within(self, other: SearchWay) -> bool:
        """Whether it surely holds nothing that the other does not, in no more heads: then it is no longer."""
        holds_less = other is ALL or frozenset() < other.fulfils <= self.fulfils
        return holds_less and len(self.heads) <= len(other.heads)


ALL: Final = SearchWay(((),))


@dataclass(frozen=True, slots=True)
class KnownCameras:
    """Cameras that are asked for: ids of their boxes, and names; None: of all."""

    pairs: tuple[tuple[int, str], ...] | None
    box_ids: tuple[int, ...] | None
    """Whole boxes, beside the pairs."""

    @property
    def is_none(self) -> bool:
        """Somebody asks for what is not there."""
        return self.pairs == () and self.box_ids == ()


def known_cameras(wanted: EventSearch, places: Mapping[int, BoxPlace]) -> KnownCameras:
    """The cameras and boxes of a search by their ids."""
    if not wanted.cameras and not wanted.boxes:
        return KnownCameras(None, None)
    ids: dict[str, list[int]] = {}
    for place in places.values():
        ids.setdefault(place.device, []).append(place.id)
    named = [each.rpartition("/") for each in wanted.cameras]
    pairs = [(box_id, name) for device, _, name in named for box_id in ids.get(device, ())]
    boxes = [box_id for device in wanted.boxes for box_id in ids.get(device, ())]
    return KnownCameras(tuple(dict.fromkeys(pairs)), tuple(dict.fromkeys(boxes)))


def placed_by(word: str, places: Mapping[int, BoxPlace]) -> KnownCameras:
    """Cameras and boxes whose names for people have a word."""
    low = word.casefold()
    pairs = [
        (place.id, each.name)
        for place in places.values()
        for each in place.cameras
        if low in each.title.casefold()
    ]
    boxes = [place.id for place in places.values() if low in f"{place.title}\n{place.device}".casefold()]
    return KnownCameras(tuple(pairs), tuple(boxes))


def best_way(
    connection: Connection,
    wanted: EventSearch,
    cameras: KnownCameras,
    places: Mapping[int, BoxPlace],
    window: tuple[int, int],
    after: EventPlace | None,
) -> SearchWay:
    """The way on which what is wanted lies closest together.

    Of each, so many rows are passed from where the look-up begins: one that ends before is as short as any need
    be; else the one that gets farthest back (or on) leaves out most of what is not wanted. Of two of which one
    lies within the other nobody need ask.
    """
    order = ScanOrder(newest_first=wanted.newest_first)
    best, best_ms, is_asked = ALL, None, False
    for way in _Ways(connection, wanted, cameras, places):
        if best.is_within(way):
            continue
        if way.is_within(best):
            best, is_asked = way, False
            continue
        if not is_asked:
            best_ms, is_asked = _reach(connection, best, order, window, after), True
        if best_ms is None:
            return best
        reach_ms = _reach(connection, way, order, window, after)
        if reach_ms is None:
            return way
        if reach_ms <= best_ms:
            best, best_ms = way, reach_ms
    return best


def _reach(
    connection: Connection, way: SearchWay, order: ScanOrder, window: tuple[int, int], after: EventPlace | None
) -> int | None:
    """How far so many rows get, less being farther; None: to the end."""
    rows = max(1, PROBE_ROWS // max(1, len(way.heads)))
    probes = (place_after(connection, Stretch(head, *window), order, after, rows) for head in way.heads)
    reached = [place[0] for place in probes if place is not None]
    if not reached:
        return None
    return max(reached) if order.newest_first else -min(reached)


class _Ways:
    """Those that could serve, beside that of all events; the likely shortest first."""

    def __init__(
        self,
        connection: Connection,
        wanted: EventSearch,
        cameras: KnownCameras,
        places: Mapping[int, BoxPlace],
    ) -> None:
        self._connection, self._wanted, self._cameras, self._places = connection, wanted, cameras, places

    def __iter__(self) -> Iterator[SearchWay]:
        wanted = self._wanted
        at = None if self._cameras.pairs is None else _at(self._all_cameras(self._cameras))
        if wanted.severities == (str(Severity.ALERT),):
            yield from _alerts(at)
        if wanted.rules:
            yield _each(event.c.rule_id, wanted.rules, "rules")
        if wanted.labels and not wanted.kinds:
            yield _each(event.c.label, wanted.labels, "labels")
        if wanted.vehicle_colours and UNKNOWN_COLOUR not in wanted.vehicle_colours:
            yield _each(event.c.vehicle_colour, wanted.vehicle_colours, "vehicle_colours")
        if wanted.clothes_colours and UNKNOWN_COLOUR not in wanted.clothes_colours:
            yield _each(event.c.clothes_colour, wanted.clothes_colours, "clothes_colours")
        if wanted.directions:
            yield _each(event.c.direction, wanted.directions, "directions")
        if wanted.late_only:
            yield SearchWay(((event_is_late,),), fulfils=frozenset({"late_only"}))
        if wanted.riders is not None and wanted.riders >= CROWDED:
            yield SearchWay(((event_is_crowded,),))
        if wanted.kinds:
            yield from self._kinds()
        yield from _few(at, fulfils=_CAMERAS)
        if wanted.zones:
            yield from _few(self._zones(wanted.zones))
        for word in wanted.words:
            yield from _few(self._word(word), overlaps=True)

    def _kinds(self) -> Iterator[SearchWay]:
        heads: list[Head] = []
        for kind in self._wanted.kinds:
            head = (event.c.kind == kind,)
            labels: Sequence[str] | None = [_cut(each) for each in self._wanted.labels]
            if not labels:
                labels = self._distinct(event.c.label, head, MOST_STRETCHES)
                if labels is None:
                    return
                heads.append((*head, event.c.label.is_(None)))
            heads += [(*head, event.c.label == label) for label in labels]
        yield from _few(heads, fulfils=frozenset({"kinds", "labels"}))

    def _all_cameras(self, cameras: KnownCameras) -> list[tuple[int, str]]:
        """Each camera that is asked for, and each that ever was at a box that is."""
        pairs = dict.fromkeys(cameras.pairs or ())
        for box_id in cameras.box_ids or ():
            names = self._distinct(event.c.camera, (event.c.box_id == box_id,), MOST_STRETCHES)
            pairs |= dict.fromkeys((box_id, name) for name in names or ())
            if names is None or len(pairs) > MOST_STRETCHES:  # too many for this way, whatever they are
                return [*pairs, *((box_id, "") for _ in range(MOST_STRETCHES))]
        return list(pairs)

    def _zones(self, zones: Iterable[str]) -> list[Head] | None:
        """Zones stand in the order in which they were entered: each such list has its own head."""
        there = self._distinct(event_zones_head, (event.c.zones.is_not(None),), MOST_VALUES)
        if there is None:
            return None
        marks = [f",{zone}," for zone in zones]
        fitting = [each for each in there if len(each) >= ZONES_LONGEST or any(mark in each for mark in marks)]
        return [(event.c.zones.is_not(None), event_zones_head == each) for each in fitting]

    def _word(self, word: str) -> list[Head] | None:
        low = word.lower()
        rules = self._distinct(event.c.rule_id, (), MOST_VALUES)
        zones = self._distinct(event_zones_head, (event.c.zones.is_not(None),), MOST_VALUES)
        if rules is None or zones is None:
            return None
        has_word = func.lower(camera.c.name).contains(low, autoescape=True)
        named = select(camera.c.box_id, camera.c.name).where(has_word).limit(MOST_STRETCHES)
        by_name = [(row[0], row[1]) for row in self._connection.execute(named)]
        placed = placed_by(word, self._places)
        pairs = dict.fromkeys([*by_name, *self._all_cameras(placed)])
        heads: list[Head] = [(event.c.event_id == word,), (event_has_detail,), *_at(pairs)]
        heads += [(event.c.rule_id == each,) for each in rules if low in each.lower()]
        heads += [
            (event.c.zones.is_not(None), event_zones_head == each)
            for each in zones
            if len(each) >= ZONES_LONGEST or low in each.lower()
        ]
        return heads

    def _distinct(self, column: Any, head: Head, most: int) -> list[str] | None:
        return distinct(self._connection, column, head, most)


def distinct(connection: Connection, column: Any, head: Head, most: int) -> list[str] | None:
    """The different values of a column after a head of an index, one step each; None: there are more."""
    found: list[str] = []
    above: Head = ()
    while len(found) <= most:
        value = connection.scalar(select(func.min(column)).where(*head, *above))
        if value is None:
            return found
        found.append(value)
        above = (column > value,)
    return None


def _few(
    heads: list[Head] | None, *, overlaps: bool = False, fulfils: frozenset[str] = frozenset()
) -> Iterator[SearchWay]:
    if heads is not None and len(heads) <= MOST_STRETCHES:
        yield SearchWay(tuple(heads), overlaps, fulfils)


def _alerts(at: list[Head] | None) -> Iterator[SearchWay]:
    """Those of some cameras, which are within all of them."""
    if at is not None:
        yield from _few([(*head, event_is_alert) for head in at], fulfils=_CAMERAS | _ALERTS)
    yield SearchWay(((event_is_alert,),), fulfils=_ALERTS)


def _each(column: Any, values: Iterable[str], of: str) -> SearchWay:
    cut = dict.fromkeys(_cut(value) for value in values)
    return SearchWay(tuple((column == value,) for value in cut), fulfils=frozenset({of}))


def _at(pairs: Iterable[tuple[int, str]]) -> list[Head]:
    return [(event.c.box_id == box_id, event.c.camera == name) for box_id, name in pairs]


def _cut(word: str) -> str:
    """As it stands in a column that is indexed."""
    return word[:LONGEST_WORD]
