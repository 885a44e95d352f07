"""What a training says of itself: one point for each look, and everything at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.dataset.types import AnnotatedImage
from models.train.held_back import HeldBackResult

LEAST_KEPT = 0.9
"""Of what the base is sure of elsewhere, in what is written: a tenth is what learning may cost."""


@dataclass(frozen=True, slots=True)
class HeldBackPoint:
    """One look at the held-back pictures.

    Attributes:
        step: After so many steps.
        precision: AP50 of each label that was looked for, 0..1.
        kept: How much of what the base is sure of is still found on pictures to rehearse with, 0..1; None if
            nothing was rehearsed.
        loss: Mean of the labelled pictures' loss since the point before.
        rehearsal: Mean distance to the base on the others.
    """

    step: int
    precision: dict[str, float]
    kept: float | None = None
    loss: float = 0.0
    rehearsal: float = 0.0

    @property
    def mean(self) -> float:
        """Over the labels; 0 without any."""
        return sum(self.precision.values()) / max(1, len(self.precision))

    @property
    def remembers(self) -> bool:
        """Whether enough is kept; where nothing was rehearsed nobody can tell, and it counts as enough."""
        return self.kept is None or self.kept >= LEAST_KEPT


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far training is, for whoever shows it."""

    step: int
    steps: int
    loss: float
    rehearsal: float
    point: HeldBackPoint | None
    """The newest look at the held-back pictures."""
    round: int = 1
    rounds: int = 1
    """Without pictures that nobody labelled there is one."""
    labelling: bool = False
    """What the mean of the first rounds is sure of becomes labels; steps are pictures."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A network between the base and the trained one, and what it is worth.

    Attributes:
        share: Of the trained one's weights, 0..1; the rest is the base's.
        point: A look at it.
    """

    share: float
    point: HeldBackPoint


def most_learned(mixtures: Sequence[Mixture]) -> Mixture:
    """The one that learned most of those that remember enough; the one that kept most where none does."""
    enough = [one for one in mixtures if one.point.remembers]
    if enough:
        return max(enough, key=lambda one: one.point.mean)
    return max(mixtures, key=lambda one: one.point.kept or 0.0)


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What came of a training.

    Attributes:
        model: The .onnx that was written.
        steps: So many were made, of `planned`.
        points: Every look, the first before any step.
        best: The step whose weights were taken.
        mixtures: What was tried between the base and them, by rising share.
        share: The one that was taken.
        before, after: Looks at the base, and at the model.
        sure_from: In the model's card.
        learned, held_back: Pictures with labels.
        rehearsed, checked: Pictures to rehearse with, and to see on them what is forgotten.
        pseudo_labelled: Pictures that the mean of the first rounds' networks has labelled.
        pseudo_labels: How many labels these are.
        cameras: Held back.
        seconds: Of learning, over all runs.
        device: What computed.
        memory_mb: Of this process, at most.
    """

    model: Path
    steps: int
    planned: int
    points: tuple[HeldBackPoint, ...]
    best: int
    mixtures: tuple[Mixture, ...]
    share: float
    before: HeldBackResult
    after: HeldBackResult
    sure_from: float
    learned: int
    held_back: int
    rehearsed: int
    checked: int
    pseudo_labelled: tuple[AnnotatedImage, ...]
    pseudo_labels: int
    cameras: tuple[str, ...]
    seconds: float
    device: str
    memory_mb: int
