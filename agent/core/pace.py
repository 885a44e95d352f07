"""Pace: how soon the next picture of a camera is wanted, and whether key pictures would do until then."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from agent.core.pipeline import Outcome, PipelineSettings, PipelineState

NEWS = 0.0002
"""Share of the view that has become unlike the scene: half of the smallest region that counts."""


@dataclass(frozen=True, slots=True)
class PaceSettings:
    """Pictures a second that are looked at."""

    max_fps: float
    """At most."""
    idle_fps: float
    """While nothing new happens."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What is wanted after a frame."""

    unlike: float = 0.0
    """Share of the view that was unlike the scene, for comparison with the next."""
    rest_s: float = 0.0
    """Least time to the next frame."""
    calm_gap_s: float | None = None
    """Nothing happens, and a picture every so many seconds would do while that is so; None: it would not."""


def update(
    before: Pace,
    state: PipelineState,
    outcome: Outcome,
    fps_wanted: float,
    settings: PaceSettings,
    of: PipelineSettings,
) -> Pace:
    """After a frame. `state` is the pipeline's after it; `fps_wanted`: what the box's load allows, at most.

    What differs from the scene for the first time is no motion yet, but worth a second look at once.
    """
    unlike = outcome.motion.share
    news = unlike - before.unlike > NEWS
    gap_s, idle_s = 1 / settings.max_fps, 1 / settings.idle_fps
    # Half a gap early: the picture after a moment just missed would come a whole gap late.
    quiet_s = 0.0 if news else idle_s - gap_s / 2
    rest_s = quiet_s if outcome.quiet else min(outcome.patience_s, idle_s)
    if fps_wanted < settings.max_fps:
        rest_s = max(rest_s, 1 / fps_wanted - gap_s / 2)
    return Pace(unlike, max(0.0, rest_s), None if news else _calm_gap_s(state, outcome, of))


def _calm_gap_s(state: PipelineState, outcome: Outcome, of: PipelineSettings) -> float | None:
    """Where the frame gate would watch, sizes of packets may; what depends on time alone comes in its time.

    A followed road user that stands, or an event that is open, is looked at as often as in any quiet view.
    """
    if not outcome.quiet or state.idle_cache is None or outcome.view.fault is not None:
        return None
    open_events = state.rules.events.open if state.rules is not None else {}
    return of.frame_gate.look_s if state.tracks or open_events else inf
