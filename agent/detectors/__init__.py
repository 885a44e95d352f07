"""Objects found: the Detector protocol, and how the one detector is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from agent.core.types import Detection, Image, Size

if TYPE_CHECKING:
    from agent.detectors.settings import DetectorSettings


class Detector(Protocol):
    """Finds objects in pictures; the same picture gives the same detections."""

    name: str
    """The model's name from its card; empty where there is none."""
    sha256: str
    """Of the model file, lower-case hex; empty where there is none."""
    input_size: Size
    """What the network sees; crops of this size are neither enlarged nor shrunk."""
    labels: tuple[str, ...]

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each BGR picture, boxes in fractions of that picture, best score first."""
        ...

    def close(self) -> None:
        """Let go of the network; may be called twice."""
        ...


def load_detector(settings: DetectorSettings, waits: bool = True) -> Detector:
    """The detector of these settings, ready to be called.

    One for which TensorRT must build an engine first is not ready where `waits` is false: it says so whenever
    it is called, until it is.

    Raises:
        ModelError: the model or its card is missing, wrong, or changed; or what runs it is not there.
    """
    # Here, because ONNX Runtime takes a third of a second to import and `ngatu --help` needs none of it.
    from agent.detectors.card import hashed  # noqa: PLC0415
    from agent.detectors.places import find_card, find_model  # noqa: PLC0415
    from agent.detectors.settings import NCNN, ONNX_RUNTIME  # noqa: PLC0415

    if settings.backend not in (ONNX_RUNTIME, NCNN):
        from agent.detectors.plugins import load_plugin  # noqa: PLC0415

        return load_plugin(settings)
    model = find_model(settings)
    sha256 = hashed(model)
    card, _ = find_card(model, sha256, settings.card)
    if settings.backend == NCNN:
        from agent.detectors.ncnn import NcnnDetector  # noqa: PLC0415

        return NcnnDetector(model, sha256, card, settings)
    from agent.detectors.onnx import OnnxDetector, builds_engine  # noqa: PLC0415

    if not waits and builds_engine(settings, sha256):
        from agent.detectors.tensorrt.building import BuildingDetector  # noqa: PLC0415

        return BuildingDetector(card, sha256, lambda: OnnxDetector(model, sha256, card, settings))
    return OnnxDetector(model, sha256, card, settings)


def model_sha256(settings: DetectorSettings) -> str:
    """SHA-256 of the model's file, lower-case hex.

    Raises:
        ModelError: there is none, or it cannot be read.
    """
    from agent.detectors.card import hashed  # noqa: PLC0415
    from agent.detectors.places import find_model  # noqa: PLC0415

    return hashed(find_model(settings))
