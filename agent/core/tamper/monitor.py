"""Can the camera still see: covered, dark, bright, blurred, moved or frozen.

Twice a second the picture is compared, block by block, with what is usual for this camera (baseline.py).
A fault is a sudden loss that lasts; what changes over minutes (dusk, fog, snow on the ground) is learned along.

Lee et al. ("Unified camera tamper detection based on edge and object information", Sensors 2015) compare the
rate of lost edges with its own temporal average. Here the correlation of structure takes the place of edges, so
that plain asphalt serves as well, and area is what counts: a bus hides less than a bag.
Saglam and Temizel ("Real-time adaptive camera tamper detection", AVSS 2009) judge defocus by the loss of high
frequencies beside the background's; here they are set beside the contrast, or fog would be a defocus.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from pydantic import Field

from agent.core.condition_event import CAMERA_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.tamper import baseline as usual
from agent.core.tamper import classify, features
from agent.core.tamper.baseline import Baseline
from agent.core.tamper.classify import Doubt, Observation, Symptom, TamperKind
from agent.core.tamper.features import Look
from agent.core.types import Event, EventKind, Frame, Instant, Severity, Size
from agent.settings.base import Settings

__all__ = ["BLIND", "SEES", "TamperKind", "TamperSettings", "TamperState", "Visibility", "report", "update"]

_LOOKS = 3
"""Looks that are averaged: passing things, rain and flashes count a third."""
_LEARN_S = 4.0
_SUDDEN_S = 6.0
"""A fault comes within so long of a picture that was as usual. Fog, dusk and dirt take longer, and are learned;
a loss is not, before it is told."""
_BLURS_S = 3.0
"""Breath comes, or focus goes, within so long of a picture that was as usual; a bank of fog takes longer."""
_COUNTS_S = 1.0
"""One look speaks for no more time than this, or than two looks: nobody knows what was before it."""
_USUAL_LOST = 0.3
_GAP_S = 30.0
_LONG_GAP_S = 1800.0
"""After so long without frames the light is another: learn afresh."""
_BACK_SHARE = 0.35
_NEARLY_BACK = 0.55
_NEARLY_S = 60.0
_SWITCH_LOST = 0.85
"""More than infrared light changes."""
_FORGIVEN_S = 3.0
"""So long without a symptom undoes the evidence for a fault."""
_STANDING_S = 30.0
"""A bus, or a lorry that waits, is gone by then."""
_FRESH = 0.05
"""Share of the view with new fine detail that is not learned at once."""
_EDGE = 3.0
"""Luma steps of structure that noise does not reach."""


class TamperSettings(Settings):
    """When a camera counts as blind."""

    enabled: bool = Field(True, description="Whether to watch over the camera's own sight.")
    look_every_s: float = Field(
        0.5, ge=0.1, le=2, description="How often the picture is compared with the usual view, in seconds."
    )
    lost_share: float = Field(
        0.65,
        ge=0.3,
        le=0.95,
        description="Blind when this share of the view is gone; must be more than the largest vehicle hides.",
    )
    sharpness: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Blurred below this part of the usual sharpness.",
    )
    after_s: float = Field(3.0, ge=1, le=60, description="How long the view must be gone, in seconds.")
    partly_after_s: float = Field(
        6.5,
        ge=1,
        le=60,
        description="The same where it is gone only in part, which a passing bus could do, in seconds.",
    )
    back_after_s: float = Field(
        2.0, ge=0.5, le=60, description="How long the view must be back until the fault is over, in seconds."
    )
    frozen_after_s: float = Field(
        7.5,
        ge=2,
        le=600,
        description="Frozen when no pixel changed for so long, in seconds. A stream that often stands still by "
        "itself is given twice its own longest time.",
    )
    memory_s: float = Field(
        60.0, ge=10, le=3600, description="How long the look of the scene is remembered, in seconds."
    )


@dataclass(frozen=True, slots=True)
class Visibility:
    """What is known of the camera's sight."""

    fault: TamperKind | None = None
    since: Instant | None = None
    """When the fault began, as well as can be told; before it was found."""
    lost: float = 0.0
    """Share of the usual structure that is gone, 0..1."""
    sharpness: float = 1.0
    """As a part of the usual."""


SEES = Visibility()
BLIND = ConditionEvent(EventKind.CAMERA_BLIND, CAMERA_RULE, Severity.ALERT)


