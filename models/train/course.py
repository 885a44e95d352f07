"""One training from folders to files: what is read, what is held back, what is written."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.detectors.card import hashed
from agent.detectors.places import find_card
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.coco import read_coco
from models.dataset.split import split
from models.dataset.types import Dataset
from models.train.batches import TrainingBatches, labelled, looked_for
from models.train.checkpoint import TrainingState
from models.train.held_back import HeldBackResult
from models.train.loop import Judges, Plan, Training, TrainingProgress, training_hash
from models.train.network import OnnxNetwork
from models.train.outcome import facts, write_model
from models.train.rehearsal import read_rehearsal

HELD_BACK = 0.2
"""Share of the pictures, where no camera is named."""
CHECKPOINTS = ".training"


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What was asked for."""

    data: tuple[Path, ...]
    base: Path
    out: Path
    """The .onnx that shall be written."""
    rehearse: tuple[Path, ...] = ()
    hold_back: tuple[str, ...] = ()
    plan: Plan = field(default_factory=Plan)
    resume: bool = False


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What came of it, for the report."""

    model: Path
    standing: TrainingState
    before: HeldBackResult
    after: HeldBackResult
    learned: int
    """Pictures that were learned from."""
    held_back: int
    cameras: tuple[str, ...]
    """Held back."""
    device: str
    memory_mb: int
    """At most, of this process."""


def train(request: TrainRequest, tell: Callable[[TrainingProgress], None]) -> TrainResult:
    """Train as asked, and write the best network with its card.

    Raises:
        ModelError: something that is asked for cannot be read, trained or written.
    """
    card, _ = find_card(request.base, hashed(request.base), None)
    sets = [read_coco(folder) for folder in request.data]
    pairs = _held_back(sets, request)
    learned, held = [one for one, _ in pairs], [other for _, other in pairs]
    for one in sets:
        labelled(one, card)  # a label that the network does not know is said before anything is decoded
    others = read_rehearsal(request.rehearse)
    plan = request.plan if others else replace(
        request.plan, labelled=request.plan.labelled + request.plan.rehearsed, rehearsed=0
    )  # fmt: skip
    went_in = facts(sets)
    batches = TrainingBatches(
        [labelled(one, card) for one in learned if one.images],
        others,
        card,
        (plan.labelled, plan.rehearsed),
        plan.seed,
    )
    labels = tuple(dict.fromkeys(label for one in sets for label in looked_for(one)))
    judges = Judges(tuple(image for one in held for image in one.images), labels)
    training = Training(OnnxNetwork(request.base), card, batches, judges, plan)
    folder = request.out.with_suffix(CHECKPOINTS)
    folder.mkdir(parents=True, exist_ok=True)
    of = training_hash(
        [
            hashed(request.base),
            *(one.digest for one in went_in),
            repr(plan),
            repr(request.hold_back),
            str(len(others)),
        ]
    )
    standing = training.run(folder, of, request.resume, tell)
    model = write_model(training.exported(standing.best), card, request.out.stem, went_in, request.out.parent)
    return TrainResult(
        model,
        standing,
        training.look(request.base),
        training.look(model),
        sum(len(one.images) for one in learned),
        len(judges.images),
        tuple(dict.fromkeys(image.camera for image in judges.images)),
        training.device,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _held_back(sets: Sequence[Dataset], request: TrainRequest) -> list[tuple[Dataset, Dataset]]:
    """Each set in what is learned from and what is held back; where cameras are named, just these."""
    if not request.hold_back:
        return [split(one, HELD_BACK, request.plan.seed) for one in sets]
    known = {camera for one in sets for camera in one.cameras}
    unknown = [camera for camera in request.hold_back if camera not in known]
    if unknown or known <= set(request.hold_back):
        raise ModelError(
            tr("--hold-back: there is no camera {camera}", camera=unknown[0])
            if unknown
            else tr("--hold-back: no camera is left to learn from"),
            tr("the cameras are {cameras}.", cameras=", ".join(sorted(known))),
        )
    names = set(request.hold_back)
    return [(one.of_cameras(set(one.cameras) - names), one.of_cameras(names)) for one in sets]
