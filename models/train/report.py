"""The report of a training as one HTML file: curves, figures, the worst mistakes as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from agent.language import translated
from agent.translatable import tr
from models.dataset.whole_file import write_whole
from models.train.curves import COLOURS, HIGH, WIDE, Curve, curve
from models.train.page_pictures import drawn, labelled, some_of
from models.train.results import HeldBackPoint, Mixture, TrainResult

WORDS: Final = {
    "title": tr("Report of a training"),
    "label": tr("label"),
    "before": tr("before"),
    "after": tr("after"),
    "figures": tr("AP50 on the pictures that were held back, in 2×2 tiles"),
    "curve": tr("AP50 over the steps, and how much of the base was kept"),
    "losses": tr("Losses: labelled pictures, and distance to the base on the others"),
    "mixtures": tr("Between the base (left) and the trained network (right)"),
    "mixtures_why": tr(
        "The further from the base, the more is learned and the more is forgotten. "
        "What was written has learned most of those that keep nine tenths of what the base is sure of."
    ),
    "share": tr("share of the trained network that was taken, %"),
    "labelled": tr("labelled"),
    "rehearsal": tr("others"),
    "mean": tr("mean AP50"),
    "kept": tr("kept of what the base is sure of"),
    "facts": tr("What it took"),
    "learned": tr("pictures learned from"),
    "held_back": tr("pictures held back, of cameras"),
    "rehearsed": tr("pictures rehearsed with, and others to see what is forgotten"),
    "pseudo": tr("pictures that it labelled itself, and how many labels"),
    "best": tr("best step, of"),
    "sure": tr("score that its card has told as 0.6"),
    "minutes": tr("minutes of learning"),
    "memory": tr("memory at most, MB"),
    "device": tr("computed by"),
    "own": tr("What it has labelled itself (some of it)"),
    "missed": tr("The largest that were missed (score below 0.4)"),
    "wrong": tr("The surest that are wrong"),
    "honest": tr(
        "Labels are seldom complete: look at what is wrong before you believe it. "
        "These pictures chose the best step, so judge the model on other ones: ngatu models judge."
    ),
}
_SHOWN = 9


def write_report(result: TrainResult, language: str) -> Path:
    """Write the page beside the model; returns its place.

    Raises:
        ModelError: it cannot be written, or a picture cannot be read any more.
    """
    environment = Environment(
        loader=PackageLoader("models.train", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    labels = list(result.after.precision)
    mistakes = sorted(result.after.mistakes, key=lambda one: -one.weight)
    words = {name: translated(text, language) for name, text in WORDS.items()}
    page = environment.get_template("report.html").render(
        language=language,
        words=words,
        name=result.model.stem,
        result=result,
        rows=[(one, result.before.precision.get(one, 0.0), result.after.precision[one]) for one in labels],
        precision=_precision(result.points, labels, words["kept"]),
        losses=_losses(result.points, words),
        mixtures=_mixtures(result.mixtures, words),
        wide=WIDE,
        high=HIGH,
        own=[labelled(one) for one in some_of(result.pseudo_labelled, _SHOWN)],
        missed=[drawn(one) for one in mistakes if one.score is None][:_SHOWN],
        wrong=[drawn(one) for one in mistakes if one.score is not None][:_SHOWN],
    )
    path = result.model.with_suffix(".html")
    write_whole(path, page)
    return path


def _precision(points: tuple[HeldBackPoint, ...], labels: list[str], kept: str) -> list[Curve]:
    steps = [float(point.step) for point in points]
    values = [(label, [point.precision.get(label, 0.0) for point in points]) for label in labels]
    values += [(kept, [point.kept for point in points if point.kept is not None])]
    return [
        curve(steps, heights, 1.0, colour, name)
        for (name, heights), colour in zip(values, COLOURS * len(values), strict=False)
        if len(heights) == len(steps)
    ]


def _losses(points: tuple[HeldBackPoint, ...], words: dict[str, str]) -> list[Curve]:
    """Both losses' curves, without the point before the first step."""
    learned = points[1:]
    most = max([1e-9, *(max(point.loss, point.rehearsal) for point in learned)])
    steps = [float(point.step) for point in learned]
    return [
        curve(steps, [point.loss for point in learned], most, COLOURS[0], words["labelled"]),
        curve(steps, [point.rehearsal for point in learned], most, COLOURS[1], words["rehearsal"]),
    ]


def _mixtures(mixtures: tuple[Mixture, ...], words: dict[str, str]) -> list[Curve]:
    shares = [one.share for one in mixtures]
    curves = [curve(shares, [one.point.mean for one in mixtures], 1.0, COLOURS[0], words["mean"])]
    kept = [one.point.kept for one in mixtures if one.point.kept is not None]
    if len(kept) == len(shares):
        curves.append(curve(shares, kept, 1.0, COLOURS[1], words["kept"]))
    return curves