@dataclass(frozen=True, slots=True)
class TamperEvidence:
    """How the judgement stands."""

    healthy: Instant | None = None
    """When the picture was last as usual."""
    hinted: Instant | None = None
    """Since when something speaks for a fault."""
    evidence: float = 0.0
    """A fault is told at 1."""
    partly: float = 0.0
    """The same for what a vehicle could hide, too."""
    well: Instant | None = None
    """Since when nothing speaks for a fault any more, while one is told."""
    nearly: Instant | None = None
    """Since when most of the view is back."""
    turned: Instant | None = None
    """Since when, while a fault is told, another view is to be seen."""
    same: Instant | None = None
    """Since when the picture has not changed at all."""
    natural_s: float = 0.0
    """How long it stood still at most without being frozen."""
    view: Visibility = SEES


@dataclass(frozen=True, slots=True)
class TamperState:
    """What is remembered; arrays are never written after they are made."""

    at: Instant
    began: Instant
    looks: tuple[Look, ...]
    """The latest, at most three, oldest first."""
    usual: Baseline | None = None
    """None while nothing could be learned."""
    known: bool = False
    """The usual view is known well enough to judge by."""
    course: TamperEvidence = field(default_factory=TamperEvidence)

    @property
    def view(self) -> Visibility:
        """The judgement as of the last look."""
        return self.course.view

    @property
    def doubtful(self) -> bool:
        """Something speaks for a fault that is not told yet."""
        return self.course.view.fault is None and self.course.partly > 0

    def urgent(self, within_s: float, settings: TamperSettings) -> bool:
        """A fault that is not told yet may be within so many seconds, if only the picture is looked at."""
        same = self.course.same if self.course.view.fault is None else None
        still_s = self.at.since(same) if same else 0.0
        return self.doubtful or (bool(same) and still_s + within_s >= _frozen_after_s(self.course, settings))

    @property
    def trusting(self) -> bool:
        """The usual view is known, and nothing speaks for a fault."""
        return self.known and self.course.view.fault is None and not self.doubtful and self.course.same is None


def update(state: TamperState | None, frame: Frame, settings: TamperSettings) -> tuple[TamperState, Visibility]:
    """Judge one frame; between two looks the last judgement stands.

    A new size, a clock that ran backwards or half an hour without frames starts afresh.
    """
    if not settings.enabled:
        return state or TamperState(frame.at, frame.at, ()), SEES
    if state is not None and state.looks and 0 <= frame.at.since(state.at) < settings.look_every_s * 0.9:
        return state, state.view
    look = features.look(frame)
    if state is None or _unlike(state, frame, look):
        fresh = TamperState(frame.at, frame.at, (look,))
        return fresh, fresh.view
    at, passed_s, looks, course = frame.at, frame.at.since(state.at), state.looks, state.course
    if passed_s > _GAP_S:
        looks, passed_s = (look,), settings.look_every_s
        course = replace(course, evidence=0.0, partly=0.0, healthy=at, hinted=None, same=None)
    seen = _see(state, looks, look)
    course = _stillness(course, looks[-1], look, state.at) if looks is state.looks else course
    course = replace(course, healthy=at) if _as_before(seen, settings) else course
    found = _symptom(state, course, seen, at, settings)
    course = _weighed(course, found, at, passed_s, settings)
    course = _judged(course, seen, found, at, settings)
    state = TamperState(at, state.began, looks, state.usual, state.known, course)
    state = _learned(state, seen, passed_s, settings)
    return replace(state, looks=(*looks, look)[-_LOOKS:]), course.view


def report(
    blind: ConditionEvent, view: Visibility, at: Instant, frame: Size, ids: Ids
) -> tuple[ConditionEvent, Ids, tuple[Event, ...]]:
    """The blind camera as one event: when it began, if it became another fault, and when the view was back.

    `detail` is the fault's one word, also at the end. `moved` asks for the zones to be checked.
    """
    if view.fault is None:
        blind, events = blind.close(at)
    elif blind.last is None:
        blind, ids, events = blind.open(at, ids, view.fault, started=view.since, frame=frame)
    else:
        blind, events = blind.update(at, view.fault)
    return blind, ids, events


def _unlike(state: TamperState, frame: Frame, look: Look) -> bool:
    passed_s = frame.at.since(state.at)
    other = not state.looks or state.looks[-1].small.shape != look.small.shape
    return other or passed_s < 0 or passed_s > _LONG_GAP_S


