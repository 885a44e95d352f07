"""The detector on ONNX Runtime: one network, any provider, safe to call from many threads."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import structlog
from numpy.typing import NDArray

from agent.core.types import Box, Detection, Image, Size
from agent.detectors.card import Card
from agent.detectors.heads.found import Ask, RawDetections, misfit, shifted, suppress
from agent.detectors.letterbox import Placement, network_input
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from agent.translatable import tr

log = structlog.get_logger(__name__)

PROVIDERS: dict[str, tuple[str, ...]] = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
}
"""What is tried, in this order; a provider that cannot run a layer leaves it to the next."""

_GRAPH = {
    "off": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
FIRST_CALL_S = 60.0
"""On a processor; the slowest network of the catalogue takes 2 s on a small board."""
NOWHERE = "/nonexistent/ngatu"
MOST_VALUES = 20_000_000
"""Of one output for one picture; the largest of the catalogue has a million."""
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class OnnxDetector:
    """A Detector made of one .onnx file and its card; `detect` may be called from many threads at once."""

    def __init__(self, model: Path, sha256: str, card: Card, settings: DetectorSettings) -> None:
        """Load the network.

        Raises:
            ModelError: the provider is missing, the file is no network, or it is not what the card says.
        """
        self.name = card.name
        self.sha256 = sha256
        self.input_size: Size = card.field
        self.labels: tuple[str, ...] = card.keep
        self._card = card
        self._names = tuple(card.labels)
        self._ask = _ask(card, settings.min_score)
        self._twin_iou = settings.twin_iou
        self._apart = self._names.index("person") if "person" in self._names else -1
        self._session: ort.InferenceSession | None = _session(model, sha256, settings)
        self._providers = tuple(self._session.get_providers())
        wanted = PROVIDERS[settings.provider][0]
        if wanted not in self._providers:
            log.warning("provider_fell_back", wanted=wanted, providers=self._providers)
        entry = self._session.get_inputs()[0]
        self._input = entry.name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._dtype, self._fixed = _checked(entry, card, model)
        self._batch = self._fixed or settings.batch
        self._run_options = ort.RunOptions()
        # One empty picture: a card that does not fit is told now, and the first real call is not slower.
        # A network may hold a loop without end: it would hold up each start without a word.
        limit = threading.Timer(FIRST_CALL_S, self._give_up) if settings.provider == "cpu" else None
        if limit is not None:
            limit.daemon = True
            limit.start()
        try:
            self.detect([np.zeros((card.input.height_px, card.input.width_px, 3), np.uint8)])
        finally:
            if limit is not None:
                limit.cancel()

    @property
    def providers(self) -> tuple[str, ...]:
        """ONNX Runtime's providers that really run the network, first choice first."""
        return self._providers

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each BGR picture, boxes in fractions of that picture, best score first.

        Raises:
            ModelError: the network fails, its outputs do not fit the card, or the detector is closed.
        """
        return [found for start in self._chunks(len(images)) for found in self._run(images[start])]

    def close(self) -> None:
        """Let go of the network; calls that are running finish. May be called twice."""
        self._session = None

    def _give_up(self) -> None:
        self._run_options.terminate = True  # between two nodes, of a loop's body, too

    def _chunks(self, count: int) -> Iterator[slice]:
        return (slice(start, start + self._batch) for start in range(0, count, self._batch))

    def _run(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        session = self._session
        if session is None:
            raise ModelError(tr("{name}: the detector is closed", name=self.name), tr("load it again."))
        batch, places = network_input(images, self._card, self._dtype)
        if self._fixed and len(batch) < self._fixed:
            # A network that was exported for n pictures takes n: the rest stays empty and is not read.
            rest = np.zeros((self._fixed - len(batch), *batch.shape[1:]), batch.dtype)
            batch = np.concatenate([batch, rest])
        try:
            outputs = session.run(self._outputs, {self._input: batch}, self._run_options)
        except Exception as error:  # ONNX Runtime's errors share no base but Exception
            raise ModelError(tr("{name}: the network failed: {error}", name=self.name, error=error)) from error
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
        found = replace(found, scores=shifted(found.scores, self._card.shift))
        return tuple(_detections(found, place, self._names))


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
        shifted(thresholds, -card.shift),
        len(names),
    )


def _session(model: Path, sha256: str, settings: DetectorSettings) -> ort.InferenceSession:
    wanted = PROVIDERS[settings.provider]
    there = ort.get_available_providers()
    if wanted[0] not in there:
        raise ModelError(
            tr(
                "detector.provider: this ONNX Runtime has no {provider}, only {there}",
                provider=settings.provider,
                there=", ".join(there),
            ),
            tr("install onnxruntime-gpu (on a Jetson: NVIDIA's wheel for its JetPack), or set provider: cpu."),
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = _GRAPH[settings.graph]
    options.log_severity_level = 3  # exporters leave unused constants behind, and each would be a warning
    # Idle threads would spin between calls: twice the CPU time for the same pace (measured on two cores).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena keeps the largest batch's memory for ever: 100 MB for four pictures of YOLOv3-tiny (measured).
    options.enable_cpu_mem_arena = False
    # The very bytes that were hashed, and no other file: what lies beside the model has no hash in the card.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", NOWHERE)
    try:
        data = model.read_bytes()
    except OSError as error:
        raise ModelError(
            tr("{model}: the model cannot be read: {reason}", model=model, reason=error.strerror),
            tr("check the path"),
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(tr("{model}: it has changed just now", model=model), tr("load it again."))
    try:
        return ort.InferenceSession(data, options, providers=[p for p in wanted if p in there])
    except Exception as error:  # ONNX Runtime's errors share no base but Exception
        raise ModelError(
            tr("{model}: ONNX Runtime cannot load it: {error}", model=model, error=error),
            tr("fetch or export it again."),
        ) from error


def _checked(entry: Any, card: Card, model: Path) -> tuple[Any, int | None]:
    """The input's type and its fixed batch size, None where the network takes any number of pictures."""
    field = (card.input.height_px, card.input.width_px)
    wanted = (3, *field) if card.layout == "nchw" else (*field, 3)
    shape = list(entry.shape)
    fits = len(shape) == 4 and all(
        not isinstance(is_, int) or is_ == want for is_, want in zip(shape[1:], wanted, strict=True)
    )
    if not fits or entry.type not in _TYPES:
        raise ModelError(
            tr(
                "{model}: its input is {type} {shape}, but the card says {wanted}",
                model=model,
                type=entry.type,
                shape=shape,
                wanted=["batch", *wanted],
            ),
            tr("correct input and layout in the model card."),
        )
    return _TYPES[entry.type], shape[0] if isinstance(shape[0], int) else None
