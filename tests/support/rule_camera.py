"""One camera's rules without the stages before them: tracks and motion in, and all that was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from agent.core.ids import Ids
from agent.core.rules import engine
from agent.core.rules.engine import RuleInput, RulesState
from agent.core.rules.rule import BaseRule
from agent.core.rules.settings import RuleSettings
from agent.core.rules.zones import Zone
from agent.core.types import (
    Box,
    Count,
    EndReason,
    Event,
    EventKind,
    Instant,
    Motion,
    Phase,
    Shot,
    Size,
    Track,
)

FRAME = Size(1280, 720)
STILL = Motion((), 0.0)
SQUARE = Zone(id="square", polygon=((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7)))
START_S = 1_772_000_000.0


def instant(second: float) -> Instant:
    return Instant(second, START_S + second)


@dataclass
class RuleCamera:
    """Feeds frames to the rules and keeps what they told."""

    settings: RuleSettings
    second: float = 0.0
    state: RulesState | None = None
    ids: Ids = field(default_factory=lambda: Ids(b"0123456789abcdef"))
    messages: list[Event | Count] = field(default_factory=list)

    def see(
        self,
        *tracks: Track,
        motion: Motion = STILL,
        shots: dict[str, Shot] | None = None,
        looked: tuple[Box, ...] = (),
        step_s: float = 0.1,
    ) -> tuple[Event | Count, ...]:
        given = RuleInput(instant(self.second), FRAME, motion, tracks, shots or {}, looked)
        self.state, self.ids, messages = engine.update(self.state, given, self.ids, self.settings)
        self.messages += messages
        self.second = round(self.second + step_s, 3)
        return messages

    def close(self, reason: EndReason = EndReason.CAMERA_LOST) -> tuple[Event | Count, ...]:
        self.state, messages = engine.close(self.state, instant(self.second), reason, self.settings)
        self.messages += messages
        return messages

    def track(self, x: float, y: float, name: str = "one", **more: object) -> Track:
        """A car-sized box with its foot at (x, y), seen now."""
        at = instant(self.second)
        box = Box(x - 0.03, y - 0.08, x + 0.03, y)
        track = Track(name, "car", 0.8, 0.9, box, (0.0, 0.0), at, at, seen=True, confirmed=True)
        return replace(track, **more)

    @property
    def events(self) -> list[Event]:
        return [each for each in self.messages if isinstance(each, Event)]

    def story(self, kind: EventKind | None = None) -> list[str]:
        """What was told, in short: kind, phase, and why it ended."""
        return [
            f"{e.kind.value} {e.phase.value}" + (f" {e.end_reason.value}" if e.end_reason else "")
            for e in self.events
            if kind in (None, e.kind)
        ]


def rule_settings(*rules: BaseRule, zones: Iterable[Zone] = (SQUARE,), **more: float) -> RuleSettings:
    return RuleSettings(zones=tuple(zones), rules=rules, **more)


def starts(camera: RuleCamera, kind: EventKind) -> list[str]:
    """The road users of whom something was told, in order."""
    return [
        e.object.track_id
        for e in camera.events
        if e.kind is kind and e.phase is Phase.START and e.object is not None
    ]


def check_lives(events: Iterable[Event]) -> None:
    """Each event starts once, its revisions go 1, 2, 3, …, and nothing comes after its end."""
    last: dict[str, Event] = {}
    for event in events:
        before = last.get(event.id)
        assert event.revision == (before.revision + 1 if before else 1)
        assert (event.phase is Phase.START) == (before is None)
        assert before is None or before.phase is not Phase.END
        assert (event.end_reason is not None) == (event.phase is Phase.END)
        last[event.id] = event


def drive(camera: RuleCamera, ys: Iterable[float], name: str = "one", **more: object) -> None:
    for y in ys:
        camera.see(camera.track(0.5, y, name, **more))
