"""Training, step by step: learn, look at the held-back pictures, keep the best, stop when it gets no better.

AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101); the rate rises for a few steps and then falls as a
cosine. What is judged and kept is the running average of the weights, which is steadier than the last step.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from agent.core.types import Size
from agent.detectors.card import Card
from agent.detectors.heads.yolox import YoloxHead
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.types import AnnotatedImage
from models.train.batches import Batch, TrainingBatches
from models.train.checkpoint import HeldBackPoint, TrainingState, load, save
from models.train.grid import Grid, grid
from models.train.held_back import HeldBackResult, look_at
from models.train.loss import Target, labelled_loss, rehearsal_loss
from models.train.network import OnnxNetwork

WARM_UP = 50
"""Steps in which the rate rises."""
LAST_RATE = 0.05
"""Of the first, at the end."""
DECAY = 1e-4
MOST_GRADIENT = 10.0
AVERAGED = 0.998
"""Of the average at each step: it follows the last five hundred."""
REHEARSAL_WEIGHT = 4.0
"""Of the distance to the base beside the labelled pictures' loss: at 1.0 much was forgotten."""
LOOKS = 20
"""At the held-back pictures, over all steps."""
PATIENCE = 6
"""Looks without anything better, after which nothing better is expected."""
SAVE_S = 60.0
"""Between two writings of where training stands."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train; what it says is part of what a training is, and cannot change when it goes on."""

    steps: int = 1100
    minutes: float | None = None
    """Instead of steps: as many as this machine makes in that time, by the pace of the first."""
    rate: float = 3e-4
    labelled: int = 5
    rehearsed: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Judges:
    """What says how good a network is: pictures, and the labels that were looked for on them."""

    images: tuple[AnnotatedImage, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far training is, for whoever shows it."""

    step: int
    steps: int
    loss: float
    rehearsal: float
    point: HeldBackPoint | None
    """The newest look at the held-back pictures."""
    best: HeldBackPoint | None


class Training:
    """One training, from the base or from where it stands on disk, to the best network that it found."""

    def __init__(
        self, network: OnnxNetwork, card: Card, batches: TrainingBatches, judges: Judges, plan: Plan
    ) -> None:
        """Nothing is computed yet.

        Raises:
            ModelError: the network is none of YOLOX's.
        """
        if not isinstance(card.head, YoloxHead) or not network.has_scores:
            raise ModelError(
                tr("{path}: only networks with the head yolox can be trained here", path=network.path),
                tr("for Ultralytics' families give a .pt or .yaml file as --base."),
            )
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._card, self._batches, self._judges, self._plan = card, batches, judges, plan
        self._student = network.to(self._device)
        self._teacher = OnnxNetwork(network.path).to(self._device).eval().requires_grad_(False)
        self._grid: Grid = grid(
            Size(card.input.width_px, card.input.height_px), card.head.strides, self._device
        )
        self._learned = [weight for weight in self._student.weights if weight.requires_grad]
        self._optimizer = torch.optim.AdamW(self._learned, lr=plan.rate, weight_decay=DECAY)

    @property
    def device(self) -> str:
        """What computes: `cpu`, or the name of the GPU."""
        return torch.cuda.get_device_name() if self._device.type == "cuda" else "cpu"

    def run(
        self, folder: Path, of: str, resume: bool, tell: Callable[[TrainingProgress], None]
    ) -> TrainingState:
        """Train; `folder` keeps where it stands, `of` is the hash of what is trained with what.

        Raises:
            ModelError: there is nothing to go on with, a picture cannot be read, or the numbers run away.
        """
        path = folder / "checkpoint.pt"
        standing = load(path, of) if resume else self._begun(of)
        self._take_up(standing)
        if not standing.points:
            self._look(standing, folder)
            save(standing, path)
            tell(_progress(standing, self._plan, (0.0, 0.0)))
        begun = saved = time.monotonic()
        spent = standing.seconds
        for batch in self._batches.following(standing.step, max(standing.steps, standing.step)):
            losses = self._step(batch, standing)
            standing.seconds = spent + time.monotonic() - begun
            self._paced(standing)
            every = max(1, standing.steps // LOOKS)
            looked = standing.step % every == 0 or standing.step >= standing.steps
            if looked:
                self._look(standing, folder)
                standing.seconds = spent + time.monotonic() - begun
            if looked or time.monotonic() - saved > SAVE_S:
                self._put_down(standing)
                save(standing, path)
                saved = time.monotonic()
            tell(_progress(standing, self._plan, losses))
            if standing.step >= standing.steps or _no_better(standing):
                break
        return standing

    def exported(self, weights: list[Tensor]) -> bytes:
        """The base's file with these weights."""
        with torch.no_grad():
            for mine, new in zip(self._teacher_copy().weights, weights, strict=True):
                mine.copy_(new)
        return self._scratch.exported()

    def look(self, model: Path) -> HeldBackResult:
        """How this file does on the held-back pictures."""
        return look_at(model, self._card, self._judges.images, self._judges.labels)

    def _teacher_copy(self) -> OnnxNetwork:
        if not hasattr(self, "_scratch"):
            self._scratch = OnnxNetwork(self._student.path)
        return self._scratch

    def _begun(self, of: str) -> TrainingState:
        weights = [weight.detach().cpu().clone() for weight in self._student.weights]
        return TrainingState(of, self._plan.steps, weights=weights, average=[one.clone() for one in weights])

    def _take_up(self, standing: TrainingState) -> None:
        with torch.no_grad():
            for mine, new in zip(self._student.weights, standing.weights, strict=True):
                mine.copy_(new)
        self._average = [one.to(self._device) for one in standing.average]
        if standing.optimizer:
            self._optimizer.load_state_dict(standing.optimizer)

    def _put_down(self, standing: TrainingState) -> None:
        standing.weights = [weight.detach().cpu().clone() for weight in self._student.weights]
        standing.average = [one.cpu().clone() for one in self._average]
        standing.optimizer = self._optimizer.state_dict()

    def _step(self, batch: Batch, standing: TrainingState) -> tuple[float, float]:
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate * rate_share(standing.step, standing.steps)
        pictures = batch.pictures.to(self._device)
        targets = [_on(target, self._device) for target in batch.targets]
        with torch.no_grad():
            teacher = self._teacher(pictures)
        logits = self._student(pictures, logits=True)
        count = len(targets)
        mine = labelled_loss(logits[:count], teacher[:count], targets, self._grid).total
        others = logits.new_zeros(())
        if len(pictures) > count:
            others = rehearsal_loss(logits[count:], teacher[count:], self._grid).total
        total = mine + REHEARSAL_WEIGHT * others
        if not bool(torch.isfinite(total)):
            raise ModelError(
                tr("the numbers ran away at step {step}", step=standing.step), tr("try a lower --rate.")
            )
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self._learned, MOST_GRADIENT)
        self._optimizer.step()
        standing.step += 1
        self._averaged(standing.step)
        losses = float(mine.detach()), float(others.detach())
        one, other, steps = standing.sums
        standing.sums = (one + losses[0], other + losses[1], steps + 1)
        return losses

    @torch.no_grad()
    def _averaged(self, step: int) -> None:
        keep = min(AVERAGED, (1 + step) / (10 + step))
        for mine, now in zip(self._average, self._student.weights, strict=True):
            mine.lerp_(now, 1 - keep)

    def _paced(self, standing: TrainingState) -> None:
        """After the warm-up it is known how many steps the given minutes hold."""
        if self._plan.minutes is not None and standing.step == WARM_UP:
            a_step = standing.seconds / WARM_UP
            standing.steps = max(WARM_UP, int(self._plan.minutes * 60 / a_step))

    def _look(self, standing: TrainingState, folder: Path) -> None:
        if not self._judges.images:
            return
        model = folder / "average.onnx"
        average = [one.cpu() for one in self._average]
        model.write_bytes(self.exported(average))
        one, other, steps = standing.sums
        point = HeldBackPoint(
            standing.step, self.look(model).precision, one / max(1, steps), other / max(1, steps)
        )
        standing.points.append(point)
        standing.sums = (0.0, 0.0, 0)
        if standing.best_point is None or point.mean > standing.best_point.mean:
            standing.best_point, standing.best = point, [each.clone() for each in average]


def rate_share(step: int, steps: int) -> float:
    """Share of the rate at this step: a rise over the warm-up, then a cosine down to `LAST_RATE`."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    done = min(1.0, (step - WARM_UP) / max(1, steps - WARM_UP))
    return LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2


def training_hash(parts: list[str]) -> str:
    """One hash of all that says what is trained with what."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _no_better(standing: TrainingState) -> bool:
    best = standing.best_point
    since = [point for point in standing.points if best is None or point.step > best.step]
    return best is not None and len(since) >= PATIENCE


def _progress(standing: TrainingState, plan: Plan, losses: tuple[float, float]) -> TrainingProgress:
    point = standing.points[-1] if standing.points else None
    return TrainingProgress(standing.step, standing.steps, *losses, point, standing.best_point)


def _on(target: Target, device: torch.device) -> Target:
    if device.type == "cpu":
        return target
    return replace(
        target,
        boxes=target.boxes.to(device),
        labels=target.labels.to(device),
        ignored=target.ignored.to(device),
        asked=target.asked.to(device),
    )
