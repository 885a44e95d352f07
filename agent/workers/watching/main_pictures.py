"""Pictures of events out of the main stream: asked for when there is an event to tell, and waited for a little.

The stream that is watched is small; the one that is recorded shows the same road users in many more pixels. An
event whose picture could be better in the main stream waits for it, `WAIT_S` at most, and all that the camera
tells meanwhile waits behind it, in order. What comes too late, or is not the same picture (main_shot.py), is
not missed: the event goes out with the picture that it has.

Between events one more is asked for: a picture that became better since the event was last told, once it has
settled, so that the end of an event needs no packets of long ago.

Invariants
1. Nothing waits longer than `WAIT_S` and the camera's next turn; nothing is left behind when there is none.
2. What is told goes out in the order in which it came.
3. One still is made at a time. Who asks meanwhile keeps the picture that is there.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import structlog

from agent.cameras.stills import Still, Stills
from agent.clock import Clock
from agent.core.tracking import main_shot
from agent.core.types import Box, Count, Event, Shot, Size

log = structlog.get_logger(__name__)

WAIT_S: Final = 0.7
"""With the camera's next turn, half a second later at most, an event is still told within two seconds."""
SPARE_S: Final = 0.1
"""So much earlier the still is to be there, to be looked at."""
REACH_S: Final = 6.0
"""What is older is not asked for: its packets have gone, or will have."""
SETTLED_S: Final = 1.5
"""A picture that no better one took the place of for so long is asked for before its event is told."""
WIDE_S: Final = 0.35
"""So far around a moment pictures are looked at until it is known by how much the two streams differ."""
NARROW_S: Final = 0.15
"""The same afterwards: half a period of a stream of five pictures a second, and what the network varies by."""
KNOWN_FROM: Final = 3
FORGET_AFTER: Final = 3
"""Misses in a row after which it is learned anew by how much they differ."""
LATE: Final = 3
REST_S: Final = 60.0
"""A board that is too slow, or a stream of too few key pictures, is left alone for a while after so many."""
KEPT: Final = 8
TRIED: Final = 64

Report = Event | Count
Key = tuple[float, Box | None]


@dataclass(frozen=True, slots=True)
class AskedStill:
    """A still that is on its way."""

    number: int
    shot: Shot
    view: Size | None
    """Size of the picture that is watched."""


