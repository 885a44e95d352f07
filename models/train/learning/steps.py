"""One step after another: pictures in, weights a little better.

AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101). What is judged and kept is the running average of the
weights, which is steadier than the last step.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor

from agent.detectors.card import Card
from agent.detectors.heads.yolox import YoloxHead
from agent.errors import ModelError
from agent.translatable import tr
from models.train.learning.checkpoint import TrainingState
from models.train.learning.doubt import LearningTarget
from models.train.learning.grid import Grid, grid
from models.train.learning.loss import labelled_loss, rehearsal_loss
from models.train.learning.network import OnnxNetwork
from models.train.pictures.batches import Batch
from models.train.pictures.teaching import TeachingTarget
from models.train.plan import Plan, rate_share

DECAY = 1e-4
MOST_GRADIENT = 10.0
AVERAGED = 0.99
"""Of the average at each step: it follows the last hundred. A longer memory lags behind."""
REHEARSAL_WEIGHT = 2.0
"""Of the distance to the base beside the labelled pictures' loss."""

Weights: TypeAlias = Sequence[Tensor]
"""Of a network, in its own order."""


class LearningSteps:
    """A network that learns, beside its base, which does not."""

    def __init__(self, base: Path, card: Card, plan: Plan) -> None:
        """Read the base's file.

        Raises:
            ModelError: it is none of YOLOX's networks.
        """
        student = OnnxNetwork(base)
        if not isinstance(card.head, YoloxHead) or not student.has_scores:
            raise ModelError(
                tr("{path}: only networks with the head yolox can be trained here", path=base),
                tr("for Ultralytics' families give a .pt or .yaml file as --base."),
            )
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._plan = plan
        self._written = OnnxNetwork(base)
        """Its weights are exchanged to write a file."""
        self.base = [weight.detach().clone() for weight in student.weights]
        self._teacher = OnnxNetwork(base).to(self._device).requires_grad_(False)
        self._student = student.to(self._device)
        self._grid: Grid = grid(card.field, card.head.strides, self._device)
        self._learned = [weight for weight in self._student.weights if weight.requires_grad]
        self._optimizer = torch.optim.AdamW(self._learned, lr=plan.rate, weight_decay=DECAY)
        self._average = [weight.detach().clone() for weight in self._student.weights]

    @property
    def device(self) -> str:
        """What computes: `cpu`, or the name of the GPU."""
        return torch.cuda.get_device_name() if self._device.type == "cuda" else "cpu"

    @property
    def average(self) -> list[Tensor]:
        """The running average of the weights, on the processor."""
        return [one.detach().cpu().clone() for one in self._average]

    def exported(self, weights: Weights) -> bytes:
        """The base's file with these weights."""
        with torch.no_grad():
            for mine, new in zip(self._written.weights, weights, strict=True):
                mine.copy_(new)
        return self._written.exported()

    def take_up(self, standing: TrainingState) -> None:
        """Go on from there; a state without weights is the base itself."""
        if not standing.weights:
            return
        with torch.no_grad():
            for mine, new in zip(self._student.weights, standing.weights, strict=True):
                mine.copy_(new)
            for mine, new in zip(self._average, standing.average, strict=True):
                mine.copy_(new)
        self._optimizer.load_state_dict(standing.optimizer)

    def put_down(self, standing: TrainingState) -> None:
        """Write into it all that the next step depends on."""
        standing.weights = [weight.detach().cpu().clone() for weight in self._student.weights]
        standing.average = self.average
        standing.optimizer = self._optimizer.state_dict()

    def step(self, batch: Batch, number: int, steps: int) -> tuple[float, float]:
        """Learn from a batch; returns the labelled pictures' loss, and the distance to the base on the others.

        Raises:
            ModelError: the numbers run away.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate * rate_share(number, steps)
        pictures = torch.from_numpy(batch.pictures).to(self._device)
        targets = [_on(target, self._device) for target in batch.targets]
        count = len(targets)
        with torch.no_grad():
            teacher = self._teacher(pictures)
        logits = self._student(pictures, logits=True)
        mine = others = logits.new_zeros(())
        if count:
            mine = labelled_loss(logits[:count], teacher[:count], targets, self._grid).total
        if len(pictures) > count:
            others = rehearsal_loss(logits[count:], teacher[count:], self._grid).total
        total = mine + REHEARSAL_WEIGHT * others
        if not bool(torch.isfinite(total)):
            raise ModelError(tr("the numbers ran away at step {step}", step=number), tr("try a lower --rate."))
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self._learned, MOST_GRADIENT)
        self._optimizer.step()
        self._averaged(number + 1)
        return float(mine.detach()), float(others.detach())

    @torch.no_grad()
    def _averaged(self, made: int) -> None:
        keep = min(AVERAGED, (1 + made) / (10 + made))
        for mine, now in zip(self._average, self._student.weights, strict=True):
            mine.lerp_(now, 1 - keep)


def mixed(base: Weights, trained: Weights, share: float) -> list[Tensor]:
    """Weights between the two, `share` of the way (Wortsman et al., 2021, arXiv:2109.01903)."""
    return [one + (other - one) * share for one, other in zip(base, trained, strict=True)]


def averaged(networks: Sequence[Weights]) -> list[Tensor]:
    """The mean of networks that began at one base: as good as the best, and less left to chance.

    Wortsman et al., 2022, arXiv:2203.05482 (model soups).
    """
    return [torch.stack(weights).mean(0) for weights in zip(*networks, strict=True)]


def _on(target: TeachingTarget, device: torch.device) -> LearningTarget:
    return LearningTarget(
        torch.from_numpy(target.boxes).to(device),
        torch.from_numpy(target.labels).to(device),
        torch.from_numpy(target.ignored).to(device),
        torch.from_numpy(target.asked).to(device),
        target.least_px,
        torch.from_numpy(target.ruled_out).to(device),
    )
