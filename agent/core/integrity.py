"""Can the camera still see: covered, dark, bright, blurred, moved or frozen.

Twice a second the picture is compared, block by block, with what is usual for this camera (usual.py).
A fault is a sudden loss that lasts; what changes over minutes (dusk, fog, snow on the ground) is learned along.

Lee et al. ("Unified camera tamper detection based on edge and object information", Sensors 2015) compare the
rate of lost edges with its own temporal average. Here the correlation of structure takes the place of edges, so
that plain asphalt serves as well, and area is what counts: a bus hides less than a bag.
Saglam and Temizel ("Real-time adaptive camera tamper detection", AVSS 2009) judge defocus by the loss of high
frequencies beside the background's; here they are set beside the contrast, or fog would be a defocus.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from pydantic import Field

from agent.core import eyesight, usual
from agent.core.eyesight import Floats, Look
from agent.core.types import Frame, Instant
from agent.core.usual import Change, Usual
from agent.settings import Settings

_LOOKS = 3
"""Looks that are averaged: passing things, rain and flashes count a third."""
_LEARN_S = 4.0
_SUDDEN_S = 6.0
"""A fault comes within so long of a picture that was as usual. Fog, dusk and dirt take longer, and are learned;
a loss is not, before it is told."""
_USUAL_LOST = 0.3
_GAP_S = 30.0
_LONG_GAP_S = 1800.0
"""After so long without frames the light is another: learn afresh."""
_LARGE = 0.2
"""So much more than `lost_share` must be gone before a standing bus is out of the question."""
_BLURRY = 0.25
"""At least this share of the edges must be soft; where it is less than twice that, it may be a vehicle."""
_BACK_SHARE = 0.35
_NEARLY_BACK = 0.55
_NEARLY_S = 60.0
_FORGIVEN_S = 3.0
"""So long without a symptom undoes the evidence for a fault."""
_JUDGED = 0.08
_DARK = 0.07
_WHITE_SHARE = 0.5
_EDGE = 3.0
"""Luma steps of structure that noise does not reach."""


class Fault(StrEnum):
    """Why the camera cannot see; the values stand in events."""

    COVERED = "covered"
    DARK = "dark"
    BRIGHT = "bright"
    BLURRED = "blurred"
    MOVED = "moved"
    FROZEN = "frozen"


class IntegritySettings(Settings):
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
        8.5,
        ge=1,
        le=60,
        description="The same where it is gone only in part, which a bus could do, in seconds.",
    )
    back_after_s: float = Field(
        2.0, ge=0.5, le=60, description="How long the view must be back until the fault is over, in seconds."
    )
    frozen_after_s: float = Field(
        8.0,
        ge=2,
        le=600,
        description="Frozen when no pixel changed for so long, in seconds. A stream that often stands still by "
        "itself is given twice its own longest time.",
    )
    memory_s: float = Field(
        60.0, ge=10, le=3600, description="How long the look of the scene is remembered, in seconds."
    )


@dataclass(frozen=True, slots=True)
class View:
    """What is known of the camera's sight."""

    fault: Fault | None = None
    since: Instant | None = None
    """When the fault began, as well as can be told; before it was found."""
    lost: float = 0.0
    """Share of the usual structure that is gone, 0..1."""
    sharpness: float = 1.0
    """As a part of the usual."""


SEES = View()


@dataclass(frozen=True, slots=True)
class IntegrityState:
    """What is remembered; arrays are never written after they are made."""

    at: Instant
    began: Instant
    looks: tuple[Look, ...]
    """The latest, at most three, oldest first."""
    steady: Floats
    usual: Usual | None
    """None while nothing could be learned."""
    known: bool
    """The usual view is known well enough to judge by."""
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
    view: View = SEES


@dataclass(frozen=True, slots=True)
class _Symptom:
    fault: Fault
    hold_s: float
    partly: bool = False
    """It may be a vehicle."""


@dataclass(frozen=True, slots=True)
class _Seen:
    look: Look
    steady: Floats
    noise: Floats
    """Power in `steady` that does not stay, by block."""
    rich: float
    """Share of the view that shows something that stays."""
    blank: bool
    """Nothing is to be seen, moving or not."""
    change: Change | None


def update(
    state: IntegrityState | None, frame: Frame, settings: IntegritySettings
) -> tuple[IntegrityState, View]:
    """Judge one frame; between two looks the last judgement stands.

    A new size, a clock that ran backwards or half an hour without frames starts afresh.
    """
    if not settings.enabled:
        return state or _fresh(frame, eyesight.look(frame)), SEES
    if state is not None and 0 <= frame.at.since(state.at) < settings.look_every_s * 0.9:
        return state, state.view
    look = eyesight.look(frame)
    if state is None or _unlike(state, frame, look):
        fresh = _fresh(frame, look)
        return fresh, fresh.view
    passed_s = frame.at.since(state.at)
    if passed_s > _GAP_S:
        state = replace(state, looks=(), evidence=0.0, partly=0.0, healthy=frame.at, hinted=None, same=None)
        passed_s = settings.look_every_s
    seen = _see(state, look)
    state = _stillness(state, look, frame.at, settings)
    state = _healthy(state, seen, frame.at, settings)
    symptom = _symptom(state, seen, frame.at, settings)
    state = _weighed(state, symptom, passed_s, settings)
    state = _judged(state, seen, symptom, frame.at, settings)
    state = _learned(state, seen, symptom, frame.at, passed_s, settings)
    looks = (*state.looks, look)[-_LOOKS:]
    return replace(state, at=frame.at, looks=looks, steady=seen.steady), state.view