def _see(state: TamperState, looks: tuple[Look, ...], look: Look) -> Observation:
    recent, before = looks[1 - _LOOKS :], looks[-1]
    steady = look.structure
    for each in recent:
        steady = np.asarray(cv2.add(steady, each.structure), np.float32)
    steady = steady * np.float32(1 / (len(recent) + 1))
    both = features.product(before.structure, look.structure)
    noise = np.maximum(before.power + look.power - 2 * both, 0) * np.float32(1 / (2 * len(recent) + 2))
    rich = float(usual.shows(before, look, both)[1:-1].mean())
    blank = rich < 0.02 and float((np.abs(look.structure[12:-12]) > _EDGE).mean()) < 0.001
    change = usual.compare(state.usual, look, steady, noise) if state.known and state.usual else None
    return Observation(look, steady, noise, rich, blank, change)


def _stillness(course: TamperEvidence, before: Look, look: Look, before_at: Instant) -> TamperEvidence:
    if features.same(before, look):
        return course if course.same else replace(course, same=before_at)
    if course.same is None:
        return course
    natural_s = course.natural_s
    if course.view.fault is not TamperKind.FROZEN:
        natural_s = min(60.0, max(natural_s, before_at.since(course.same)))
    return replace(course, same=None, natural_s=natural_s)


def _as_before(seen: Observation, settings: TamperSettings) -> bool:
    change = seen.change
    if change is None:
        return True
    return change.lost < _USUAL_LOST and change.sharp > (1 + settings.sharpness) / 2 - 0.05


def _sudden(course: TamperEvidence, at: Instant) -> bool:
    """What is amiss came suddenly, or is being told already."""
    recent = course.healthy is not None and at.since(course.healthy) <= _SUDDEN_S
    return recent or course.partly > 0 or course.view.fault is not None


def _symptom(
    state: TamperState, course: TamperEvidence, seen: Observation, at: Instant, settings: TamperSettings
) -> Symptom | None:
    """What speaks for a fault in this look."""
    if seen.change is None or state.usual is None:
        return None if state.known else classify.blank(seen)
    found = None
    if _sudden(course, at):
        found = classify.sudden(seen, state.usual, settings.lost_share, settings.sharpness)
    if found and found.fault is TamperKind.BLURRED and not _blurred_at_once(course, at):
        found = None
    return found or classify.slow(seen)


def _blurred_at_once(course: TamperEvidence, at: Instant) -> bool:
    began, healthy = course.hinted or at, course.healthy
    return course.view.fault is not None or (healthy is not None and began.since(healthy) <= _BLURS_S)


def _hold_s(doubt: Doubt, settings: TamperSettings) -> float:
    """How long a symptom must go on."""
    return {
        Doubt.NONE: settings.after_s,
        Doubt.PASSING: settings.partly_after_s,
        Doubt.STANDING: max(_STANDING_S, settings.partly_after_s),
        Doubt.SLOW: 20 * settings.after_s,
    }[doubt]


def _weighed(
    course: TamperEvidence, found: Symptom | None, at: Instant, passed_s: float, settings: TamperSettings
) -> TamperEvidence:
    if found is None:
        if not course.partly and not course.evidence:
            return course
        evidence, partly = (
            max(0.0, each - passed_s / _FORGIVEN_S) for each in (course.evidence, course.partly)
        )
        return replace(course, evidence=evidence, partly=partly, hinted=course.hinted if partly else None)
    hold_s = _hold_s(found.doubt, settings)
    passed_s = min(passed_s, max(_COUNTS_S, 2 * settings.look_every_s))
    vehicle = found.doubt in (Doubt.PASSING, Doubt.STANDING)
    evidence = course.evidence + (0.0 if vehicle else passed_s / hold_s)
    partly = course.partly + passed_s / max(settings.partly_after_s, hold_s)
    return replace(course, evidence=min(evidence, 1.0), partly=min(partly, 1.0), hinted=course.hinted or at)


