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

from agent.core.condition_event import CAMERA_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.tamper import baseline, classify, features
from agent.core.tamper import evidence as evidences
from agent.core.tamper.baseline import Baseline
from agent.core.tamper.classify import Observation, Symptom, TamperKind
from agent.core.tamper.evidence import SEES, TamperEvidence, Visibility
from agent.core.tamper.features import Look
from agent.core.tamper.settings import TamperSettings
from agent.core.types import Event, EventKind, Frame, Instant, Severity, Size

_LOOKS = 3
"""Looks that are averaged: passing things, rain and flashes count a third."""
_LEARN_S = 4.0
_BASELINE_LOST = 0.3
_GAP_S = 30.0
_LONG_GAP_S = 1800.0
"""After so long without frames the light is another: learn afresh."""
_SWITCH_LOST = 0.85
"""More than infrared light changes."""
_FRESH = 0.05
"""Share of the view with new fine detail that is not learned at once."""
_EDGE = 3.0
"""Luma steps of structure that noise does not reach."""

BLIND = ConditionEvent(EventKind.CAMERA_BLIND, CAMERA_RULE, Severity.ALERT)


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
        frozen_after_s = evidences.frozen_after_s(self.evidence, settings)
        return self.doubtful or (bool(same) and still_s + within_s >= frozen_after_s)

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
        evidence = replace(evidence, weight=0.0, weight_partly=0.0, healthy=at, suspected=None, same=None)
    seen = _see(state, looks, look)
    evidence = evidences.stillness(evidence, looks[-1], look, state.at) if looks is state.looks else evidence
    evidence = replace(evidence, healthy=at) if _as_before(seen, settings) else evidence
    found = _symptom(state, evidence, seen, at, settings)
    evidence = evidences.weighed(evidence, found, at, passed_s, settings)
    evidence = evidences.judged(evidence, seen, found, at, settings)
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


def _as_before(seen: Observation, settings: TamperSettings) -> bool:
    change = seen.change
    if change is None:
        return True
    return change.lost < _BASELINE_LOST and change.sharp > (1 + settings.sharpness) / 2 - 0.05


def _symptom(
    state: TamperState, evidence: TamperEvidence, seen: Observation, at: Instant, settings: TamperSettings
) -> Symptom | None:
    """What speaks for a fault in this look."""
    if seen.change is None or state.baseline is None:
        return None if state.known else classify.blank(seen)
    found = None
    if evidences.sudden(evidence, at):
        found = classify.sudden(seen, state.baseline, settings.lost_share, settings.sharpness)
    if found and found.fault is TamperKind.BLURRED and not evidences.blurred_at_once(evidence, at):
        found = None
    return found or classify.slow(seen)


def _learned(state: TamperState, seen: Observation, passed_s: float, settings: TamperSettings) -> TamperState:
    """What is usual, after this look. Nothing is learned of a blank picture, during a fault or at its onset."""
    at, evidence, known = state.at, state.evidence, state.known
    if seen.blank or evidence.view.fault is not None:
        return state if known else replace(state, baseline=None, began=at)
    if state.baseline is None:
        return replace(state, baseline=baseline.begin(seen.look), began=at)
    as_usual = evidence.healthy == at and evidence.weight_partly == 0
    if not as_usual and _mode_switched(state, seen):
        evidence = replace(evidence, weight=0.0, weight_partly=0.0, suspected=None)
        return replace(state, baseline=baseline.begin(seen.look), known=False, began=at, evidence=evidence)
    if not as_usual and (evidences.sudden(evidence, at) or _stands(evidence, seen, at)):
        return state
    change = seen.change
    like = change.like if change else features.likeness(seen.steady, state.baseline.structure, seen.noise)
    learned = baseline.learn(state.baseline, seen.look, like, passed_s, settings.memory_s)
    known = known or (learned.looks >= baseline.FIRST_LOOKS and at.since(state.began) >= _LEARN_S)
    return replace(state, baseline=learned, known=known)


def _stands(evidence: TamperEvidence, seen: Observation, at: Instant) -> bool:
    """Something sharp came, and may drive on: a lorry that was learned would be missed when it is gone."""
    fresh = seen.change is not None and seen.change.fresh >= _FRESH
    return fresh and evidence.healthy is not None and at.since(evidence.healthy) <= evidences.STANDING_S


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