def _unlike(state: IntegrityState, frame: Frame, look: Look) -> bool:
    passed_s = frame.at.since(state.at)
    return state.steady.shape != look.structure.shape or passed_s < 0 or passed_s > _LONG_GAP_S


def _fresh(frame: Frame, look: Look) -> IntegrityState:
    return IntegrityState(frame.at, frame.at, (look,), look.structure, None, False)


def _see(state: IntegrityState, look: Look) -> _Seen:
    recent = (*(each.structure for each in state.looks[1 - _LOOKS :]), look.structure)
    steady = np.asarray(sum(recent[1:], recent[0]) / np.float32(len(recent)), np.float32)
    before = state.looks[-1].structure if state.looks else look.structure
    rich = float(usual.shows(before, look.structure)[1:-1].mean())
    edges = float((np.abs(look.structure[12:-12]) > _EDGE).mean())
    noise = eyesight.blocks((look.structure - before) ** 2) / np.float32(2 * len(recent))
    change = usual.compare(state.usual, look, steady, noise) if state.known and state.usual else None
    return _Seen(look, steady, noise, rich, rich < 0.02 and edges < 0.001, change)


def _stillness(state: IntegrityState, look: Look, at: Instant, settings: IntegritySettings) -> IntegrityState:
    if state.looks and eyesight.same(state.looks[-1], look):
        return replace(state, same=state.same or state.at)
    natural_s = state.natural_s
    if state.same and state.view.fault is not Fault.FROZEN:
        natural_s = max(natural_s, state.at.since(state.same))
    return replace(state, same=None, natural_s=min(natural_s, 60.0))


def _healthy(state: IntegrityState, seen: _Seen, at: Instant, settings: IntegritySettings) -> IntegrityState:
    change = seen.change
    if change is None:
        return replace(state, healthy=at)
    as_usual = change.lost < _USUAL_LOST and change.sharp > (1 + settings.sharpness) / 2 - 0.05
    return replace(state, healthy=at) if as_usual else state


def _sudden(state: IntegrityState, at: Instant) -> bool:
    """What is amiss came suddenly, or is being told already."""
    recent = state.healthy is not None and at.since(state.healthy) <= _SUDDEN_S
    return recent or state.partly > 0 or state.view.fault is not None


def _symptom(state: IntegrityState, seen: _Seen, at: Instant, settings: IntegritySettings) -> _Symptom | None:
    """What speaks for a fault in this look, and how long it must go on."""
    change, before = seen.change, state.usual
    if change is None or before is None:
        blank = seen.blank and not state.known
        return _Symptom(_by_level(float(seen.look.levels.mean())), settings.after_s) if blank else None
    found = _light(seen, change, before, settings)
    if found is None and change.judged >= _JUDGED and change.lost >= settings.lost_share:
        large = change.lost * change.judged > settings.lost_share + _LARGE
        found = _Symptom(_name(seen, change, before), settings.after_s, partly=not large)
    found = found or _blur(change, settings)
    if found and _sudden(state, at):
        return found
    if seen.blank and seen.look.high < _DARK:
        return _Symptom(Fault.DARK, 20 * settings.after_s)  # it came slowly, but nothing is left
    return None


def _blur(change: Change, settings: IntegritySettings) -> _Symptom | None:
    """The edges are where they were, but soft; a passing vehicle leaves none, and the others sharp."""
    blurry, clear = change.blurry(settings.sharpness)
    if blurry < _BLURRY or clear > min(blurry, 1 - settings.lost_share):
        return None
    return _Symptom(Fault.BLURRED, settings.after_s, partly=blurry < 2 * _BLURRY)


def _light(seen: _Seen, change: Change, before: Usual, settings: IntegritySettings) -> _Symptom | None:
    """Suddenly far too little of it, or too much."""
    high, white = seen.look.high, seen.look.white
    if high < (_DARK if change.lost < 0.35 else 2 * _DARK) and high < 0.35 * before.high:
        return _Symptom(Fault.DARK, settings.after_s)
    if white >= _WHITE_SHARE and before.white < _WHITE_SHARE / 2:
        large = white >= _WHITE_SHARE + 0.2
        return _Symptom(Fault.BRIGHT, settings.after_s, partly=not large)
    return None


def _by_level(level: float) -> Fault:
    return Fault.DARK if level < 0.15 else Fault.BRIGHT if level > 0.85 else Fault.COVERED