def _judged(
    course: TamperEvidence, seen: Observation, found: Symptom | None, at: Instant, settings: TamperSettings
) -> TamperEvidence:
    lost, sharp = (seen.change.lost, seen.change.sharp) if seen.change else (0.0, 1.0)
    fault, since = course.view.fault, course.view.since
    if fault is None:
        if found and max(course.evidence, course.partly) >= 1:
            fault, since = found.fault, course.hinted
        elif course.same and at.since(course.same) >= _frozen_after_s(course, settings):
            fault, since = TamperKind.FROZEN, course.same
        return replace(
            course, view=Visibility(fault, since, round(lost, 3), round(sharp, 3)), well=None, nearly=None
        )
    if fault is TamperKind.FROZEN:
        told = Visibility(fault, since, round(lost, 3), round(sharp, 3))
        return replace(course, view=told if course.same else Visibility(None, None, told.lost, told.sharpness))
    turned = (course.turned or at) if found and found.fault is TamperKind.MOVED else None
    if turned and at.since(turned) >= settings.after_s:
        fault = TamperKind.MOVED  # uncovered, but turned away: its zones want checking
    view = Visibility(fault, since, round(lost, 3), round(sharp, 3))
    return _ended(replace(course, view=view, turned=turned), seen, found, at, settings)


def _frozen_after_s(course: TamperEvidence, settings: TamperSettings) -> float:
    own_s = 2 * course.natural_s if course.natural_s > 4 else 0.0
    return max(settings.frozen_after_s, own_s)


def _ended(
    course: TamperEvidence, seen: Observation, found: Symptom | None, at: Instant, settings: TamperSettings
) -> TamperEvidence:
    """The fault goes on until the view is back."""
    lost = seen.change.lost if seen.change else 0.0
    clear = found is None and not seen.blank
    well = (course.well or at) if clear and lost < _BACK_SHARE else None
    nearly = (course.nearly or at) if clear and lost < _NEARLY_BACK else None
    back = well is not None and at.since(well) >= settings.back_after_s
    if back or (nearly is not None and at.since(nearly) >= _NEARLY_S):
        view = Visibility(None, None, course.view.lost, course.view.sharpness)
        return TamperEvidence(healthy=at, same=course.same, natural_s=course.natural_s, view=view)
    return replace(course, well=well, nearly=nearly)


def _learned(state: TamperState, seen: Observation, passed_s: float, settings: TamperSettings) -> TamperState:
    """What is usual, after this look. Nothing is learned of a blank picture, during a fault or at its onset."""
    at, course, known = state.at, state.course, state.known
    if seen.blank or course.view.fault is not None:
        return state if known else replace(state, usual=None, began=at)
    if state.usual is None:
        return replace(state, usual=usual.begin(seen.look), began=at)
    as_usual = course.healthy == at and course.partly == 0
    if not as_usual and _mode_switched(state, seen):
        course = replace(course, evidence=0.0, partly=0.0, hinted=None)
        return replace(state, usual=usual.begin(seen.look), known=False, began=at, course=course)
    if not as_usual and (_sudden(course, at) or _stands(course, seen, at)):
        return state
    change = seen.change
    like = change.like if change else features.likeness(seen.steady, state.usual.structure, seen.noise)
    learned = usual.learn(state.usual, seen.look, like, passed_s, settings.memory_s)
    known = known or (learned.looks >= usual.FIRST_LOOKS and at.since(state.began) >= _LEARN_S)
    return replace(state, usual=learned, known=known)


def _stands(course: TamperEvidence, seen: Observation, at: Instant) -> bool:
    """Something sharp came, and may drive on: a lorry that was learned would be missed when it is gone."""
    fresh = seen.change is not None and seen.change.fresh >= _FRESH
    return fresh and course.healthy is not None and at.since(course.healthy) <= _STANDING_S


def _mode_switched(state: TamperState, seen: Observation) -> bool:
    """To infrared or back: other colours in all of the latest looks, and the scene is to be seen.

    A grey bag takes the colours too, but is out of focus, and nothing of the scene is anywhere. Nothing gives
    colours to a stream that has none at all, but for the switch itself.
    """
    change, before = seen.change, state.usual
    if change is None or before is None:
        return False
    if change.lost >= _SWITCH_LOST and not usual.colourless(before):
        return False
    sharp = float(usual.sharp(seen.look.crisp, seen.look.contrast).mean())
    recent = (*state.looks[1 - _LOOKS :], seen.look)
    scene = sharp >= 0.4 * change.crisp or change.faintly > classify.HINT
    return scene and all(usual.colour_switched(before, each) for each in recent)
