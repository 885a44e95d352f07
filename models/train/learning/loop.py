"""Training, from the base or from where it stands: learn, look, keep the best, stop when it gets worse.

The best step is the last one that has learned as much as any, as far as a look can tell: at the end of the
cosine the rate is low, and what was forgotten on the way comes back. It is not yet the best network: between
it and the base lie others, which have forgotten less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

from models.train.held_back import HeldBackResult
from models.train.learning.checkpoint import TrainingState, load, save
from models.train.learning.steps import LearningSteps, mixed
from models.train.pictures.batches import Batch, TrainingBatches
from models.train.plan import LOOKS, WARM_UP, Plan, steps_within
from models.train.results import HeldBackPoint, Mixture, TrainingProgress

CHECKPOINT = "checkpoint.pt"
"""In a training's folder."""
PATIENCE = 8
"""Looks that are clearly worse, after which nothing better is expected."""
SHAKE = 0.02
"""By so much the mean AP50 of one look differs from the next by chance alone: with 67 pictures held back it
went up and down by a point, at times two, while what is kept of the base rose to the end (0.87 to 0.90 from
the middle of a round on)."""
SAVE_S = 60.0
"""Between two writings of where training stands."""
SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the trained weights beside the base's, that are tried at the end."""

Look = Callable[[Path], HeldBackResult]
Tell = Callable[[TrainingProgress], None]


class TrainingLoop:
    """One training; its folder keeps where it stands."""

    def __init__(
        self, learning: LearningSteps, batches: TrainingBatches, look: Look, plan: Plan, folder: Path
    ) -> None:
        """Nothing is computed yet; `look` judges a network's file."""
        self._learning, self._batches, self._look_at, self._plan = learning, batches, look, plan
        self._folder = folder

    @property
    def checkpoint(self) -> Path:
        """The file from which a training goes on."""
        return self._folder / CHECKPOINT

    def run(self, of: str, resume: bool, tell: Tell) -> TrainingState:
        """Train; `of` is the hash of what is trained with what.

        Raises:
            ModelError: there is nothing to go on with, a picture cannot be read, or the numbers run away.
        """
        # How many steps the minutes hold is known after the warm-up; until then it looks once in as many.
        steps = self._plan.steps if self._plan.minutes is None else WARM_UP * LOOKS
        standing = load(self.checkpoint, of) if resume else TrainingState(of, steps)
        self._learning.take_up(standing)
        if not standing.points:
            self._look(standing)
        saved = time.monotonic()
        for batch in self._batches.following(standing.step):
            if standing.step >= standing.steps or _no_better(standing):
                break
            losses = self._step(batch, standing)
            looked = standing.step % max(1, standing.steps // LOOKS) == 0 or standing.step >= standing.steps
            if looked:
                self._look(standing)
            if looked or time.monotonic() - saved > SAVE_S:
                self._learning.put_down(standing)
                save(standing, self.checkpoint)
                saved = time.monotonic()
            tell(TrainingProgress(standing.step, standing.steps, *losses, standing.points[-1]))
        return standing

    def mixtures(self, standing: TrainingState, trained: Sequence[Tensor]) -> list[Mixture]:
        """Looks at networks between the base and these weights."""
        return [
            Mixture(share, self._point(standing, mixed(self._learning.base, trained, share)))
            for share in SHARES
        ]

    def _step(self, batch: Batch, standing: TrainingState) -> tuple[float, float]:
        begun = time.monotonic()
        losses = self._learning.step(batch, standing.step, standing.steps)
        standing.step += 1
        standing.seconds += time.monotonic() - begun
        one, other, steps = standing.sums
        standing.sums = (one + losses[0], other + losses[1], steps + 1)
        if self._plan.minutes is not None and standing.step == WARM_UP:
            standing.steps = steps_within(self._plan.minutes, standing.seconds / WARM_UP, standing.look_s)
        return losses

    def _look(self, standing: TrainingState) -> None:
        begun = time.monotonic()
        average = self._learning.average
        point = self._point(standing, average)
        standing.look_s = time.monotonic() - begun
        standing.points.append(point)
        standing.sums = (0.0, 0.0, 0)
        if _is_as_good_as_any(point, standing.points):
            standing.best_point, standing.best = point, average

    def look(self, network: bytes) -> HeldBackResult:
        """How this .onnx does, before it lies where it is to lie."""
        model = self._folder / "looked_at.onnx"
        model.write_bytes(network)
        return self._look_at(model)

    def _point(self, standing: TrainingState, weights: list[Tensor]) -> HeldBackPoint:
        found = self.look(self._learning.exported(weights))
        one, other, steps = standing.sums
        return HeldBackPoint(
            standing.step, found.precision, found.kept, one / max(1, steps), other / max(1, steps)
        )


def _is_as_good_as_any(point: HeldBackPoint, points: Sequence[HeldBackPoint]) -> bool:
    """Whether nothing looked at was clearly better, and the base (the first) was not better at all."""
    return point.mean >= max(points[0].mean, max(one.mean for one in points) - SHAKE)


def _no_better(standing: TrainingState) -> bool:
    best = standing.best_point
    since = [point for point in standing.points if best is None or point.step > best.step]
    return best is not None and len(since) >= PATIENCE
