"""A colour that is asked for, and road users of which none is known: under lamps at night most have none.

Among the colours of a look-up `unknown` is a word of its own: it fits who can have such a colour and of whom
none was told. Who asks for red alone is told how many of these there are, for the red one may be among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, and_, or_

from agent.wire.payloads import UNKNOWN_COLOUR
from station.lookup.wanted import EventFilter, EventSearch
from station.store.events import LONGEST_WORD

FIELDS: Final = ("vehicle_colours", "clothes_colours")
_TWO_WHEELS: Final = ("motorcycle", "bicycle")
_VEHICLES: Final = ("car", "bus", "truck", *_TWO_WHEELS)
Asked = TypeVar("Asked", EventSearch, EventFilter)


def has_colour(columns: Any, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    """Whether an event has one of these colours, by its columns; `name` is vehicle_colour or clothes_colour."""
    column = getattr(columns, name)
    is_one: ColumnElement[bool] = column.in_([value[:LONGEST_WORD] for value in values])
    if UNKNOWN_COLOUR not in values:
        return is_one
    can = columns.label.in_(_VEHICLES)
    if name == "clothes_colour":  # a two-wheeler without riders wears nothing
        can = or_(columns.label == "person", and_(columns.label.in_(_TWO_WHEELS), columns.riders > 0))
    return or_(is_one, and_(column.is_(None), can))


def with_unknown(wanted: Asked) -> Asked:
    """The same, and those whose colour is not known."""
    return replace(wanted, **_widened(wanted))


def unknown_besides(wanted: Asked) -> list[Asked]:
    """What `with_unknown` finds more, as look-ups that share no event; none where no colour is asked for."""
    every = with_unknown(wanted)
    found: list[Asked] = []
    before: dict[str, Any] = {}
    for field in _lacking(wanted):
        found.append(replace(every, **{**before, field: (UNKNOWN_COLOUR,)}))
        before[field] = getattr(wanted, field)
    return found


def _widened(wanted: EventSearch | EventFilter) -> dict[str, Any]:
    return {name: (*getattr(wanted, name), UNKNOWN_COLOUR) for name in _lacking(wanted)}


def _lacking(wanted: EventSearch | EventFilter) -> list[str]:
    asked = {name: getattr(wanted, name) for name in FIELDS}
    return [name for name, values in asked.items() if values and UNKNOWN_COLOUR not in values]
