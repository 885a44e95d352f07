"""What the agent sees in one frame, as plain values for a page that draws them over the picture."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from agent.core.pipeline import Outcome
from agent.core.types import Box, Event, Frame, Phase, Track

DIGITS = 4
"""Of a fraction: a tenth of a pixel of a wide frame."""
PATH = 40
"""Places of a track that are shown behind it."""
EVENTS = 12


@dataclass
class SceneWriter:
    """Follows one camera; remembers the paths and the numbers of those that live, and the latest events."""

    numbers: dict[str, int] = field(default_factory=dict)
    """Track id -> a short number for people."""
    numbered: int = 0
    paths: dict[str, deque[tuple[float, float]]] = field(default_factory=dict)
    events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=EVENTS))

    def write(self, frame: Frame, outcome: Outcome) -> dict[str, Any]:
        """Boxes are [left, top, right, bottom] and points [x, y], in fractions of the frame."""
        living = [track for track in outcome.tracks if not track.ended]
        tracks = [self._track(each) for each in living if not each.is_guess(frame.at)]
        ids = {each.id for each in living}
        self.paths = {name: path for name, path in self.paths.items() if name in ids}
        self.numbers = {name: number for name, number in self.numbers.items() if name in ids}
        for event in outcome.reports:
            if isinstance(event, Event) and event.phase is Phase.START:
                self.events.appendleft(event_values(event))
        return {
            "size": [frame.size.width_px, frame.size.height_px],
            "at_s": frame.at.wall_s,
            "sees": None if outcome.view.fault is None else outcome.view.fault.value,
            "settling": outcome.motion.settling,
            "motion": [corners(each) for each in outcome.motion.regions],
            "crops": [{"box": corners(each.box), "why": each.reason.value} for each in outcome.crops],
            "tracks": tracks,
            "events": list(self.events),
        }

    def _track(self, track: Track) -> dict[str, Any]:
        if track.id not in self.numbers:
            self.numbered += 1
            self.numbers[track.id] = self.numbered
        path = self.paths.setdefault(track.id, deque(maxlen=PATH))
        path.append(track.box.foot)
        return {
            "number": self.numbers[track.id],
            "label": track.label,
            "score": round(track.score, 2),
            "box": corners(track.box),
            "path": [[round(x, DIGITS), round(y, DIGITS)] for x, y in path],
            "sure": track.confirmed and not track.static_false_positive,
            "seen": track.seen,
            "stands": track.stationary,
            "riders": track.riders,
        }


def corners(box: Box) -> list[float]:
    """Left, top, right, bottom."""
    return [round(each, DIGITS) for each in (box.left, box.top, box.right, box.bottom)]


def event_values(event: Event) -> dict[str, Any]:
    """What a list of events shows of one."""
    return {
        "at_s": event.at.wall_s,
        "kind": event.kind.value,
        "rule": event.rule_id,
        "severity": event.severity.value,
        "label": event.object.label if event.object else None,
        "direction": event.direction,
    }
