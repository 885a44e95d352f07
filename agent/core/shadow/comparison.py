"""Two models that looked at the same crops: what each found, folded in crop by crop.

    old   ■ 0.83 car      ■ 0.71 truck      ■ 0.40 person        new   □ 0.79 car     □ 0.66 person
          └─ found ──────────┼──────────────── not sure: no claim ─────────┴ nobody's: only of the new one
                             └─ missed

Who is right nobody knows here: there are no labels. So nothing is called better. What shows is a model that
does not work on this box: it misses what the old one is sure of, or sees crowds where nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from agent.core.geometry import as_array, iou
from agent.core.shadow.histogram import TimeHistogram
from agent.core.types import Box, Detection

SURE: Final = 0.6
"""At this score three of four boxes are right, of any network with a card: a box of which a model is sure."""
SAME_IOU: Final = 0.5
"""Boxes that overlap so much are of one object, whatever they are called (PASCAL VOC's bound)."""
SMALL, LARGE = 0.1, 0.3
"""Bounds of an object's size: the root of its share of the crop."""


class ShadowFailure(StrEnum):
    """How a look of the model in the shadow may fail."""

    DIED = "died"
    """Its process ended."""
    LATE = "late"
    """It gave no answer in time, and its process was ended."""
    ERROR = "error"
    """It said why it could not."""
    NONSENSE = "nonsense"
    """What it gave is no number, or no box."""


@dataclass(frozen=True, slots=True)
class ComparedCrop:
    """One crop that both looked at; boxes in its fractions."""

    old: tuple[Detection, ...]
    new: tuple[Detection, ...]
    rests: bool
    """Nothing moves in it, and nobody is followed there."""
    ms: float
    """Processor time of the new one; on other hardware the time that passed."""
    new_mb: float = 0.0
    """The most memory that its process has held."""


@dataclass(frozen=True, slots=True)
class FoundObjects:
    """Of the old one's sure objects of one kind: how many there were, and what became of them."""

    objects: int = 0
    found: int = 0
    same_label: int = 0
    """Of those found."""

    def add(self, found: bool, same_label: bool) -> FoundObjects:
        """With one more."""
        return FoundObjects(self.objects + 1, self.found + found, self.same_label + (found and same_label))


@dataclass(frozen=True, slots=True)
class ShadowComparison:
    """What was seen so far."""

    watched_s: float = 0.0
    """So long it looked while the box had time for it."""
    crops: int = 0
    labels: Mapping[str, FoundObjects] = field(default_factory=dict)
    """The old one's sure objects, by its label."""
    sizes: Mapping[str, FoundObjects] = field(default_factory=dict)
    """The same by size: small, medium, large."""
    only_new: Mapping[str, int] = field(default_factory=dict)
    """Sure objects of the new one where the old one sees nothing at any score, by label."""
    rests: int = 0
    """Crops in which the old one sees nothing and nothing moves."""
    in_rests: int = 0
    """Sure objects of the new one in these."""
    failures: Mapping[ShadowFailure, int] = field(default_factory=dict)
    why: str = ""
    """Its last failure, in words."""
    broken: str = ""
    """Why it can do nothing at all; empty: it can."""
    old_ms: TimeHistogram = field(default_factory=TimeHistogram)
    """Of the old one, in a process like that of the new one."""
    new_ms: TimeHistogram = field(default_factory=TimeHistogram)
    old_mb: float = 0.0
    """The most memory that such a process has held."""
    new_mb: float = 0.0

    @property
    def all(self) -> FoundObjects:
        """The old one's sure objects of all labels."""
        whole = FoundObjects()
        for each in self.labels.values():
            whole = FoundObjects(
                whole.objects + each.objects, whole.found + each.found, whole.same_label + each.same_label
            )
        return whole

    @property
    def failed(self) -> int:
        """How many looks failed, however."""
        number = 0
        for many in self.failures.values():
            number += many
        return number


def compared(state: ShadowComparison, crop: ComparedCrop) -> ShadowComparison:
    """With one crop more."""
    partners = _partners(crop.old, crop.new)
    labels, sizes = dict(state.labels), dict(state.sizes)
    for index, each in enumerate(crop.old):
        if each.score < SURE:
            continue
        partner = partners.get(index)
        same = partner is not None and crop.new[partner].label == each.label
        for kinds, kind in ((labels, each.label), (sizes, size_of(each.box))):
            kinds[kind] = kinds.get(kind, FoundObjects()).add(partner is not None, same)
    only_new = dict(state.only_new)
    for each in _strangers(crop):
        only_new[each.label] = only_new.get(each.label, 0) + 1
    rests = crop.rests and not crop.old
    return replace(
        state,
        crops=state.crops + 1,
        labels=labels,
        sizes=sizes,
        only_new=only_new,
        rests=state.rests + rests,
        in_rests=state.in_rests + (len(_sure(crop.new)) if rests else 0),
        new_ms=state.new_ms.add(crop.ms),
        new_mb=max(state.new_mb, crop.new_mb),
    )


def measured(state: ShadowComparison, ms: float, mb: float) -> ShadowComparison:
    """With one look of the old one in such a process."""
    return replace(state, old_ms=state.old_ms.add(ms), old_mb=max(state.old_mb, mb))


def failed(state: ShadowComparison, how: ShadowFailure, why: str) -> ShadowComparison:
    """With one look that failed."""
    failures = {**state.failures, how: state.failures.get(how, 0) + 1}
    return replace(state, failures=failures, why=why)


def size_of(box: Box) -> str:
    """In words: small, medium or large, by its share of the crop."""
    side = box.area**0.5
    if side < SMALL:
        return "small"
    return "medium" if side < LARGE else "large"


def _sure(found: Sequence[Detection]) -> list[Detection]:
    return [each for each in found if each.score >= SURE]


def _partners(old: Sequence[Detection], new: Sequence[Detection]) -> dict[int, int]:
    """Index of the old one's objects -> that of the new one's, each once.

    Those of one label first, for a rider's box overlaps his motorcycle's; then the best overlaps.
    """
    if not old or not new:
        return {}
    overlaps = iou(as_array([each.box for each in old]), as_array([each.box for each in new]))
    pairs = sorted(
        (old[i].label != new[k].label, -float(overlaps[i, k]), i, k)
        for i in range(len(old))
        for k in range(len(new))
        if overlaps[i, k] >= SAME_IOU
    )
    partners: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, i, k in pairs:
        if i not in partners and k not in taken:
            partners[i] = k
            taken.add(k)
    return partners


def _strangers(crop: ComparedCrop) -> list[Detection]:
    """Sure objects of the new one that overlap nothing that the old one sees."""
    sure = _sure(crop.new)
    if not sure or not crop.old:
        return sure
    overlaps = iou(as_array([each.box for each in sure]), as_array([each.box for each in crop.old]))
    return [each for each, most in zip(sure, overlaps.max(axis=1), strict=True) if most < SAME_IOU]
