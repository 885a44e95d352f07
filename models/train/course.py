"""One training from folders to files: what is read, what is held back, what is written.

With pictures that nobody has labelled there are rounds, each of which begins at the base again, with a seed
of its own. Two learn from what people labelled, and what the mean of their networks is sure of there are
labels for two more; the mean of these is written. So neither labels nor model hang on one network's chances.
"""

from __future__ import annotations

import hashlib
import itertools
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
from models.train.learning.checkpoint import TrainingState, load
from models.train.learning.loop import CHECKPOINT, TrainingLoop
from models.train.learning.steps import LearningSteps, averaged, mixed
from models.train.outcome import facts, write_model, write_whole
from models.train.pictures.batches import TrainingBatches
from models.train.pictures.pseudo_labels import pseudo_labelled, read_unlabelled
from models.train.pictures.rehearsal import Rehearsal, read_rehearsal
from models.train.pictures.teaching import looked_for, teaching
from models.train.plan import FIRST_ROUNDS, ROUNDS, Plan
from models.train.results import Mixture, TrainingProgress, TrainResult, most_learned
from models.train.tiled import unhurried

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
    unlabelled: tuple[Path, ...] = ()
    """Folders of pictures of other cameras on such roads."""


@dataclass(frozen=True, slots=True)
class _Material:
    """All that was read."""

    card: Card
    sets: list[Dataset]
    learned: list[Dataset]
    held: list[Dataset]
    rehearsal: Rehearsal
    unlabelled: list[Dataset]
    plan: Plan
    rounds: int


@dataclass(frozen=True, slots=True)
class _Learned:
    """What came of rounds that learned from the same labels; `standing` is the last one's."""

    standing: TrainingState
    mixtures: list[Mixture]
    best: Mixture
    network: bytes
    device: str
    seconds: float
    """Of learning, in all of them."""


def train(request: TrainRequest, tell: Callable[[TrainingProgress], None]) -> TrainResult:
    """Train as asked, and write the best network with its card.

    Raises:
        ModelError: something that is asked for cannot be read, trained or written.
    """
    folder = request.out.with_suffix(CHECKPOINTS)
    if not request.resume and any(folder.rglob(CHECKPOINT)):
        raise ModelError(
            tr("{path}: a training of this name was cut off here", path=folder),
            tr("--resume goes on with it; remove the folder to begin anew."),
        )
    read = _read(request)
    judges = _judges(read, request.base)
    made, pseudo, seconds = _Rounds(request, read, judges, folder, tell).run()
    path = folder / "looked_at.onnx"
    path.write_bytes(made.network)
    before, after = judges.look(request.base), judges.look(path)
    card = read.card.model_copy(
        update={"sure_from": round(sure_from(before.found, after.found, read.card.sure_from), 2)}
    )
    went_in = facts([*read.sets, *pseudo])
    model = write_model(made.network, card, request.out.stem, went_in, request.out.parent)
    shutil.rmtree(folder)
    return _result(read, model, made, (before, after), card.sure_from, pseudo, seconds)


class _Rounds:
    """The rounds of one training; its folder keeps what each has come to."""

    def __init__(
        self,
        request: TrainRequest,
        read: _Material,
        judges: TrainingJudges,
        folder: Path,
        tell: Callable[[TrainingProgress], None],
    ) -> None:
        self._base, self._resume = request.base, request.resume
        self._read, self._judges, self._folder, self._tell = read, judges, folder, tell
        self._of = _hash(request, read)

    def run(self) -> tuple[_Learned, list[Dataset], float]:
        """What came of the last, what was labelled for them, and the seconds of learning of all."""
        rounds = range(1, self._read.rounds + 1)
        if not self._read.unlabelled:
            made = self._made([], rounds)
            return made, [], made.seconds
        first, later = rounds[:FIRST_ROUNDS], rounds[FIRST_ROUNDS:]
        network, before_s = self._teacher(first)
        pseudo = self._pseudo(network, later[0])
        made = self._made(pseudo, later)
        return made, pseudo, before_s + made.seconds

    def _place(self, number: int) -> Path:
        """A training that was cut off is found by what lies in its folder, whatever its round."""
        return self._folder / f"round-{number}"

    def _teacher(self, rounds: Sequence[int]) -> tuple[Path, float]:
        """The network that labels, made once whatever cuts it off; the seconds of learning."""
        network = self._folder / f"teacher-{self._of[:16]}.onnx"
        if network.exists():
            places = [self._place(number) / CHECKPOINT for number in rounds]
            return network, float(sum(load(one, self._of).seconds for one in places))
        made = self._made([], rounds)
        write_whole(network, made.network)
        return network, made.seconds

    def _pseudo(self, network: Path, number: int) -> list[Dataset]:
        """What it is sure of in the pictures without labels; sets in which that is nothing fall out."""
        read = self._read
        detector = unhurried(network, read.card)
        labels = [label for label in _labels(read) if label in read.card.keep]
        total = sum(len(one.images) for one in read.unlabelled)
        done = itertools.count(1)

        def tell() -> None:
            now = TrainingProgress(next(done), total, 0.0, 0.0, None, number, read.rounds, labelling=True)
            self._tell(now)

        found = [pseudo_labelled(detector, one, labels, tell) for one in read.unlabelled]
        detector.close()
        return [one for one in found if one.images]

    def _made(self, pseudo: Sequence[Dataset], rounds: Sequence[int]) -> _Learned:
        """The best between the base and the mean of what these rounds have learned."""
        learned = []
        for number in rounds:
            loop, standing, learning = self._learned(pseudo, number)
            learned.append(standing)
        trained = averaged([one.best for one in learned])
        mixtures = loop.mixtures(standing, trained)
        best = most_learned(mixtures)
        network = learning.exported(mixed(learning.base, trained, best.share))
        seconds = float(sum(one.seconds for one in learned))
        return _Learned(standing, mixtures, best, network, learning.device, seconds)

    def _learned(
        self, pseudo: Sequence[Dataset], number: int
    ) -> tuple[TrainingLoop, TrainingState, LearningSteps]:
        """Learn from what people, and later what the teacher, have labelled."""
        read = self._read
        plan = replace(read.plan, seed=read.plan.seed + number - 1)
        learning = LearningSteps(self._base, read.card, plan)
        teachings = [teaching(one, read.card) for one in (*read.learned, *pseudo) if one.images]
        batches = TrainingBatches(
            teachings, read.rehearsal.learned, read.card, (plan.labelled, plan.rehearsed), plan.seed
        )
        folder = self._place(number)
        folder.mkdir(parents=True, exist_ok=True)
        loop = TrainingLoop(learning, batches, self._judges.look, plan, folder)
        # Of a round after the first there may be nothing yet with which to go on.
        resume = self._resume and (number == 1 or loop.checkpoint.exists())
        standing = loop.run(
            self._of, resume, lambda now: self._tell(replace(now, round=number, rounds=read.rounds))
        )
        return loop, standing, learning


