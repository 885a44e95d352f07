"""Tamper evidence: what looks at the picture add up to, until it is a fault, and until that is over.

Debounced by weight: a symptom must go on as long as what else it may be takes to pass, and what speaks for
nothing any more is forgiven in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.core.tamper import features
from agent.core.tamper.classify import Doubt, Observation, Symptom, TamperKind
from agent.core.tamper.features import Look
from agent.core.tamper.settings import TamperSettings
from agent.core.types import Instant

_SUDDEN_S = 6.0
"""A fault comes within so long of a picture that was as usual. Fog, dusk and dirt take longer, and are learned;
a loss is not, before it is told."""
_BLURS_S = 3.0
"""Breath comes, or focus goes, within so long of a picture that was as usual; a bank of fog takes longer."""
_COUNTS_S = 1.0
"""One look speaks for no more time than this, or than two looks: nobody knows what was before it."""
_BACK_SHARE = 0.35
_NEARLY_BACK = 0.55
_NEARLY_S = 60.0
_FORGIVEN_S = 3.0
"""So long without a symptom undoes the evidence for a fault."""
STANDING_S = 30.0
"""A bus, or a lorry that waits, is gone by then."""


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


@dataclass(frozen=True, slots=True)
class TamperEvidence:
    """How the judgement stands."""

    healthy: Instant | None = None
    """When the picture was last as usual."""
    suspected: Instant | None = None
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


def stillness(evidence: TamperEvidence, before: Look, look: Look, before_at: Instant) -> TamperEvidence:
    """With what two looks in a row tell of a picture that stands still; `before_at` is when the first was."""
    if features.same(before, look):
        return evidence if evidence.same else replace(evidence, same=before_at)
    if evidence.same is None:
        return evidence
    natural_s = evidence.natural_s
    if evidence.view.fault is not TamperKind.FROZEN:
        natural_s = min(60.0, max(natural_s, before_at.since(evidence.same)))
    return replace(evidence, same=None, natural_s=natural_s)


def sudden(evidence: TamperEvidence, at: Instant) -> bool:
    """What is amiss came suddenly, or is being told already."""
    recent = evidence.healthy is not None and at.since(evidence.healthy) <= _SUDDEN_S
    return recent or evidence.weight_partly > 0 or evidence.view.fault is not None


def blurred_at_once(evidence: TamperEvidence, at: Instant) -> bool:
    """What is blurred became so at once, or is told already."""
    began, healthy = evidence.suspected or at, evidence.healthy
    return evidence.view.fault is not None or (healthy is not None and began.since(healthy) <= _BLURS_S)


def _hold_s(doubt: Doubt, settings: TamperSettings) -> float:
    """How long a symptom must go on."""
    return {
        Doubt.NONE: settings.after_s,
        Doubt.PASSING: settings.partly_after_s,
        Doubt.STANDING: max(STANDING_S, settings.partly_after_s),
        Doubt.SLOW: 20 * settings.after_s,
    }[doubt]


def weighed(
    evidence: TamperEvidence, found: Symptom | None, at: Instant, passed_s: float, settings: TamperSettings
) -> TamperEvidence:
    """With the weight of one look, which stands for `passed_s` seconds."""
    if found is None:
        if not evidence.weight_partly and not evidence.weight:
            return evidence
        weight, partly = (
            max(0.0, each - passed_s / _FORGIVEN_S) for each in (evidence.weight, evidence.weight_partly)
        )
        suspected = evidence.suspected if partly else None
        return replace(evidence, weight=weight, weight_partly=partly, suspected=suspected)
    hold_s = _hold_s(found.doubt, settings)
    passed_s = min(passed_s, max(_COUNTS_S, 2 * settings.look_every_s))
    vehicle = found.doubt in (Doubt.PASSING, Doubt.STANDING)
    weight = evidence.weight + (0.0 if vehicle else passed_s / hold_s)
    partly = evidence.weight_partly + passed_s / max(settings.partly_after_s, hold_s)
    return replace(
        evidence, weight=min(weight, 1.0), weight_partly=min(partly, 1.0), suspected=evidence.suspected or at
    )


def judged(
    evidence: TamperEvidence, seen: Observation, found: Symptom | None, at: Instant, settings: TamperSettings
) -> TamperEvidence:
    """With the judgement after this look: which fault there is, since when, and whether it is over."""
    lost, sharp = (seen.change.lost, seen.change.sharp) if seen.change else (0.0, 1.0)
    fault, since = evidence.view.fault, evidence.view.since
    if fault is None:
        if found and max(evidence.weight, evidence.weight_partly) >= 1:
            fault, since = found.fault, evidence.suspected
        elif evidence.same and at.since(evidence.same) >= frozen_after_s(evidence, settings):
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


def frozen_after_s(evidence: TamperEvidence, settings: TamperSettings) -> float:
    """How long no pixel may change, in seconds: longer for a stream that stands still by itself."""
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
