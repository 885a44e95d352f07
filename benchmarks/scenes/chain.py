"""The stages under test, fed from the simulation in three ways.

- perfect: the true boxes under their true ids. What is wrong here is wrong in the rules.
- shaken: trembling, missing and covered boxes, still under their true ids: rules without a tracker's mistakes.
- tracked: detections with all faults through riders, tracker and rules, as the agent runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from agent.core.ids import Ids
from agent.core.rules import engine
from agent.core.rules.engine import RuleInput, RulesState
from agent.core.rules.settings import RuleSettings
from agent.core.tracking import riders, tracker
from agent.core.tracking.riders import RiderSettings
from agent.core.tracking.tracker import TrackerState, TrackSettings
from agent.core.types import WHOLE, Box, Count, EndReason, Event, Instant, Motion, Sighting, Track
from benchmarks.scenes.ground import FRAME, Floats, box
from benchmarks.scenes.sensor import Detector, Faults, Mover, Sight
from benchmarks.scenes.traffic import STEP_S
from benchmarks.scenes.truth import SETTINGS

STILL = Motion((), 0.0)
WALL_S = 1_772_000_000.0
SHOWS = 0.15
"""Overlap from which the picture of an event shows a road user."""


@dataclass(slots=True)
class Reported:
    """What a chain told, with the road users that each event may be about: those in its box, best first."""

    starts: list[tuple[Event, tuple[int, ...]]] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)


class Chain:
    """Tracks in, what the rules tell out."""

    def __init__(self, settings: RuleSettings = SETTINGS) -> None:
        self.settings = settings
        self.state: RulesState | None = None
        self.ids = Ids(b"simulated scenes")
        self.output = Reported()
        self.tracks: tuple[Track, ...] = ()

    def judge(
        self, at: Instant, tracks: tuple[Track, ...], sights: list[Sight], looked: tuple[Box, ...] = (WHOLE,)
    ) -> None:
        """Let the rules look at the tracks of this moment."""
        self.tracks = tracks
        scene = RuleInput(at, FRAME, STILL, tracks, looked=looked)
        self.state, self.ids, output = engine.update(self.state, scene, self.ids, self.settings)
        for each in output:
            if isinstance(each, Count):
                self.output.counts.append(each)
            elif each.revision == 1:
                about = () if each.object is None else self.who(each.object.box, each.object.track_id, sights)
                self.output.starts.append((each, about))

    def finish(self, at: Instant) -> None:
        """The simulation is over."""
        self.state, output = engine.close(self.state, at, EndReason.AGENT_RESTARTED, self.settings)
        self.output.counts += [each for each in output if isinstance(each, Count)]

    def who(self, place: Box, track_id: str, sights: list[Sight]) -> tuple[int, ...]:
        """The road users that a box may be about."""
        fits = sorted(((_iou(sight.row, place), sight.user.name) for sight in sights), reverse=True)
        return tuple(name for overlap, name in fits if overlap > SHOWS)


class Known(Chain):
    """Tracks under their true ids."""

    def __init__(self, seed: int, faults: Faults) -> None:
        super().__init__()
        self.detector = Detector(seed, faults)
        self.living: dict[int, tuple[Track, int]] = {}
        self.middles: dict[int, tuple[float, float]] = {}

    def step(self, at: Instant, sights: list[Sight]) -> None:
        """One frame."""
        whole = [Sight(s.user, s.row, s.clear, ((s.user.label, s.row),)) for s in sights]
        tracks = []
        living: dict[int, tuple[Track, int]] = {}
        middles: dict[int, tuple[float, float]] = {}
        for sight in whole:
            found = self.detector.detect([sight])
            spot = found[0] if found and found[0].score else None
            before = self.living.get(sight.user.name)
            if spot is None and before is None:
                continue
            name = sight.user.name
            hits = (before[1] if before else 0) + (spot is not None)
            place = spot.box if spot else before[0].box  # type: ignore[index]
            middle = box(sight.row).center
            was = self.middles.get(name, middle)
            middles[name] = middle
            last = at if spot else before[0].last_seen  # type: ignore[index]
            one = Track(
                id=f"user-{name}",
                label=sight.user.label,
                score=0.8,
                top_score=0.9,
                box=place,
                velocity=((middle[0] - was[0]) / STEP_S, (middle[1] - was[1]) / STEP_S),
                started=before[0].started if before else at,
                last_seen=last,
                seen=spot is not None,
                confirmed=hits >= 3,
                riders=sight.user.riders,
            )
            living[name] = (one, hits)
            tracks.append(one)
        self.living, self.middles = living, middles
        self.judge(at, tuple(tracks), sights)

    def who(self, place: Box, track_id: str, sights: list[Sight]) -> tuple[int, ...]:
        """The id says it."""
        return (int(track_id.removeprefix("user-")),)


class Tracked(Chain):
    """Detections through riders and tracker."""

    def __init__(self, seed: int, faults: Faults, every: int = 1) -> None:
        super().__init__()
        self.detector = Detector(seed, faults)
        self.mover = Mover()
        self.tracker: TrackerState | None = None
        self.every = every
        self.frames = 0
        self.riding: dict[int, list[bool]] = {}
        """For each two-wheeler in plain view: was it one road user, frame by frame?"""

    def step(self, at: Instant, sights: list[Sight]) -> None:
        """One frame; the detector runs on every n-th."""
        looked = self.frames % self.every == 0
        self.frames += 1
        found = self.detector.detect(sights) if looked else ()
        fused = riders.fuse(found, self.tracks, RiderSettings()) if looked else ()
        # Without what moves the tracker would hold that nothing does, and wait for hours where one stood.
        sighting = Sighting(at, (WHOLE,) if looked else (), fused, self.mover.regions(sights))
        self.tracker, self.ids, tracks = tracker.update(self.tracker, sighting, self.ids, TrackSettings())
        self.judge(at, tracks, sights)
        if looked:
            self._ride(sights)

    def _ride(self, sights: list[Sight]) -> None:
        """Is each two-wheeler with its riders one confirmed track, and no person beside it?"""
        tracks = [t for t in self.tracks if t.confirmed and t.seen]
        people = [t for t in tracks if t.label == "person"]
        others = [row for s in sights if s.user.label == "person" for row in [s.row]]
        for sight in sights:
            if not sight.user.riders or sight.clear < 0.6:
                continue
            ridden = any(t.label in ("motorcycle", "bicycle") and _iou(sight.row, t.box) > 0.4 for t in tracks)
            apart = any(
                _iou(row, p.box) > 0.5 and not any(_iou(o, p.box) > 0.4 for o in others)
                for label, row in sight.parts if label == "person"
                for p in people
            )  # fmt: skip
            self.riding.setdefault(sight.user.name, []).append(ridden and not apart)


def instant(second: float) -> Instant:
    """The moment of the simulation."""
    return Instant(second, WALL_S + second)


def _iou(row: Floats, place: Box) -> float:
    wide = min(row[2], place.right) - max(row[0], place.left)
    high = min(row[3], place.bottom) - max(row[1], place.top)
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return float(shared / ((row[2] - row[0]) * (row[3] - row[1]) + place.area - shared))


def one_road_user(riding: Mapping[int, list[bool]], least: int = 20) -> tuple[int, int]:
    """(right, all): two-wheelers in plain view for long enough, right in nine of ten frames once found."""
    judged = [frames[5:] for frames in riding.values() if len(frames) >= least]
    return sum(bool(np.mean(frames) >= 0.9) for frames in judged), len(judged)