class MainPictures:
    """Those of one camera; used in its thread only."""

    def __init__(self, camera: str, stills: Stills, clock: Clock, most_px: int, alone: bool = False) -> None:
        """`most_px`: the longer side that the picture of an event may have; `alone`: see `main_shot.best`."""
        self._alone = alone
        self.taken = self.refused = 0
        """Pictures that were had from the main stream since the start, and those that were not."""
        self._camera, self._stills, self._clock, self._most_px = camera, stills, clock, most_px
        self._held: list[Report] = []
        self._due_s = 0.0
        self._waits_for: int | None = None
        self._asked: AskedStill | None = None
        self._made: OrderedDict[Key, Shot] = OrderedDict()
        self._tried: OrderedDict[Key, None] = OrderedDict()
        self._differ: deque[float] = deque(maxlen=9)
        """By how much later than what is watched the same came in the main stream, in seconds."""
        self._misses = 0
        self._other_shape = False
        self._late = 0
        """Answers in a row without a picture."""
        self._rests_until_s = float("-inf")

    def passed(self, reports: Iterable[Report]) -> Sequence[Report]:
        """What is to be told now, of these and of what waits; to be called at each turn, with nothing too."""
        self._hear()
        over = self._waits_for is None or self._clock.now().mono_s >= self._due_s
        due = self._rest() if over else []
        for report in reports:
            if isinstance(report, Event) and self._waits_for is None:
                self._wait_for(report)
            if self._waits_for is None:
                due.append(self._shown(report))
            else:
                self._held.append(report)
        return due

    def last(self, reports: Iterable[Report]) -> Sequence[Report]:
        """All that waits and these, with the pictures that there are: nobody waits any more."""
        self._hear()
        return [*self._rest(), *map(self._shown, reports)]

    def prepare(self, shots: Iterable[tuple[Shot, Size | None]]) -> None:
        """Ask for one of these that has settled, if nothing else is asked for; they are told some time."""
        now_s = self._clock.now().mono_s
        for shot, view in shots:
            if now_s - shot.at.mono_s >= SETTLED_S and self._ask(shot, view) is not None:
                return

    def _rest(self) -> list[Report]:
        held, self._held, self._waits_for = self._held, [], None
        return [self._shown(each) for each in held]

    def _wait_for(self, event: Event) -> None:
        shot = event.thumbnail
        if shot is None:
            return
        if self._asked is not None and _key(self._asked.shot) == _key(shot):
            number: int | None = self._asked.number
        else:
            number = self._ask(shot, event.frame)
        if number is not None:
            self._waits_for, self._due_s = number, self._clock.now().mono_s + WAIT_S

    def _ask(self, shot: Shot, view: Size | None) -> int | None:
        now_s, key = self._clock.now().mono_s, _key(shot)
        if self._asked is not None or key in self._tried or self._other_shape or now_s < self._rests_until_s:
            return None
        age_s = now_s - shot.at.mono_s
        if not (main_shot.gains(shot, self._most_px) and 0 <= age_s <= REACH_S):
            return None
        assert shot.part is not None
        known = len(self._differ) >= KNOWN_FROM
        around_s = NARROW_S if known else WIDE_S
        at_s = shot.at.mono_s + (median(self._differ) if known else 0.0)
        between = at_s - around_s, at_s + around_s
        number = self._stills.ask(between, now_s + WAIT_S - SPARE_S, shot.part, self._most_px)
        if number is None:
            return None
        self._asked = AskedStill(number, shot, view)
        self._tried[key] = None
        while len(self._tried) > TRIED:
            self._tried.popitem(last=False)
        return number

    def _hear(self) -> None:
        """Take the answer if it has come."""
        answer, asked = self._stills.answer(), self._asked
        if answer is None or asked is None or answer.number != asked.number:
            return
        self._asked = None
        self._heed_lateness(answer.still is None)
        if self._waits_for == answer.number:
            self._waits_for = None
        if answer.still is not None and self._tried_with(asked, answer.still):
            self.taken, self._misses = self.taken + 1, 0
            return
        self.refused, self._misses = self.refused + 1, self._misses + 1
        if self._misses >= FORGET_AFTER:
            self._differ.clear()

    def _heed_lateness(self, late: bool) -> None:
        self._late = self._late + 1 if late else 0
        if self._late >= LATE:
            self._late, self._rests_until_s = 0, self._clock.now().mono_s + REST_S

    def _tried_with(self, asked: AskedStill, still: Still) -> bool:
        try:
            return self._took(asked, still)
        except Exception:  # a picture made by an enemy must not silence the camera
            log.exception("main_picture_failed", camera=self._camera)
            return False

    def _took(self, asked: AskedStill, still: Still) -> bool:
        if asked.view is not None and not main_shot.same_shape(asked.view, still.size):
            self._other_shape = True
            log.warning(
                "main_stream_of_another_shape",
                camera=self._camera,
                watched=f"{asked.view.width_px}x{asked.view.height_px}",
                main=f"{still.size.width_px}x{still.size.height_px}",
            )
            return False
        found = main_shot.best(asked.shot, still.frames, still.part, self._most_px, self._alone)
        if found is None:
            return False
        shot, place = found
        self._differ.append(still.frames[place].at.mono_s - asked.shot.at.mono_s)
        self._made[_key(asked.shot)] = shot
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        return True

    def _shown(self, report: Report) -> Report:
        if not isinstance(report, Event) or report.thumbnail is None:
            return report
        better = self._made.get(_key(report.thumbnail))
        return report if better is None else replace(report, thumbnail=better)


def _key(shot: Shot) -> Key:
    return shot.at.mono_s, shot.part
