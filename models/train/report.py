"""The report of a training as one HTML file: curves, figures, the worst mistakes as pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from agent.core.types import Box
from agent.language import translated
from agent.translatable import tr
from models.train.batches import opened
from models.train.course import TrainResult
from models.train.held_back import TrainingMistake
from models.train.outcome import write_whole

WORDS: Final = {
    "title": tr("Report of a training"),
    "label": tr("label"),
    "before": tr("before"),
    "after": tr("after"),
    "figures": tr("AP50 on the pictures that were held back, in 2×2 tiles"),
    "curve": tr("AP50 over the steps"),
    "losses": tr("Losses: labelled pictures, and distance to the base on the others"),
    "labelled": tr("labelled"),
    "rehearsal": tr("others"),
    "step": tr("step"),
    "facts": tr("What it took"),
    "learned": tr("pictures learned from"),
    "held_back": tr("pictures held back, of cameras"),
    "best": tr("best step, of"),
    "minutes": tr("minutes of learning"),
    "memory": tr("memory at most, MB"),
    "device": tr("computed by"),
    "missed": tr("The largest that were missed (score below 0.4)"),
    "wrong": tr("The surest that are wrong"),
    "honest": tr(
        "Labels are seldom complete: look at what is wrong before you believe it. "
        "These pictures chose the best step, so judge the model on other ones: ngatu models judge."
    ),
}
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito, "Color Universal Design", 2008."""
_WIDE, _HIGH = 600, 220
_SHOWN = 9
_CONTEXT = 1.5
"""Of a mistake's box on each side."""
_PICTURE_PX = 240


def write_report(result: TrainResult, language: str) -> Path:
    """Write the page beside the model; returns its place."""
    environment = Environment(
        loader=PackageLoader("models.train", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    labels = list(result.after.precision)
    points = result.standing.points
    steps = [point.step for point in points]
    mistakes = sorted(result.after.mistakes, key=lambda one: -one.weight)
    page = environment.get_template("report.html").render(
        language=language,
        words={name: translated(text, language) for name, text in WORDS.items()},
        name=result.model.stem,
        result=result,
        rows=[(one, result.before.precision.get(one, 0.0), result.after.precision[one]) for one in labels],
        precision=[
            line(steps, [point.precision.get(one, 0.0) for point in points], 1.0, colour, one)
            for one, colour in zip(labels, COLOURS * len(labels), strict=False)
        ],
        losses=losses(steps, points),
        wide=_WIDE,
        high=_HIGH,
        missed=[_drawn(one) for one in mistakes if one.score is None][:_SHOWN],
        wrong=[_drawn(one) for one in mistakes if one.score is not None][:_SHOWN],
    )
    path = result.model.with_suffix(".html")
    write_whole(path, page.encode())
    return path


def losses(steps: Sequence[int], points: Sequence[Any]) -> list[dict[str, str]]:
    """Both losses' curves, without the point before the first step."""
    learned = points[1:]
    most = max([1e-9, *(max(point.loss, point.rehearsal) for point in learned)])
    return [
        line(steps[1:], [point.loss for point in learned], most, COLOURS[0], "labelled"),
        line(steps[1:], [point.rehearsal for point in learned], most, COLOURS[1], "rehearsal"),
    ]


def line(steps: Sequence[int], values: Sequence[float], most: float, colour: str, name: str) -> dict[str, str]:
    """A curve's points in a picture of `_WIDE` by `_HIGH` pixels, `most` at its top."""
    last = max([1, *steps])
    places = [
        f"{_WIDE * step / last:.1f},{_HIGH * (1 - value / most):.1f}"
        for step, value in zip(steps, values, strict=True)
    ]
    return {
        "points": " ".join(places),
        "colour": colour,
        "name": name,
        "last": f"{values[-1]:.2f}" if values else "",
    }


def _drawn(one: TrainingMistake) -> dict[str, str]:
    """A mistake in its surroundings, as a JPEG in an address."""
    picture = opened(one.image)
    high, wide = picture.shape[:2]
    box = _around(one.box, wide, high)
    x, y = (one.box.left + one.box.right) / 2 * wide, (one.box.top + one.box.bottom) / 2 * high
    side = min(max(40.0, _CONTEXT * 2 * max(box[2] - box[0], box[3] - box[1])), float(min(wide, high)))
    left, top = (int(np.clip(at - side / 2, 0, most - side)) for at, most in ((x, wide), (y, high)))
    part = picture[top : top + int(side), left : left + int(side)]
    scale = _PICTURE_PX / side
    shown = cv2.resize(part, (_PICTURE_PX, _PICTURE_PX), interpolation=cv2.INTER_CUBIC)
    corners = [round((at - from_) * scale) for at, from_ in zip(box, (left, top, left, top), strict=True)]
    cv2.rectangle(shown, corners[:2], corners[2:], (0, 94, 213) if one.score is not None else (178, 114, 0), 2)
    _, data = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 80])
    text = one.label if one.score is None else f"{one.label} {one.score:.2f}"
    return {
        "src": "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode(),
        "text": text,
        "camera": one.image.camera,
    }


def _around(box: Box, wide: int, high: int) -> tuple[float, float, float, float]:
    return box.left * wide, box.top * high, box.right * wide, box.bottom * high
