"""How often the detector has changed its mind about each road user that is followed. Pure.

The label of a track is settled by votes; here the single detections count, before they are outvoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.core.geometry import as_array, iou
from agent.core.tracking.sensitive import FOUR_WHEELS, TWO_WHEELS
from agent.core.types import Detection, Track

SAME = 0.5
"""Overlap (IoU) from which a detection is of a track."""
LEAST_SCORE = 0.2
"""What a weaker detection says of a label is chance."""


@dataclass(frozen=True, slots=True)
class LabelChanges:
    """Of one track."""

    track_id: str
    label: str
    """That of its last detection."""
    changes: int = 0
    used: bool = False
    """A frame was kept because of it."""


def follow(
    known: Sequence[LabelChanges], tracks: Sequence[Track], found: Sequence[Detection]
) -> tuple[LabelChanges, ...]:
    """Of all tracks that live, with what the detector says of them in this frame."""
    living = [each for each in tracks if each.seen and not each.ended]
    alive = {each.id for each in tracks if not each.ended}
    before = {each.track_id: each for each in known if each.track_id in alive}
    sure = [each for each in found if each.score >= LEAST_SCORE]
    if living and sure:
        shared = iou(as_array([each.box for each in living]), as_array([each.box for each in sure]))
        for row, track in enumerate(living):
            best = int(shared[row].argmax())
            if shared[row, best] >= SAME:
                before[track.id] = _after(before.get(track.id), track, sure[best].label)
    return tuple(before.values())


def _after(known: LabelChanges | None, track: Track, label: str) -> LabelChanges:
    if known is None:
        return LabelChanges(track.id, label)
    if label == known.label or _part_of_it(track.label, label):
        return known
    return replace(known, label=label, changes=known.changes + 1)


def _part_of_it(whole: str, label: str) -> bool:
    """A rider on a two-wheeler, or a driver in a car, is no other word for it."""
    return label == "person" and whole in TWO_WHEELS | FOUR_WHEELS
