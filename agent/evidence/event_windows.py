"""Which moments are recorded where only events are: from before one begins to after it ends. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from agent.core.types import Event, Phase
from agent.evidence.fragment import Fragment
from agent.evidence.settings import RecordSettings

MAX_WAITING_BYTES: Final = 16 << 20
"""Of footage that waits in memory for an event."""
PIECE_BYTES: Final = 2048
"""What a piece takes beside its data: of nothing but tiny ones millions would wait."""
LATE_S: Final = 10.0
"""A fragment waits so much longer than the pre-roll: it comes complete, and an event when it is judged."""


@dataclass(frozen=True, slots=True)
class EventWindows:
    """What is wanted, in seconds of the steady clock."""

    open: tuple[tuple[str, float], ...] = ()
    """Events that go on, and when each began."""
    over: tuple[tuple[float, float], ...] = ()
    """Ranges around those that have ended."""

    def wanted(self, from_s: float, to_s: float, settings: RecordSettings) -> bool:
        """Whether something of this range is recorded."""
        goes_on = any(
            to_s >= began_s - settings.pre_roll_s and from_s <= began_s + settings.max_event_s
            for _, began_s in self.open
        )
        return goes_on or any(to_s >= first_s and from_s <= last_s for first_s, last_s in self.over)


def update(windows: EventWindows, events: Iterable[Event], settings: RecordSettings) -> EventWindows:
    """Fold in what was told of events."""
    for event in events:
        began = dict(windows.open).get(event.id, event.at.mono_s)
        others = tuple(each for each in windows.open if each[0] != event.id)
        if event.phase is Phase.END:
            windows = EventWindows(others, windows.over + _around(began, event.at.mono_s, settings))
        else:
            windows = replace(windows, open=(*others, (event.id, began)))
    return windows


def forget(windows: EventWindows, before_s: float) -> EventWindows:
    """Without the ranges that ended before this moment."""
    return replace(windows, over=tuple(each for each in windows.over if each[1] >= before_s))


def _around(began_s: float, ended_s: float, settings: RecordSettings) -> tuple[tuple[float, float], ...]:
    first = began_s - settings.pre_roll_s, min(ended_s, began_s + settings.max_event_s) + settings.post_roll_s
    last = ended_s - settings.pre_roll_s, ended_s + settings.post_roll_s
    return (first, last) if last[0] > first[1] else ((first[0], max(first[1], last[1])),)


class PreRoll:
    """Fragments that nobody wants yet, in memory: as old as the pre-roll asks for, and never many bytes."""

    def __init__(self, seconds: float, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._seconds, self._most = seconds + LATE_S, max_bytes
        self._waiting: deque[Fragment] = deque()
        self.bytes = 0

    def add(self, fragment: Fragment) -> None:
        """One more; the oldest go."""
        self._waiting.append(fragment)
        self.bytes += _size(fragment)
        while self._waiting and (
            self.bytes > self._most or self._waiting[0].end.mono_s < fragment.end.mono_s - self._seconds
        ):
            self.bytes -= _size(self._waiting.popleft())

    def taken(self, windows: EventWindows, settings: RecordSettings) -> Iterator[Fragment]:
        """Take out those that are wanted, with all since the key picture before; those before them go."""
        waiting = list(self._waiting)
        first = next(
            (
                at
                for at, each in enumerate(waiting)
                if windows.wanted(each.start.mono_s, each.end.mono_s, settings)
            ),
            None,
        )
        if first is None:
            return
        last = first
        while first > 0 and not waiting[first].key:
            first -= 1
        while last < len(waiting) and (
            not waiting[last].key
            or windows.wanted(waiting[last].start.mono_s, waiting[last].end.mono_s, settings)
        ):
            last += 1
        self._waiting = deque(waiting[last:])
        self.bytes = sum(map(_size, self._waiting))
        yield from waiting[first:last]

    def clear(self) -> None:
        """None waits any more."""
        self._waiting.clear()
        self.bytes = 0


def _size(fragment: Fragment) -> int:
    return len(fragment.data) + PIECE_BYTES
