"""What a judgement says to people, in words that can be told in another language."""

from __future__ import annotations

import math

from agent.translatable import joined, tr
from models.judge.decision import ModelVerdict
from models.judge.judging import ModelComparison
from models.judge.measure.bootstrap import Estimate
from models.judge.measure.comparison import SetComparison
from models.judge.overlap import LIKE, NEIGHBOUR, SAME, Overlap
from models.judge.replays import ReplayedEvent

VERDICTS = {
    ModelVerdict.BETTER: tr("better"),
    ModelVerdict.WORSE: tr("worse"),
    ModelVerdict.CANNOT_TELL: tr("cannot tell"),
    ModelVerdict.TOO_FEW: tr("too few"),
}
WHYS = {
    SAME: tr("the same picture"),
    LIKE: tr("shows the same"),
    NEIGHBOUR: tr("its neighbour in time"),
}
KINDS = {
    "size": tr("size"),
    "camera": tr("camera"),
    "condition": tr("condition"),
    "hour": tr("hour"),
}
SIZE_WORDS = {
    "far": tr("far: below 20 lines"),
    "middle": tr("middle: 20 to 40 lines"),
    "near": tr("near: 40 lines or more"),
}


def verdict_sentence(found: ModelComparison) -> str:
    """The verdict as one sentence."""
    new, old, main = found.new.name, found.old.name, ", ".join(found.decision.main) or "–"
    match found.decision.verdict:
        case ModelVerdict.BETTER:
            return tr(
                "{new} is better than {old}: {labels} rose, and no label fell for sure.",
                new=new,
                old=old,
                labels=main,
            )
        case ModelVerdict.WORSE:
            fallen = [label for label, said in found.decision.labels.items() if said is ModelVerdict.WORSE]
            return tr(
                "{new} is worse than {old}, and refused: {labels} fell.",
                new=new,
                old=old,
                labels=", ".join(fallen),
            )
    if found.decision.fallen:
        return tr(
            "Whether {new} is better than {old} cannot be told: {fallen} fell, and nobody knows whether by "
            "more than is allowed.",
            new=new,
            old=old,
            fallen=", ".join(found.decision.fallen),
        )
    return tr(
        "Whether {new} is better than {old} cannot be told: no label fell for sure, and {labels} did not rise "
        "for sure.",
        new=new, old=old, labels=main,
    )  # fmt: skip


def remarks(found: ModelComparison) -> list[str]:
    """What must be known to read the figures."""
    said = [overlap_sentence(each) for each in found.overlaps if each.known]
    said += [camera_sentence(each) for each in found.overlaps if each.cameras and each.left]
    for each in found.sets:
        said += _of_set(each)
    if not found.request.trained_on:
        said.append(
            tr(
                "The pictures that the new model was trained on were not given (--trained-on): none was "
                "left out."
            )
        )
    if found.unlicensed:
        said.append(passing_on(found))
    return said


def _of_set(compared: SetComparison) -> list[str]:
    dataset = compared.dataset
    said: list[str] = []
    if dataset.incomplete:
        said.append(
            tr(
                "{set}: its labels are incomplete, so precision and AP50 are lower bounds, and recall decides "
                "instead of F1.",
                set=dataset.name,
            )
        )
    if not compared.scenes.by_camera and any(dataset.cameras):
        said.append(
            tr(
                "{set}: it has {cameras} named cameras only; the intervals speak of these, not of others.",
                set=dataset.name,
                cameras=len([name for name in dataset.cameras if name]),
            )
        )
    if compared.unjudged:
        said.append(
            tr(
                "{set}: neither model tells {labels}; these were not judged.",
                set=dataset.name,
                labels=_some(compared.unjudged),
            )
        )
    return said


def camera_sentence(overlap: Overlap) -> str:
    """That what is left of a set is of cameras that the new model was trained on."""
    return tr(
        "{set}: the new model was trained on other pictures of {cameras}: what it finds there says little of "
        "other cameras.",
        set=overlap.set,
        cameras=", ".join(overlap.cameras),
    )


def passing_on(found: ModelComparison) -> str:
    """Why the model may not be passed on; to be asked only where a set states no licence."""
    return tr(
        "The model may not be passed on, nor the page with its pictures: no licence is stated for {sets}.",
        sets=", ".join(found.unlicensed),
    )


def overlap_sentence(overlap: Overlap) -> str:
    """What was left out of a set, and why."""
    whys = joined(", ", [tr("{count} × {why}", count=n, why=WHYS[why]) for why, n in overlap.by_why.items()])
    first = overlap.known[0]
    return tr(
        "{set}: {known} of {pictures} pictures judge nothing and were left out, for the new model was trained "
        "on them or their neighbours: {whys}. The first is {name}, beside {training} of the training.",
        set=overlap.set, known=len(overlap.known), pictures=overlap.pictures, whys=whys, name=first.name,
        training=first.training,
    )  # fmt: skip


def cost_sentence(found: ModelComparison) -> str:
    """Time and size of both."""
    old_ms, new_ms = found.cost.ms
    old_bytes, new_bytes = found.cost.size_bytes
    return tr(
        "A call takes {new_ms:.1f} ms instead of {old_ms:.1f} ms here on one thread, {ratio:.2f} times as long "
        "(half of the pairs {low:.2f} to {high:.2f}); the file has {new_mb:.1f} MB instead of {old_mb:.1f} MB.",
        new_ms=new_ms, old_ms=old_ms, ratio=found.cost.ratio, low=found.cost.ratio_range[0],
        high=found.cost.ratio_range[1], new_mb=new_bytes / 1e6, old_mb=old_bytes / 1e6,
    )  # fmt: skip


def event_text(event: ReplayedEvent) -> str:
    """An event of a replay, such as `0:12.4 line-1 motorcycle in`."""
    minutes, seconds = divmod(event.at_s, 60)
    return " ".join(filter(None, (f"{int(minutes)}:{seconds:04.1f}", event.rule, event.label, event.direction)))


def number(share: float) -> str:
    """In points; a dash where nothing can be said."""
    return f"{100 * share:.0f}" if math.isfinite(share) else "–"


def span(difference: Estimate) -> str:
    """A difference with its interval, in points: `+4 [-3, +12]`."""
    if not math.isfinite(difference.value):
        return "–"
    if not math.isfinite(difference.low):
        return _signed(difference.value)
    return f"{_signed(difference.value)} [{_signed(difference.low)}, {_signed(difference.high)}]"


def _signed(share: float) -> str:
    """To whole points; to a tenth where less than one decides on which side of 0 it lies."""
    points = 100 * share
    return f"{points:+.1f}" if 0.05 <= abs(points) < 1 else f"{points + 0.0:+.0f}"


def _some(labels: tuple[str, ...]) -> str:
    return ", ".join(labels[:8]) + (", …" if len(labels) > 8 else "")
