"""What somebody looks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

MOST_VALUES: Final = 40
"""Of one field: no address of a look-up holds more."""


@dataclass(frozen=True, slots=True)
class EventSearch:
    """Which events: those that went on at some moment from `since` until before `until`; empty: whatever.

    Of one field any of the values will do; of several fields each counts.
    """

    since: datetime
    until: datetime
    boxes: tuple[str, ...] = ()
    """Names as in the topic."""
    cameras: tuple[str, ...] = ()
    """BOX/CAMERA; one of `boxes` or of these."""
    kinds: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    riders: int | None = None
    riders_at_least: bool = False
    """`riders` or more."""
    vehicle_colours: tuple[str, ...] = ()
    clothes_colours: tuple[str, ...] = ()
    """Of whoever walks or rides."""
    directions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    """Those that its road user has been in."""
    rules: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    reviews: tuple[str, ...] = ()
    """new, seen, confirmed, false, passed_on."""
    words: tuple[str, ...] = ()
    """Each stands in the names of its box, camera, rule or zones, in its detail, or is its id."""
    late_only: bool = False
    """What came late, or was replayed."""
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: those that went on at some moment from `since` until before `until`; empty: whatever."""

    since: datetime
    until: datetime
    boxes: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    """A camera's name, of whatever box, or BOX/CAMERA."""
    kinds: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    vehicle_colours: tuple[str, ...] = ()
    clothes_colours: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
