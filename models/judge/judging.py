"""A judgement from beginning to end: what is read, left out, looked at and decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from agent.core.types import Image
from agent.detectors.card import Card, hashed
from agent.detectors.judgement import DataFacts
from agent.detectors.places import find_card, find_model
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.coco import read_coco
from models.dataset.digest import digest
from models.dataset.types import Dataset
from models.dataset.unseen import nobody_has_looked
from models.judge.cost import CallCost, measure_cost
from models.judge.decision import TOLERANCE, Decision, decide, taken_together
from models.judge.looking import Looker, look_at, read_picture
from models.judge.measure.bootstrap import RESAMPLES, SEED, resampled
from models.judge.measure.comparison import SetComparison, compare
from models.judge.overlap import Overlap, without_training
from models.judge.replays import ClipComparison, Segment, compare_clip, require_clip

SCORE: Final = 0.4
"""From which a find counts: about where the tracker begins to believe what moves."""
COST_PICTURES: Final = 8

Progress = Callable[[str, int, int], None]
"""What is being done, how far it is, and how far it goes."""


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """What is to be judged, and by what; models are names or .onnx files.

    Attributes:
        data: Folders of labelled pictures that neither model was trained on.
        trained_on: Folders that the new one was trained on.
        clips: Videos that both replay.
        lines: Where road users are counted in them.
        config: A box's configuration for the replays, instead of lines.
        main: Labels that must be better; empty: models/judge/decision.py chooses.
    """

    new: str
    old: str
    data: tuple[Path, ...]
    trained_on: tuple[Path, ...] = ()
    clips: tuple[Path, ...] = ()
    lines: tuple[Segment, ...] = ()
    config: Path | None = None
    score: float = SCORE
    main: tuple[str, ...] = ()
    tolerance: float = TOLERANCE
    resamples: int = RESAMPLES


@dataclass(frozen=True, slots=True)
class JudgedModel:
    """One of the two."""

    name: str
    sha256: str
    file: Path


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """Everything that came out.

    Attributes:
        data: What it was judged by, as it was before anything was left out.
        trained_on: What the new model was trained on, as far as it was said.
    """

    new: JudgedModel
    old: JudgedModel
    request: JudgeRequest
    decision: Decision
    sets: tuple[SetComparison, ...]
    data: tuple[DataFacts, ...]
    trained_on: tuple[DataFacts, ...]
    overlaps: tuple[Overlap, ...]
    clips: tuple[ClipComparison, ...]
    cost: CallCost

    @property
    def unlicensed(self) -> tuple[str, ...]:
        """Sets that state no licence: because of them the model may not be passed on."""
        return tuple(dict.fromkeys(each.name for each in (*self.trained_on, *self.data) if not each.licence))


def judge(request: JudgeRequest, progress: Progress = lambda _what, _done, _of: None) -> ModelComparison:
    """Judge the new model beside the old one.

    Raises:
        ModelError: a model, a card, a set or a picture is wrong, or nothing is left to judge by.
        UsageError: there is no such clip, or its replay failed.
    """
    for clip in request.clips:
        require_clip(clip)
    judging, training = read_sets(request.data), read_sets(request.trained_on)
    data, trained_on = _facts(judging), _facts(training)
    cards = [_card(model) for model in (request.old, request.new)]
    for card in cards:
        _refuse_training(card, data)
    old, new = Looker(request.old), Looker(request.new)
    try:
        split = without_training(judging, training)
        left = [dataset for dataset, _ in split if dataset.images]
        if not left:
            raise _nothing_left([overlap for _, overlap in split])
        sets = taken_together(
            [_compared((old, new), each, SEED + place, request, progress) for place, each in enumerate(left)]
        )
    finally:
        old.close()
        new.close()
    files = [find_model(DetectorSettings(model=model)) for model in (request.old, request.new)]
    clips = []
    for number, clip in enumerate(request.clips):
        progress(clip.name, number, len(request.clips))
        clips.append(compare_clip(files[0], files[1], clip, request.lines, request.config))
    return ModelComparison(
        new=JudgedModel(new.name, new.sha256, files[1]),
        old=JudgedModel(old.name, old.sha256, files[0]),
        request=request,
        decision=decide(sets, request.main, request.tolerance),
        sets=sets,
        data=data,
        trained_on=tuple({each.digest: each for each in (*cards[1].trained_on, *trained_on)}.values()),
        overlaps=tuple(overlap for _, overlap in split),
        clips=tuple(clips),
        cost=measure_cost(request.old, request.new, _pictures(left)),
    )


def read_sets(folders: Sequence[Path]) -> list[Dataset]:
    """The sets of these folders, under names that differ.

    Raises:
        ModelError: one is wrong, empty, or given twice.
    """
    twice = [folder for folder, times in Counter(each.resolve() for each in folders).items() if times > 1]
    if twice:
        raise ModelError(tr("{folder}: this set is given twice", folder=twice[0]))
    sets = [read_coco(folder) for folder in folders]
    names = Counter(dataset.name for dataset in sets)
    for place, (folder, dataset) in enumerate(zip(folders, sets, strict=True)):
        if not dataset.images:
            if dataset.proposed:
                raise nobody_has_looked(dataset, folder)
            raise ModelError(tr("{folder}: there are no pictures in this set", folder=folder))
        if names[dataset.name] > 1:
            whole = folder.resolve()
            sets[place] = replace(dataset, name=f"{whole.parent.name}/{whole.name}")
    return sets


def _compared(
    lookers: tuple[Looker, Looker], dataset: Dataset, seed: int, request: JudgeRequest, progress: Progress
) -> SetComparison:
    done = 0

    def on_picture() -> None:
        nonlocal done
        done += 1
        progress(dataset.name, done, len(dataset.images))

    before, after = look_at(lookers, dataset, on_picture)
    labels = tuple(dict.fromkeys(label for looker in lookers for label in looker.labels))
    weights = partial(resampled, resamples=request.resamples, seed=seed)
    return compare(dataset, before, after, labels, request.score, weights)


def _facts(sets: Sequence[Dataset]) -> tuple[DataFacts, ...]:
    return tuple(
        DataFacts(name=each.name, digest=digest(each), pictures=len(each.images), licence=each.licence)
        for each in sets
    )


def _card(model: str) -> Card:
    file = find_model(DetectorSettings(model=model))
    return find_card(file, hashed(file))[0]


def _refuse_training(card: Card, data: Sequence[DataFacts]) -> None:
    """See to it that no set is one that the card names as the model's training."""
    trained = {each.digest for each in card.trained_on}
    for each in data:
        if each.digest in trained:
            raise ModelError(
                tr("{set}: {model} was trained on this set, as its card says", set=each.name, model=card.name),
                tr("judge by other cameras than it was trained on."),
            )


def _pictures(sets: Sequence[Dataset]) -> list[Image]:
    """Some of all sets, evenly."""
    images = [image for dataset in sets for image in dataset.images]
    rows = np.linspace(0, len(images) - 1, min(COST_PICTURES, len(images))).round().astype(int).tolist()
    return [read_picture(images[row]) for row in rows]


def _nothing_left(overlaps: Sequence[Overlap]) -> ModelError:
    return ModelError(
        tr(
            "nothing is left to judge by: all {pictures} pictures of {names} are pictures that the new model "
            "was trained on, or their neighbours in time",
            pictures=sum(each.pictures for each in overlaps),
            names=", ".join(each.set for each in overlaps),
        ),
        tr("judge by other cameras than it was trained on."),
    )
