"""Throttle: how many of the wanted pictures are looked at, fewer while the box is hot or cannot keep up.

    share   1 ▔▔▔▔▔▔▔╲                                ╱▔▔▔▔▔
          1/2         ╲▁▁▁▁▁▁▁╲               ╱▔▔▔▔▔▔▔╱
          1/4                  ╲▁▁▁▁▁▁▁▁▁▁▁▁▁╱
              hot for hot_after_s  step_s        cool for recover_s, and again

Heat and overload each have a level of their own, and the lower of the two holds.
A level is left one step at a time, and only on a condition that lasts. Between hot and cool, and between late
and at leisure, nothing changes.

To be slow cures what made it slow, and so each way back is a trial: one that must be taken back makes the next
wait twice as long, up to an hour. So a box that is just too hot for its full rate changes it a few times an
afternoon and not every few minutes: a controller with hysteresis, and exponential backoff as of retries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from pydantic import Field, model_validator

from agent.core import debounce
from agent.core.condition_event import BOX_RULE, ConditionEvent
from agent.core.debounce import NEVER, Debounce
from agent.core.ids import Ids
from agent.core.types import Event, EventKind, Instant
from agent.settings.base import Settings
from agent.translatable import tr

SHARES = (1.0, 0.5, 0.25)
"""Of the wanted pictures, by step. Halves, because less would not be felt by a processor that is too hot."""
SOON = 3.0
"""A step back up was too early if it must be taken back within so many times what it had waited."""
LONGEST_WAIT_S = 3600.0
GLITCH_S = 3.0
"""Readings may miss a condition for so long without interrupting it: a sensor jumps, a burst pauses."""


class ThrottleSettings(Settings):
    """When the box looks at fewer pictures to spare itself: a half of them, then a quarter."""

    hot_c: float = Field(80.0, ge=40, le=110, description="Hot from this temperature on, in degrees Celsius.")
    cool_c: float = Field(72.0, ge=30, le=105, description="Cool again below this one.")
    hot_after_s: float = Field(10.0, ge=0, le=600, description="How long it must be hot, in seconds.")
    behind: float = Field(
        0.3, gt=0, le=1, description="Too busy when this share of the due pictures is missed; 1: never mind."
    )
    busy_after_s: float = Field(30.0, ge=0, le=600, description="How long it must be too busy, in seconds.")
    leisure: float = Field(
        0.7,
        gt=0,
        le=1,
        description="Faster again if its threads would then work at most this share of the time.",
    )
    step_s: float = Field(
        60.0, ge=1, le=3600, description="Least time at a half before it becomes a quarter, in seconds."
    )
    recover_s: float = Field(
        120.0, ge=1, le=3600, description="Least time cool and at leisure before a step back, in seconds."
    )
    min_fps: float = Field(2.0, ge=0.2, le=30, description="Pictures a second that are looked at in any case.")

    @model_validator(mode="after")
    def _hot_is_above_cool(self) -> Self:
        if self.cool_c >= self.hot_c:
            raise ValueError(
                tr("cool_c ({cool_c:g}) must be below hot_c ({hot_c:g})", cool_c=self.cool_c, hot_c=self.hot_c)
            )
        return self


@dataclass(frozen=True, slots=True)
class Reading:
    """How the box does at one moment."""

    at: Instant
    temp_c: float | None
    """None: this board cannot tell."""
    capped: bool
    """The firmware slows the processor down, and not for want of power."""
    behind: float
    """Share of the due pictures that were not looked at, lately, 0..1."""
    load: float
    """Share of the time in which the busiest camera's thread worked, lately, 0..1."""


@dataclass(frozen=True, slots=True)
class Level:
    """One reason to be slow: how far down, and what speaks for a change."""

    step: int = 0
    worse: Debounce = NEVER
    better: Debounce = NEVER
    wait_s: float = 0.0
    """How long it must be better before the next step up; 0: as the settings say."""
    rose: Instant | None = None
    """When the last step up was made."""


@dataclass(frozen=True, slots=True)
class ThrottleState:
    """What the stage remembers."""

    heat: Level = Level()
    overload: Level = Level()


