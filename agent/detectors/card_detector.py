"""A detector made of a network and its card: from pictures to its input, from its outputs to detections.

What is one way for all networks lies here; what runs one is a `NetworkRunner`: ONNX Runtime (onnx.py), NCNN
(ncnn.py), or that of a plug-in (docs/guide/detectors.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.core.types import Box, Detection, Image, Size
from agent.detectors.card import Card
from agent.detectors.heads.found import Ask, RawDetections, misfit, shifted, suppress
from agent.detectors.letterbox import Placement, network_input
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from agent.translatable import tr

MOST_VALUES = 20_000_000
"""Of one output for one picture; the largest of the catalogue has a million."""


class NetworkRunner(Protocol):
    """Runs a network; called from many threads at once."""

    outputs: Sequence[str]
    """Their names, in the order in which `run` gives them."""
    dtype: Any
    """Of the input: np.float32, np.float16 or np.uint8."""
    fixed: int | None
    """How many pictures it takes in one call; None: any number."""

    def run(self, batch: NDArray[Any]) -> Sequence[Any]:
        """The outputs of a batch as the card wants it: (N, 3, height, width), or (N, height, width, 3).

        Each output has N as its first axis. Whatever it raises is told as the network's failure.
        """
        ...


class CardDetector:
    """A Detector made of a network and its card; `detect` may be called from many threads at once."""

    def __init__(self, network: NetworkRunner, sha256: str, card: Card, settings: DetectorSettings) -> None:
        """`sha256` is of the model's file.

        Raises:
            ModelError: `min_score` names a label that the card does not tell.
        """
        self.name = card.name
        self.sha256 = sha256
        self.input_size: Size = card.field
        self.labels: tuple[str, ...] = card.keep
        self._card = card
        self._names = tuple(card.labels)
        self._ask = _ask(card, settings.min_score)
        self._shifts = np.array([card.shift(name) for name in self._names], np.float32)
        self._twin_iou = settings.twin_iou
        self._apart = self._names.index("person") if "person" in self._names else -1
        self._network: NetworkRunner | None = network
        self._outputs, self._dtype, self._fixed = network.outputs, network.dtype, network.fixed
        self._batch = self._fixed or settings.batch

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each BGR picture, boxes in fractions of that picture, best score first.

        Raises:
            ModelError: the network fails, its outputs do not fit the card, or the detector is closed.
        """
        return [found for start in self._chunks(len(images)) for found in self._run(images[start])]

    def try_out(self) -> None:
        """Look at an empty picture: a card that does not fit is told now, and the first call is not slower.

        Raises:
            ModelError: as `detect`.
        """
        self.detect([np.zeros((self.input_size.height_px, self.input_size.width_px, 3), np.uint8)])

    def close(self) -> None:
        """Let go of the network; calls that are running finish. May be called twice."""
        self._network = None

    def _chunks(self, count: int) -> Iterator[slice]:
        return (slice(start, start + self._batch) for start in range(0, count, self._batch))

    def _run(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        network = self._network
        if network is None:
            raise ModelError(tr("{name}: the detector is closed", name=self.name), tr("load it again."))
        batch, places = network_input(images, self._card, self._dtype)
        if self._fixed and len(batch) < self._fixed:
            # A network that was exported for n pictures takes n: the rest stays empty and is not read.
            rest = np.zeros((self._fixed - len(batch), *batch.shape[1:]), batch.dtype)
            batch = np.concatenate([batch, rest])
        try:
            outputs = network.run(batch)
        except Exception as error:  # ONNX Runtime's errors share no base but Exception
            raise ModelError(tr("{name}: the network failed: {error}", name=self.name, error=error)) from error
        if len(outputs) != len(self._outputs):
            raise misfit(self._card.head.kind, f"the {len(self._outputs)} outputs that it names", {})
        return [self._told(index, outputs, place) for index, place in enumerate(places)]

    def _one(self, array: NDArray[Any], index: int) -> NDArray[Any]:
        """An output's part of one picture: a file may give anything, whatever it declares."""
        if not isinstance(array, np.ndarray):
            array = np.array(None)  # a list or a map: ONNX knows these, too
        if array.dtype.kind not in "fiu" or array.ndim == 0 or len(array) <= index:
            raise misfit(self._card.head.kind, "numbers for each picture", {"output": array})
        if array[index].size > MOST_VALUES:
            raise misfit(self._card.head.kind, f"at most {MOST_VALUES} numbers a picture", {"output": array})
        return np.asarray(array[index])

    def _told(self, index: int, outputs: Sequence[NDArray[Any]], place: Placement) -> tuple[Detection, ...]:
        one = dict(zip(self._outputs, (self._one(array, index) for array in outputs), strict=True))
        try:
            raw = self._card.head.decode(one, self._ask)
        except (IndexError, TypeError, ValueError) as error:  # each head tells what it can; the rest is here
            raise misfit(self._card.head.kind, "what the card says", one) from error
        found = suppress(raw, self._card.nms_iou, self._twin_iou, self._apart)
        found = self._meant(found)
        return tuple(_detections(found, place, self._names))

    def _meant(self, found: RawDetections) -> RawDetections:
        """With scores that mean the same for every network and label, best first."""
        if not self._shifts.any():
            return found
        scores = shifted(found.scores, self._shifts[found.labels])
        return replace(found, scores=scores).at(np.argsort(-scores, kind="stable"))


def _detections(found: RawDetections, place: Placement, names: Sequence[str]) -> Iterator[Detection]:
    boxes = place.fractions(found.boxes)
    for box, score, label in zip(boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True):
        left, top, right, bottom = box
        if right > left and bottom > top:  # what lies wholly in the letterbox's padding has no area left
            yield Detection(names[label], min(1.0, score), Box(left, top, right, bottom))


def _ask(card: Card, least: Mapping[str, float]) -> Ask:
    unknown = [label for label in least if label not in card.keep]
    if unknown:
        near = get_close_matches(unknown[0], card.keep, 1)
        hint = (
            tr("did you mean {near}?", near=near[0])
            if near
            else tr("the model tells {keep}.", keep=", ".join(card.keep))
        )
        raise ModelError(
            tr("detector.min_score: {card} tells no {unknown}", card=card.name, unknown=", ".join(unknown)),
            hint,
        )
    names = tuple(card.labels)
    thresholds = np.array([least.get(label, card.min_score) for label in card.keep], np.float32)
    return Ask(
        card.field,
        np.array([names.index(label) for label in card.keep], np.intp),
        shifted(thresholds, -np.array([card.shift(label) for label in card.keep], np.float32)),
        len(names),
    )
