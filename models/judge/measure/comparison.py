"""Two models on one set: every figure of both, the difference, and its interval over the same resamples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.dataset.types import Dataset
from models.judge.looking import PictureFinds
from models.judge.measure.bootstrap import Estimate, estimate, resampled
from models.judge.measure.figures import LabelOutcome
from models.judge.measure.outcomes import LabelFinds, SetPart, label_finds, parts
from models.judge.scenes import Scenes, find_scenes

AP50, RECALL, PRECISION, F1 = "ap50", "recall", "precision", "f1"
WHOLE_RECALL, WHOLE_PRECISION = "whole_recall", "whole_precision"
"""As RECALL and PRECISION, which are with tiles, but of one call on the whole picture."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure of both models, 0..1, and what the new one has more."""

    old: Estimate
    new: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One label in a set, or in a part of it.

    Attributes:
        kind, part: Empty for the whole set.
        objects: Labelled ones that count.
        scenes: Those with such an object.
        changes: By name of the figure; some are missing in parts.
        samples: Of the whole set, the differences (R,) in each resample, by name of the figure.
    """

    label: str
    kind: str
    part: str
    objects: int
    scenes: int
    changes: dict[str, FigureChange]
    samples: dict[str, Floats] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LostObject:
    """A labelled object that only one of the models finds, with tiles, at the score that counts.

    Attributes:
        picture: Its number in the set.
        box: Left, top, right, bottom in pixels.
    """

    picture: int
    label: str
    box: tuple[float, float, float, float]
    by_new: bool
    """The new model lost it; or else the old one, and the new one found it."""


@dataclass(frozen=True, slots=True)
class SetComparison:
    """What came out of one set.

    Attributes:
        rows: Of each label that is judged, the whole set first, then its parts.
        unjudged: Labels of the set that neither model tells.
    """

    dataset: Dataset
    scenes: Scenes
    rows: tuple[LabelRow, ...]
    unjudged: tuple[str, ...]
    lost: tuple[LostObject, ...]

    @property
    def whole(self) -> tuple[LabelRow, ...]:
        """The rows of the whole set."""
        return tuple(row for row in self.rows if not row.kind)


@dataclass(frozen=True, slots=True)
class _Views:
    """One label of one model in the three ways of looking."""

    ranked: LabelFinds
    whole: LabelFinds
    tiled: LabelFinds


def compare(
    dataset: Dataset,
    old: Sequence[PictureFinds],
    new: Sequence[PictureFinds],
    labels: Sequence[str],
    score: float,
    weights: Callable[[int], Floats] = resampled,
) -> SetComparison:
    """Compare what two models found in the pictures of the set.

    Args:
        dataset: What is there. A label without a single object is not judged: nobody may have looked for it.
        old: What the old model found in each picture.
        new: What the new one found.
        labels: Those that one of the models tells.
        score: From which a box counts for recall and precision.
        weights: Makes the resamples for so many scenes.
    """
    scenes = find_scenes(dataset)
    drawn = weights(scenes.count)
    there = {each.label for image in dataset.images for each in image.annotations if not each.ignored}
    rows: list[LabelRow] = []
    lost: list[LostObject] = []
    for label in (label for label in dataset.labels if label in there and label in labels):
        before, after = _views(dataset, old, label), _views(dataset, new, label)
        for part in (None, *parts(dataset)):
            row = _row(label, part, before, after, scenes, drawn, score)
            if row.objects:
                rows.append(row)
        lost += _lost(dataset, label, before.tiled, after.tiled, score)
    unjudged = tuple(label for label in dataset.labels if label in there and label not in labels)
    return SetComparison(dataset, scenes, tuple(rows), unjudged, tuple(lost))


def _views(dataset: Dataset, finds: Sequence[PictureFinds], label: str) -> _Views:
    return _Views(
        label_finds(dataset, [each.ranked for each in finds], label),
        label_finds(dataset, [each.whole for each in finds], label),
        label_finds(dataset, [each.tiled for each in finds], label),
    )


def _row(
    label: str, part: SetPart | None, old: _Views, new: _Views, scenes: Scenes, weights: Floats, score: float
) -> LabelRow:
    ranked = old.ranked.outcome(scenes, part), new.ranked.outcome(scenes, part)
    tiled = old.tiled.outcome(scenes, part), new.tiled.outcome(scenes, part)
    objects = tiled[0].objects
    count = int((objects > 0).sum())

    drawn: dict[str, Floats] = {}

    def change(
        name: str, pair: tuple[LabelOutcome, LabelOutcome], figure: Callable[..., Floats], *at: float
    ) -> FigureChange:
        values = [float(figure(each, *at)[0]) for each in pair]
        samples = [figure(each, *at, weights) for each in pair]
        drawn[name] = samples[1] - samples[0]
        return FigureChange(
            estimate(values[0], samples[0], count),
            estimate(values[1], samples[1], count),
            estimate(values[1] - values[0], drawn[name], count),
        )

    figures: list[tuple[str, tuple[LabelOutcome, LabelOutcome], Callable[..., Floats], tuple[float, ...]]] = [
        (AP50, ranked, LabelOutcome.average_precision, ()),
        (RECALL, tiled, LabelOutcome.recall, (score,)),
        (PRECISION, tiled, LabelOutcome.precision, (score,)),
        (F1, tiled, LabelOutcome.f1, (score,)),
    ]
    if part is None:
        whole = old.whole.outcome(scenes), new.whole.outcome(scenes)
        figures.append((WHOLE_RECALL, whole, LabelOutcome.recall, (score,)))
        figures.append((WHOLE_PRECISION, whole, LabelOutcome.precision, (score,)))
    changes = {name: change(name, pair, figure, *at) for name, pair, figure, at in figures}
    kind, name = (part.kind, part.name) if part else ("", "")
    return LabelRow(label, kind, name, int(objects.sum()), count, changes, {} if part else drawn)


def _lost(dataset: Dataset, label: str, old: LabelFinds, new: LabelFinds, score: float) -> list[LostObject]:
    objects = [
        (number, each.box)
        for number, image in enumerate(dataset.images)
        for each in image.annotations
        if each.label == label and not each.ignored
    ]
    found_by_old, found_by_new = old.object_scores >= score, new.object_scores >= score
    return [
        LostObject(number, label, box, bool(found_by_old[row]))
        for row, (number, box) in enumerate(objects)
        if found_by_old[row] != found_by_new[row]
    ]
