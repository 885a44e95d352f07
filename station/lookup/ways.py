"""By which index a look-up goes: each that could serve is asked how far it reaches in so many rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from agent.core.types import Severity
from station.lookup.places import BoxPlace
from station.lookup.scan import EventPlace, Order, Stretch, place_after
from station.lookup.wanted import EventSearch
from station.store.events import LONGEST_WORD
from station.store.schema import event, event_is_alert, event_is_crowded, event_is_late

MOST_STRETCHES: Final = 48
"""More heads of one index than that are not worth reading side by side."""
PROBE_ROWS: Final = 2_000
CROWDED: Final = 3

Head = tuple[ColumnElement[bool], ...]
Way = list[Head]
"""Heads of one index that together hold all that is wanted, none of it twice."""


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
    pairs = [(box_id, camera) for device, _, camera in named for box_id in ids.get(device, ())]
    boxes = [box_id for device in wanted.boxes for box_id in ids.get(device, ())]
    return KnownCameras(tuple(dict.fromkeys(pairs)), tuple(dict.fromkeys(boxes)))


def best_way(
    connection: Connection,
    wanted: EventSearch,
    cameras: KnownCameras,
    window: tuple[int, int],
    after: EventPlace | None,
) -> Way:
    """The way on which what is wanted lies closest together.

    Of each, so many rows are passed from where the look-up begins: one that ends before is as short as any need
    be; else the one that gets farthest back (or on) leaves out most of what is not wanted.
    """
    order = Order(newest_first=wanted.newest_first)
    best: Way = [()]
    best_ms: int | None = None
    for way in [best, *_ways(connection, wanted, cameras)]:
        rows = max(1, PROBE_ROWS // max(1, len(way)))
        probes = (place_after(connection, Stretch(head, *window), order, after, rows) for head in way)
        reached = [place[0] for place in probes if place is not None]
        if not reached:
            return way
        reach_ms = max(reached) if wanted.newest_first else -min(reached)
        if best_ms is None or reach_ms < best_ms:
            best, best_ms = way, reach_ms
    return best


def _ways(connection: Connection, wanted: EventSearch, cameras: KnownCameras) -> Iterator[Way]:
    """Those of the indexes, beside that of all events, that could serve; the likely shortest first."""
    if wanted.rules:
        yield [(event.c.rule_id == _cut(each),) for each in wanted.rules]
    if wanted.labels and not wanted.kinds:
        yield [(event.c.label == _cut(each),) for each in wanted.labels]
    if cameras.pairs is not None:
        pairs = _pairs(connection, cameras)
        if pairs is not None:
            yield [(event.c.box_id == box_id, event.c.camera == camera) for box_id, camera in pairs]
    if wanted.kinds:
        kinds = _kinds(connection, wanted)
        if kinds is not None:
            yield kinds
    if wanted.severities == (str(Severity.ALERT),):
        yield [(event_is_alert,)]
    if wanted.directions:
        yield [(event.c.direction == _cut(each),) for each in wanted.directions]
    if wanted.late_only:
        yield [(event_is_late,)]
    if wanted.riders is not None and wanted.riders >= CROWDED:
        yield [(event_is_crowded,)]


def _pairs(connection: Connection, cameras: KnownCameras) -> Sequence[tuple[int, str]] | None:
    """Each camera that is asked for; None: there are too many."""
    pairs = dict.fromkeys(cameras.pairs or ())
    for box_id in cameras.box_ids or ():
        head = (event.c.box_id == box_id,)
        names = _distinct(connection, event.c.camera, head, MOST_STRETCHES - len(pairs))
        if names is None:
            return None
        pairs |= dict.fromkeys((box_id, name) for name in names)
    return list(pairs) if len(pairs) <= MOST_STRETCHES else None


def _kinds(connection: Connection, wanted: EventSearch) -> Way | None:
    way: Way = []
    for kind in wanted.kinds:
        head = (event.c.kind == kind,)
        labels: Sequence[str] | None = [_cut(each) for each in wanted.labels]
        if not labels:
            labels = _distinct(connection, event.c.label, head, MOST_STRETCHES - len(way))
            if labels is None:
                return None
            way.append((*head, event.c.label.is_(None)))
        way += [(*head, event.c.label == label) for label in labels]
    return way if len(way) <= MOST_STRETCHES else None


def _distinct(connection: Connection, column: Any, head: Head, most: int) -> list[str] | None:
    """The different values of the second column of an index, one step each; None: there are more."""
    found: list[str] = []
    above: Head = ()
    while len(found) <= most:
        value = connection.scalar(select(func.min(column)).where(*head, *above))
        if value is None:
            return found
        found.append(value)
        above = (column > value,)
    return None


def _cut(word: str) -> str:
    """As it stands in a column that is indexed."""
    return word[:LONGEST_WORD]
