"""Two replays of one clip: which events of one are those of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

NEAR_S = 0.5
"""So far apart two events may begin and be taken for one: as `python -m benchmarks backends` has it."""

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SameEvents:
    """How many."""

    there: int
    """Messages."""
    here: int
    exact: int
    """Messages alike in all that was seen and when."""
    near: int
    """Events of the same rule, kind and label, and begun at most NEAR_S apart."""
    events: int
    """Of the side that has more of them."""

    @property
    def all_exact(self) -> bool:
        """Whether each message of one is one of the other."""
        return self.exact == self.there == self.here > 0

    @property
    def all_near(self) -> bool:
        """Whether each event of one is one of the other."""
        return self.near == self.events > 0


def compared(there: Sequence[Told], here: Sequence[Told]) -> SameEvents:
    """Each message, and each event, is matched with one of the other side at most."""
    left = [*map(core, here)]
    exact = 0
    for each in map(core, there):
        if each in left:
            left.remove(each)
            exact += 1
    begins = [[each for each in side if each["revision"] == 1] for side in (there, here)]
    return SameEvents(len(there), len(here), exact, _near(*begins), max(map(len, begins)))


def core(event: Told) -> dict[str, Any]:
    """What was seen when: without numbers that hang on the last bit of a float."""
    keys = ("revision", "kind", "phase", "time", "start_time", "rule", "camera")
    return {key: event[key] for key in keys} | {"label": _label(event)}


def _near(there: Sequence[Told], here: Sequence[Told]) -> int:
    left, found = list(here), 0
    for one in there:
        alike = [each for each in left if _what(each) == _what(one) and _apart_s(each, one) <= NEAR_S]
        if alike:
            left.remove(min(alike, key=lambda each: _apart_s(each, one)))
            found += 1
    return found


def _what(event: Told) -> tuple[Any, ...]:
    return event["rule"], event["kind"], _label(event)


def _label(event: Told) -> str:
    return (event.get("object") or {}).get("label", "")


def _apart_s(one: Told, other: Told) -> float:
    times = [datetime.fromisoformat(each["start_time"]) for each in (one, other)]
    return abs((times[0] - times[1]).total_seconds())