def _name(seen: _Seen, change: Change, before: Usual) -> Fault:
    """What took the structure away."""
    in_place = float((change.kept[1:-1] > 0.8).mean())  # names and clocks are burned in at the edge
    detail = float(seen.look.detail.mean()) / max(float(before.detail.mean()), 0.1)
    if seen.rich >= 0.5 * before.rich and detail > 0.4 and in_place < 0.08:
        return Fault.MOVED
    gone = change.kept < 0.5
    level = _by_level(float(seen.look.levels[gone].mean())) if gone.any() else Fault.COVERED
    if level is Fault.COVERED and usual.correlation(seen.look.levels, before.levels) > 0.8:
        return Fault.BLURRED
    return level


def _weighed(
    state: IntegrityState, symptom: _Symptom | None, passed_s: float, settings: IntegritySettings
) -> IntegrityState:
    if symptom is None:
        left = (max(0.0, each - passed_s / _FORGIVEN_S) for each in (state.evidence, state.partly))
        evidence, partly = left
        return replace(state, evidence=evidence, partly=partly, hinted=state.hinted if partly else None)
    evidence = state.evidence + (0.0 if symptom.partly else passed_s / symptom.hold_s)
    partly = state.partly + passed_s / max(settings.partly_after_s, symptom.hold_s)
    return replace(state, evidence=min(evidence, 1.0), partly=min(partly, 1.0), hinted=state.hinted or state.at)


def _judged(
    state: IntegrityState, seen: _Seen, symptom: _Symptom | None, at: Instant, settings: IntegritySettings
) -> IntegrityState:
    lost, sharp = 0.0, 1.0
    if seen.change:
        lost, sharp = seen.change.lost, seen.change.sharp
    told = replace(state.view, lost=round(lost, 3), sharpness=round(sharp, 3))
    if told.fault is None:
        patience_s = max(settings.frozen_after_s, _patience(state.natural_s))
        if symptom and max(state.evidence, state.partly) >= 1:
            told = replace(told, fault=symptom.fault, since=state.hinted)
        elif state.same and at.since(state.same) >= patience_s:
            told = replace(told, fault=Fault.FROZEN, since=state.same)
        return replace(state, view=told, well=None, nearly=None)
    if told.fault is Fault.FROZEN:
        over = state.same is None
        return replace(state, view=replace(told, fault=None, since=None) if over else told)
    turned = (state.turned or at) if symptom and symptom.fault is Fault.MOVED else None
    if turned and at.since(turned) >= settings.after_s:
        told = replace(told, fault=Fault.MOVED)  # uncovered, but turned away: its zones want checking
    return _ended(replace(state, view=told, turned=turned), seen, symptom, at, settings)


def _patience(natural_s: float) -> float:
    return 2 * natural_s if natural_s > 4 else 0.0


def _ended(
    state: IntegrityState, seen: _Seen, symptom: _Symptom | None, at: Instant, settings: IntegritySettings
) -> IntegrityState:
    """The fault goes on until the view is back."""
    lost = seen.change.lost if seen.change else 0.0
    back = symptom is None and not seen.blank and lost < _BACK_SHARE
    nearly = symptom is None and not seen.blank and lost < _NEARLY_BACK
    well = (state.well or at) if back else None
    nearly_since = (state.nearly or at) if nearly else None
    over = (well and at.since(well) >= settings.back_after_s) or (
        nearly_since and at.since(nearly_since) >= _NEARLY_S
    )
    if over:
        view = replace(state.view, fault=None, since=None)
        return replace(
            state, view=view, well=None, nearly=None, evidence=0.0, partly=0.0, healthy=at, hinted=None
        )
    return replace(state, well=well, nearly=nearly_since)


def _learned(
    state: IntegrityState,
    seen: _Seen,
    symptom: _Symptom | None,
    at: Instant,
    passed_s: float,
    settings: IntegritySettings,
) -> IntegrityState:
    """What is usual, after this look. Nothing is learned of a blank picture, during a fault or at its onset."""
    if seen.blank or state.view.fault is not None:
        return state if state.known else replace(state, usual=None, began=at)
    if state.usual is None:
        return replace(state, usual=usual.begin(seen.look), began=at)
    change = seen.change
    if change and not _as_usual(state, at) and _mode_switched(state.usual, seen, change):
        return replace(state, usual=usual.begin(seen.look), known=False, began=at, evidence=0.0, partly=0.0)
    if not _as_usual(state, at) and _sudden(state, at):
        return state
    like = change.like if change else eyesight.likeness(seen.steady, state.usual.structure, seen.noise)
    learned = usual.learn(state.usual, seen.look, like, seen.rich, passed_s, settings.memory_s)
    known = state.known or (learned.looks >= usual.FIRST_LOOKS and at.since(state.began) >= _LEARN_S)
    return replace(state, usual=learned, known=known)


def _as_usual(state: IntegrityState, at: Instant) -> bool:
    return state.healthy == at and state.partly == 0


def _mode_switched(before: Usual, seen: _Seen, change: Change) -> bool:
    """To infrared or back: other colours, and something is to be seen, in part where it was."""
    shows = seen.rich >= 0.4 * before.rich and change.lost < 0.85
    return shows and usual.colour_switched(before, seen.look)
