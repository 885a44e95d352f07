"""Better, worse or cannot tell: the rule, and what it makes of the figures.

Each label of each set is judged by two figures: AP50, and what a box gets with tiles at the score that counts,
which is F1, or where labels are incomplete recall, because there a right box may be taken for a false alarm.

    too few      fewer than 10 objects, or objects in fewer than 5 scenes
    worse        of a figure the whole interval of the difference lies below minus the tolerance
    better       of a figure the whole interval lies above 0, and the other falls by no more than the tolerance
    cannot tell  everything else

Where a figure fell by more than the tolerance, and its whole interval lies below 0 but not below minus the
tolerance, its label has fallen, and nobody knows whether by too much.
All intervals that decide hold together with 95 %: the more labels and sets are judged, the wider they are.
A label is worse if it is in any set, and better if it is in a set and worse in none. The new model is worse if
any label is, and better if each main label is, none is worse, and none has fallen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from models.judge.measure.bootstrap import widened, widening
from models.judge.measure.comparison import AP50, F1, RECALL, LabelRow, SetComparison

ENOUGH_OBJECTS, ENOUGH_SCENES = 10, 5
TOLERANCE = 0.02
"""Two points: less is nothing that a duty room notices."""
MAIN = "motorcycle"
"""What these roads are full of."""


class ModelVerdict(StrEnum):
    """What is said of the new model."""

    BETTER = "better"
    WORSE = "worse"
    CANNOT_TELL = "cannot tell"
    TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict and what it was made of.

    Attributes:
        main: The labels that must be better.
        labels: Of each label.
        rows: Of each set and label.
        fallen: Labels that have fallen, perhaps by no more than the tolerance.
    """

    verdict: ModelVerdict
    main: tuple[str, ...]
    labels: dict[str, ModelVerdict]
    rows: dict[tuple[str, str], ModelVerdict]
    fallen: tuple[str, ...] = ()


def decide(sets: Sequence[SetComparison], main: Sequence[str] = (), tolerance: float = TOLERANCE) -> Decision:
    """The verdict over these sets.

    `main` are the labels that must be better; without any it is MAIN where there are enough of it, or else the
    label of which there are most objects.
    """
    rows = {
        (each.dataset.name, row.label): judge_row(row, each.dataset.incomplete, tolerance)
        for each in sets
        for row in each.whole
    }
    names = dict.fromkeys(label for _, label in rows)
    labels = {label: _over_sets(verdict for (_, of), verdict in rows.items() if of == label) for label in names}
    main = tuple(dict.fromkeys(main)) or _main(sets, labels)
    fallen = tuple(
        dict.fromkeys(
            row.label
            for each in sets
            for row in each.whole
            if has_fallen(row, each.dataset.incomplete, tolerance)
        )
    )
    return Decision(_overall(labels, main, fallen), main, labels, rows, fallen)


def taken_together(sets: Sequence[SetComparison]) -> tuple[SetComparison, ...]:
    """The sets with the differences of their whole rows widened, so that all that decide hold at once."""
    times = widening(
        [
            row.samples[name]
            for each in sets
            for row in each.whole
            if is_enough(row)
            for name in ruling_figures(each.dataset.incomplete)
        ]
    )
    return tuple(replace(each, rows=tuple(_widened(row, times) for row in each.rows)) for each in sets)


def is_enough(row: LabelRow) -> bool:
    """Whether there are objects and scenes enough to judge by."""
    return row.objects >= ENOUGH_OBJECTS and row.scenes >= ENOUGH_SCENES


def _widened(row: LabelRow, times: float) -> LabelRow:
    if row.kind:
        return row
    changes = {
        name: replace(each, difference=widened(each.difference, times)) for name, each in row.changes.items()
    }
    return replace(row, changes=changes)


def ruling_figures(incomplete: bool) -> tuple[str, str]:
    """The two figures by which a label is judged."""
    return AP50, RECALL if incomplete else F1


def judge_row(row: LabelRow, incomplete: bool, tolerance: float) -> ModelVerdict:
    """What one label in one set says."""
    if not is_enough(row):
        return ModelVerdict.TOO_FEW
    changes = [row.changes[name].difference for name in ruling_figures(incomplete)]
    if any(each.high < -tolerance for each in changes):
        return ModelVerdict.WORSE
    if any(each.low > 0 for each in changes) and all(each.value >= -tolerance for each in changes):
        return ModelVerdict.BETTER
    return ModelVerdict.CANNOT_TELL


def has_fallen(row: LabelRow, incomplete: bool, tolerance: float) -> bool:
    """Whether a figure fell for sure, and by more than the tolerance as far as is known."""
    changes = [row.changes[name].difference for name in ruling_figures(incomplete)]
    return is_enough(row) and any(each.high < 0 and each.value < -tolerance for each in changes)


def _over_sets(verdicts: Iterable[ModelVerdict]) -> ModelVerdict:
    """The first of these that any set says."""
    said = set(verdicts)
    order = (ModelVerdict.WORSE, ModelVerdict.BETTER, ModelVerdict.CANNOT_TELL, ModelVerdict.TOO_FEW)
    return next(each for each in order if each in said)


def _main(sets: Sequence[SetComparison], labels: dict[str, ModelVerdict]) -> tuple[str, ...]:
    if labels.get(MAIN, ModelVerdict.TOO_FEW) is not ModelVerdict.TOO_FEW:
        return (MAIN,)
    objects: dict[str, int] = {}
    for row in (row for each in sets for row in each.whole):
        objects[row.label] = objects.get(row.label, 0) + row.objects
    return (max(sorted(objects), key=lambda label: objects[label]),) if objects else ()


def _overall(labels: dict[str, ModelVerdict], main: tuple[str, ...], fallen: tuple[str, ...]) -> ModelVerdict:
    if ModelVerdict.WORSE in labels.values():
        return ModelVerdict.WORSE
    if fallen:
        return ModelVerdict.CANNOT_TELL
    better = [labels.get(label) is ModelVerdict.BETTER for label in main]
    return ModelVerdict.BETTER if better and all(better) else ModelVerdict.CANNOT_TELL