@dataclass(frozen=True, slots=True)
class Throttle:
    """What holds now."""

    share: float = 1.0
    """Of the wanted pictures, 0..1."""
    hot: bool = False
    """Heat slows it down."""
    busy: bool = False
    """More pictures are due than it can look at."""


FULL = Throttle()
OVERHEATED = ConditionEvent(EventKind.OVERHEATED, BOX_RULE)


@dataclass(frozen=True, slots=True)
class HeatReport:
    """What the station knows of the box's heat."""

    event: ConditionEvent = OVERHEATED
    share: float = 1.0
    """Of the wanted pictures, as last reported."""


def update(
    state: ThrottleState | None, reading: Reading, settings: ThrottleSettings
) -> tuple[ThrottleState, Throttle]:
    """Fold in one reading; a few seconds should lie between two."""
    state = state or ThrottleState()
    now = SHARES[max(state.heat.step, state.overload.step)]
    hot = reading.capped or (reading.temp_c is not None and reading.temp_c >= settings.hot_c)
    cool = not hot and (reading.temp_c is None or reading.temp_c <= settings.cool_c)
    heat = _moved(state.heat, reading.at, hot, cool, settings.hot_after_s, settings)
    late = settings.behind < 1 and reading.behind >= settings.behind
    faster = SHARES[max(0, state.overload.step - 1)] / now
    leisure = not late and reading.load * max(1.0, faster) <= settings.leisure
    overload = _moved(state.overload, reading.at, late, leisure, settings.busy_after_s, settings)
    after = ThrottleState(heat, overload)
    return after, Throttle(SHARES[max(heat.step, overload.step)], heat.step > 0, overload.step > 0)


def report(
    heat: HeatReport, throttle: Throttle, reading: Reading, ids: Ids
) -> tuple[HeatReport, Ids, tuple[Event, ...]]:
    """The overheated box as one event: it slowed down for heat, slowed down further, is cool again."""
    at, event = reading.at, heat.event
    if not throttle.hot:
        lasted_s = at.since(event.last.started) if event.last else 0.0
        event, events = event.close(at, detail=f"{_warmth(reading)}; cool after {lasted_s:.0f} s")
        return HeatReport(event), ids, events
    detail, events = f"{_warmth(reading)}; {throttle.share:.0%} of the pictures are looked at", ()
    if event.last is None:
        event, ids, events = event.open(at, ids, detail)
    elif heat.share != throttle.share:  # temperatures tremble; only another share is news
        event, events = event.update(at, detail)
    return HeatReport(event, throttle.share), ids, events


def fps(wanted: float, share: float, settings: ThrottleSettings) -> float:
    """Pictures a second to look at, of so many wanted at full rate; `share` is the throttle's."""
    return min(wanted, max(settings.min_fps, wanted * share))


def _moved(
    level: Level, at: Instant, worse: bool, better: bool, after_s: float, settings: ThrottleSettings
) -> Level:
    """The level after one moment; at most one step."""
    patience_s = after_s if level.step == 0 else settings.step_s
    wait_s = level.wait_s or settings.recover_s
    down = debounce.update(level.worse, at, worse, rise_s=patience_s, fall_s=0.0, gap_s=GLITCH_S)
    up = debounce.update(level.better, at, better, rise_s=wait_s, fall_s=0.0, gap_s=GLITCH_S)
    if down.on and level.step < len(SHARES) - 1:
        if level.rose is not None:  # a fall right after a fall is the same trouble, not a trial that failed
            early = at.since(level.rose) < SOON * wait_s
            wait_s = min(LONGEST_WAIT_S, 2 * wait_s) if early else settings.recover_s
        return Level(level.step + 1, wait_s=wait_s)
    if up.on and level.step > 0:
        return Level(level.step - 1, wait_s=wait_s, rose=at)
    return replace(level, worse=down, better=up)


def _warmth(reading: Reading) -> str:
    if reading.temp_c is None:
        return "the processor is slowed down for heat" if reading.capped else "temperature unknown"
    return f"{reading.temp_c:.1f} °C"
