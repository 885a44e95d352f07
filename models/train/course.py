"""One training from folders to files: what is read, what is held back, what is written."""

from __future__ import annotations

import hashlib
import resource
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.detectors.card import Card, hashed
from agent.detectors.places import find_card
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.coco import read_coco
from models.dataset.split import parted
from models.dataset.types import Dataset
from models.train.calibration import sure_from
from models.train.held_back import HeldBackResult
from models.train.judges import TrainingJudges
from models.train.learning.checkpoint import TrainingState
from models.train.learning.loop import TrainingLoop
from models.train.learning.steps import LearningSteps, mixed
from models.train.outcome import facts, write_model
from models.train.pictures.batches import TrainingBatches
from models.train.pictures.rehearsal import Rehearsal, read_rehearsal
from models.train.pictures.teaching import Teaching, looked_for, teaching
from models.train.plan import Plan
from models.train.results import Mixture, TrainingProgress, TrainResult, most_learned

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
class _Material:
    """All that was read."""

    card: Card
    sets: list[Dataset]
    learned: list[Dataset]
    held: list[Dataset]
    rehearsal: Rehearsal
    plan: Plan


def train(request: TrainRequest, tell: Callable[[TrainingProgress], None]) -> TrainResult:
    """Train as asked, and write the best network with its card.

    Raises:
        ModelError: something that is asked for cannot be read, trained or written.
    """
    folder = request.out.with_suffix(CHECKPOINTS)
    if not request.resume and (folder / "checkpoint.pt").exists():
        raise ModelError(
            tr("{path}: a training of this name was cut off here", path=folder),
            tr("--resume goes on with it; remove the folder to begin anew."),
        )
    read = _read(request)
    learning = LearningSteps(request.base, read.card, read.plan)
    judges = _judges(read, request.base)
    batches = TrainingBatches(
        _teachings(read), read.rehearsal.learned, read.card, (read.plan.labelled, read.plan.rehearsed),
        read.plan.seed,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    loop = TrainingLoop(learning, batches, judges.look, read.plan, folder)
    standing = loop.run(_hash(request, read), request.resume, tell)
    mixtures = loop.mixtures(standing)
    best = most_learned(mixtures)
    network = learning.exported(mixed(learning.base, standing.best, best.share))
    before, after = judges.look(request.base), loop.look(network)
    card = read.card.model_copy(
        update={"sure_from": round(sure_from(before.found, after.found, read.card.sure_from), 2)}
    )
    model = write_model(network, card, request.out.stem, facts(read.sets), request.out.parent)
    shutil.rmtree(folder)
    return _result(read, model, standing, mixtures, best, (before, after), card.sure_from, learning.device)


def _read(request: TrainRequest) -> _Material:
    card, _ = find_card(request.base, hashed(request.base), None)
    sets = [read_coco(folder) for folder in request.data]
    pairs = parted(sets, request.hold_back, request.plan.seed)
    for one in sets:
        teaching(one, card)  # a label that the network does not know is said before anything is decoded
    rehearsal = read_rehearsal(request.rehearse)
    plan = request.plan
    if not rehearsal.learned:
        plan = replace(plan, labelled=plan.labelled + plan.rehearsed, rehearsed=0)
    return _Material(card, sets, [one for one, _ in pairs], [other for _, other in pairs], rehearsal, plan)


def _teachings(read: _Material) -> list[Teaching]:
    return [teaching(one, read.card) for one in read.learned if one.images]


def _judges(read: _Material, base: Path) -> TrainingJudges:
    labels = tuple(dict.fromkeys(label for one in read.sets for label in looked_for(one)))
    images = [image for one in read.held for image in one.images]
    return TrainingJudges(base, read.card, images, labels, read.rehearsal.held_back)


def _hash(request: TrainRequest, read: _Material) -> str:
    """One hash of all that says what is trained with what."""
    whole = hashlib.sha256()
    sets = "\n".join(one.digest for one in facts(read.sets))
    whole.update(f"{hashed(request.base)}\n{sets}\n{read.plan!r}\n{sorted(request.hold_back)!r}\n".encode())
    for data in read.rehearsal.all:
        whole.update(hashlib.sha256(data).digest())
    return whole.hexdigest()


def _result(
    read: _Material,
    model: Path,
    standing: TrainingState,
    mixtures: Sequence[Mixture],
    best: Mixture,
    looks: tuple[HeldBackResult, HeldBackResult],
    sure: float,
    device: str,
) -> TrainResult:
    assert standing.best_point is not None
    held = [image for one in read.held for image in one.images]
    return TrainResult(
        model=model,
        steps=standing.step,
        planned=standing.steps,
        points=tuple(standing.points),
        best=standing.best_point.step,
        mixtures=tuple(mixtures),
        share=best.share,
        before=looks[0],
        after=looks[1],
        sure_from=sure,
        learned=len([image for one in read.learned for image in one.images]),
        held_back=len(held),
        rehearsed=len(read.rehearsal.learned),
        checked=len(read.rehearsal.held_back),
        cameras=tuple(dict.fromkeys(image.camera for image in held)),
        seconds=standing.seconds,
        device=device,
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