def _read(request: TrainRequest) -> _Material:
    card, _ = find_card(request.base, hashed(request.base), None)
    # How sure the base is of a label says nothing of a network that learned it.
    card = card.model_copy(update={"label_sure_from": {}})
    sets = [read_coco(folder) for folder in request.data]
    pairs = parted(sets, request.hold_back, request.plan.seed)
    for one in sets:
        teaching(one, card)  # a label that the network does not know is said before anything is decoded
    rehearsal = read_rehearsal(request.rehearse)
    held = [other for _, other in pairs]
    cameras = {camera for one in held for camera in one.cameras}
    unlabelled = [read_unlabelled(folder, cameras) for folder in request.unlabelled]
    plan = request.plan
    if not rehearsal.learned:
        plan = replace(plan, labelled=plan.labelled + plan.rehearsed, rehearsed=0)
    rounds = ROUNDS if unlabelled else 1
    if plan.minutes is not None:
        plan = replace(plan, minutes=plan.minutes / rounds)
    return _Material(card, sets, [one for one, _ in pairs], held, rehearsal, unlabelled, plan, rounds)


def _labels(read: _Material) -> tuple[str, ...]:
    """All that somebody looked for in some set."""
    return tuple(dict.fromkeys(label for one in read.sets for label in looked_for(one)))


def _judges(read: _Material, base: Path) -> TrainingJudges:
    images = [image for one in read.held for image in one.images]
    return TrainingJudges(base, read.card, images, _labels(read), read.rehearsal.held_back)


def _hash(request: TrainRequest, read: _Material) -> str:
    """One hash of all that says what is trained with what."""
    whole = hashlib.sha256()
    sets = "\n".join(one.digest for one in facts(read.sets))
    whole.update(
        f"{hashed(request.base)}\n{sets}\n{read.plan!r}\n{sorted(request.hold_back)!r}\n{read.rounds}\n".encode()
    )
    for image in (image for one in read.unlabelled for image in one.images):
        whole.update(f"{image.camera} {hashed(image.path)}\n".encode())
    for data in read.rehearsal.all:
        whole.update(hashlib.sha256(data).digest())
    return whole.hexdigest()


def _result(
    read: _Material,
    model: Path,
    made: _Learned,
    looks: tuple[HeldBackResult, HeldBackResult],
    sure: float,
    pseudo: Sequence[Dataset],
    seconds: float,
) -> TrainResult:
    standing = made.standing
    assert standing.best_point is not None
    held = [image for one in read.held for image in one.images]
    labelled = tuple(image for one in pseudo for image in one.images)
    return TrainResult(
        model=model,
        steps=standing.step,
        planned=standing.steps,
        points=tuple(standing.points),
        best=standing.best_point.step,
        mixtures=tuple(made.mixtures),
        share=made.best.share,
        before=looks[0],
        after=looks[1],
        sure_from=sure,
        learned=len([image for one in read.learned for image in one.images]),
        held_back=len(held),
        rehearsed=len(read.rehearsal.learned),
        checked=len(read.rehearsal.held_back),
        pseudo_labelled=labelled,
        pseudo_labels=len([one for image in labelled for one in image.annotations if not one.ignored]),
        cameras=tuple(dict.fromkeys(image.camera for image in held)),
        seconds=seconds,
        device=made.device,
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
