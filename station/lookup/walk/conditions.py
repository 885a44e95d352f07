"""What each event of a look-up must fulfil, in the words of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_

from agent.core.types import Phase
from station.lookup.cards import NEW
from station.lookup.colour_asked import has_colour
from station.lookup.places import BoxPlace
from station.lookup.walk.scan import Conditions
from station.lookup.walk.ways import KnownCameras, placed_by
from station.lookup.wanted import EventSearch
from station.store.columns import ms
from station.store.events import LONGEST_WORD
from station.store.schema import LATE_MS, review


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
        ("direction", wanted.directions),
        ("rule_id", wanted.rules),
        ("severity", wanted.severities),
    ):
        if values:
            yield getattr(columns, name).in_([value[:LONGEST_WORD] for value in values])
    for name, colours in (
        ("vehicle_colour", wanted.vehicle_colours),
        ("clothes_colour", wanted.clothes_colours),
    ):
        if colours:
            yield has_colour(columns, name, colours)
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
