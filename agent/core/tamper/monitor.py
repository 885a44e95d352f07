"""Camera tampering detection, can the camera still see: covered, dark, bright, blurred, moved or frozen.

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
from agent.core.tamper import baseline, classify, features
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
_BASELINE_LOST = 0.3
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
    weight: float = 0.0
    """A fault is told at 1."""
    weight_partly: float = 0.0
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
    baseline: Baseline | None = None
    """None while nothing could be learned."""
    known: bool = False
    """The usual view is known well enough to judge by."""
    evidence: TamperEvidence = field(default_factory=TamperEvidence)

    @property
    def view(self) -> Visibility:
        """The judgement as of the last look."""
        return self.evidence.view

    @property
    def doubtful(self) -> bool:
        """Something speaks for a fault that is not told yet."""
        return self.evidence.view.fault is None and self.evidence.weight_partly > 0

    def urgent(self, within_s: float, settings: TamperSettings) -> bool:
        """A fault that is not told yet may be within so many seconds, if only the picture is looked at."""
        same = self.evidence.same if self.evidence.view.fault is None else None
        still_s = self.at.since(same) if same else 0.0
        return self.doubtful or (bool(same) and still_s + within_s >= _frozen_after_s(self.evidence, settings))

    @property
    def trusting(self) -> bool:
        """The usual view is known, and nothing speaks for a fault."""
        return (
            self.known and self.evidence.view.fault is None and not self.doubtful and self.evidence.same is None
        )


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
    at, passed_s, looks, evidence = frame.at, frame.at.since(state.at), state.looks, state.evidence
    if passed_s > _GAP_S:
        looks, passed_s = (look,), settings.look_every_s
        evidence = replace(evidence, weight=0.0, weight_partly=0.0, healthy=at, hinted=None, same=None)
    seen = _see(state, looks, look)
    evidence = _stillness(evidence, looks[-1], look, state.at) if looks is state.looks else evidence
    evidence = replace(evidence, healthy=at) if _as_before(seen, settings) else evidence
    found = _symptom(state, evidence, seen, at, settings)
    evidence = _weighed(evidence, found, at, passed_s, settings)
    evidence = _judged(evidence, seen, found, at, settings)
    state = replace(state, at=at, looks=looks, evidence=evidence)
    state = _learned(state, seen, passed_s, settings)
    return replace(state, looks=(*looks, look)[-_LOOKS:]), evidence.view


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
    rich = float(baseline.shows(before, look, both)[1:-1].mean())
    blank = rich < 0.02 and float((np.abs(look.structure[12:-12]) > _EDGE).mean()) < 0.001
    change = baseline.compare(state.baseline, look, steady, noise) if state.known and state.baseline else None
    return Observation(look=look, steady=steady, noise=noise, rich=rich, blank=blank, change=change)


def _stillness(evidence: TamperEvidence, before: Look, look: Look, before_at: Instant) -> TamperEvidence:
    if features.same(before, look):
        return evidence if evidence.same else replace(evidence, same=before_at)
    if evidence.same is None:
        return evidence
    natural_s = evidence.natural_s
    if evidence.view.fault is not TamperKind.FROZEN:
        natural_s = min(60.0, max(natural_s, before_at.since(evidence.same)))
    return replace(evidence, same=None, natural_s=natural_s)


def _as_before(seen: Observation, settings: TamperSettings) -> bool:
    change = seen.change
    if change is None:
        return True
    return change.lost < _BASELINE_LOST and change.sharp > (1 + settings.sharpness) / 2 - 0.05


def _sudden(evidence: TamperEvidence, at: Instant) -> bool:
    """What is amiss came suddenly, or is being told already."""
    recent = evidence.healthy is not None and at.since(evidence.healthy) <= _SUDDEN_S
    return recent or evidence.weight_partly > 0 or evidence.view.fault is not None


def _symptom(
    state: TamperState, evidence: TamperEvidence, seen: Observation, at: Instant, settings: TamperSettings
) -> Symptom | None:
    """What speaks for a fault in this look."""
    if seen.change is None or state.baseline is None:
        return None if state.known else classify.blank(seen)
    found = None
    if _sudden(evidence, at):
        found = classify.sudden(seen, state.baseline, settings.lost_share, settings.sharpness)
    if found and found.fault is TamperKind.BLURRED and not _blurred_at_once(evidence, at):
        found = None
    return found or classify.slow(seen)


def _blurred_at_once(evidence: TamperEvidence, at: Instant) -> bool:
    began, healthy = evidence.hinted or at, evidence.healthy
    return evidence.view.fault is not None or (healthy is not None and began.since(healthy) <= _BLURS_S)


def _hold_s(doubt: Doubt, settings: TamperSettings) -> float:
    """How long a symptom must go on."""
    return {
        Doubt.NONE: settings.after_s,
        Doubt.PASSING: settings.partly_after_s,
        Doubt.STANDING: max(_STANDING_S, settings.partly_after_s),
        Doubt.SLOW: 20 * settings.after_s,
    }[doubt]


def _weighed(
    evidence: TamperEvidence, found: Symptom | None, at: Instant, passed_s: float, settings: TamperSettings
) -> TamperEvidence:
    if found is None:
        if not evidence.weight_partly and not evidence.weight:
            return evidence
        weight, partly = (
            max(0.0, each - passed_s / _FORGIVEN_S) for each in (evidence.weight, evidence.weight_partly)
        )
        hinted = evidence.hinted if partly else None
        return replace(evidence, weight=weight, weight_partly=partly, hinted=hinted)
    hold_s = _hold_s(found.doubt, settings)
    passed_s = min(passed_s, max(_COUNTS_S, 2 * settings.look_every_s))
    vehicle = found.doubt in (Doubt.PASSING, Doubt.STANDING)
    weight = evidence.weight + (0.0 if vehicle else passed_s / hold_s)
    partly = evidence.weight_partly + passed_s / max(settings.partly_after_s, hold_s)
    return replace(
        evidence, weight=min(weight, 1.0), weight_partly=min(partly, 1.0), hinted=evidence.hinted or at
    )


def _judged(
    evidence: TamperEvidence, seen: Observation, found: Symptom | None, at: Instant, settings: TamperSettings
) -> TamperEvidence:
    lost, sharp = (seen.change.lost, seen.change.sharp) if seen.change else (0.0, 1.0)
    fault, since = evidence.view.fault, evidence.view.since
    if fault is None:
        if found and max(evidence.weight, evidence.weight_partly) >= 1:
            fault, since = found.fault, evidence.hinted
        elif evidence.same and at.since(evidence.same) >= _frozen_after_s(evidence, settings):
            fault, since = TamperKind.FROZEN, evidence.same
        return replace(
            evidence, view=Visibility(fault, since, round(lost, 3), round(sharp, 3)), well=None, nearly=None
        )
    if fault is TamperKind.FROZEN:
        frozen = evidence.same is not None
        view = Visibility(fault if frozen else None, since if frozen else None, round(lost, 3), round(sharp, 3))
        return replace(evidence, view=view)
    turned = (evidence.turned or at) if found and found.fault is TamperKind.MOVED else None
    if turned and at.since(turned) >= settings.after_s:
        fault = TamperKind.MOVED  # uncovered, but turned away: its zones want checking
    view = Visibility(fault, since, round(lost, 3), round(sharp, 3))
    return _ended(replace(evidence, view=view, turned=turned), seen, found, at, settings)


def _frozen_after_s(evidence: TamperEvidence, settings: TamperSettings) -> float:
    own_s = 2 * evidence.natural_s if evidence.natural_s > 4 else 0.0
    return max(settings.frozen_after_s, own_s)


def _ended(
    evidence: TamperEvidence, seen: Observation, found: Symptom | None, at: Instant, settings: TamperSettings
) -> TamperEvidence:
    """The fault goes on until the view is back."""
    lost = seen.change.lost if seen.change else 0.0
    clear = found is None and not seen.blank
    well = (evidence.well or at) if clear and lost < _BACK_SHARE else None
    nearly = (evidence.nearly or at) if clear and lost < _NEARLY_BACK else None
    back = well is not None and at.since(well) >= settings.back_after_s
    if back or (nearly is not None and at.since(nearly) >= _NEARLY_S):
        view = Visibility(None, None, evidence.view.lost, evidence.view.sharpness)
        return TamperEvidence(healthy=at, same=evidence.same, natural_s=evidence.natural_s, view=view)
    return replace(evidence, well=well, nearly=nearly)


def _learned(state: TamperState, seen: Observation, passed_s: float, settings: TamperSettings) -> TamperState:
    """What is usual, after this look. Nothing is learned of a blank picture, during a fault or at its onset."""
    at, evidence, known = state.at, state.evidence, state.known
    if seen.blank or evidence.view.fault is not None:
        return state if known else replace(state, baseline=None, began=at)
    if state.baseline is None:
        return replace(state, baseline=baseline.begin(seen.look), began=at)
    as_usual = evidence.healthy == at and evidence.weight_partly == 0
    if not as_usual and _mode_switched(state, seen):
        evidence = replace(evidence, weight=0.0, weight_partly=0.0, hinted=None)
        return replace(state, baseline=baseline.begin(seen.look), known=False, began=at, evidence=evidence)
    if not as_usual and (_sudden(evidence, at) or _stands(evidence, seen, at)):
        return state
    change = seen.change
    like = change.like if change else features.likeness(seen.steady, state.baseline.structure, seen.noise)
    learned = baseline.learn(state.baseline, seen.look, like, passed_s, settings.memory_s)
    known = known or (learned.looks >= baseline.FIRST_LOOKS and at.since(state.began) >= _LEARN_S)
    return replace(state, baseline=learned, known=known)


def _stands(evidence: TamperEvidence, seen: Observation, at: Instant) -> bool:
    """Something sharp came, and may drive on: a lorry that was learned would be missed when it is gone."""
    fresh = seen.change is not None and seen.change.fresh >= _FRESH
    return fresh and evidence.healthy is not None and at.since(evidence.healthy) <= _STANDING_S


def _mode_switched(state: TamperState, seen: Observation) -> bool:
    """To infrared or back: other colours in all of the latest looks, and the scene is to be seen.

    A grey bag takes the colours too, but is out of focus, and nothing of the scene is anywhere. Nothing gives
    colours to a stream that has none at all, but for the switch itself.
    """
    change, before = seen.change, state.baseline
    if change is None or before is None:
        return False
    if change.lost >= _SWITCH_LOST and not baseline.colourless(before):
        return False
    sharp = float(baseline.sharp(seen.look.crisp, seen.look.contrast).mean())
    recent = (*state.looks[1 - _LOOKS :], seen.look)
    scene = sharp >= 0.4 * change.crisp or change.faintly > classify.HINT
    return scene and all(baseline.colour_switched(before, each) for each in recent)
