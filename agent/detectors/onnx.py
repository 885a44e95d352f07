"""The detector on ONNX Runtime: one network, any provider, safe to call from many threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import structlog
from numpy.typing import NDArray

from agent.detectors.card import Card, read_unchanged
from agent.detectors.card_detector import CardDetector
from agent.detectors.settings import DetectorSettings
from agent.detectors.tensorrt.engines import engine_folder, has_engine, make_room, provider_options
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
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class OnnxRunner:
    """Runs a network by ONNX Runtime."""

    def __init__(self, model: Path, sha256: str, card: Card, settings: DetectorSettings) -> None:
        """Load it.

        Raises:
            ModelError: the provider is missing, the file is no network, or its input is not what the card says.
        """
        self._session = _session(model, sha256, settings)
        self.providers = tuple(self._session.get_providers())
        wanted = PROVIDERS[settings.provider][0]
        if wanted not in self.providers:
            log.warning("provider_fell_back", wanted=wanted, providers=self.providers)
        entry = self._session.get_inputs()[0]
        self._input = entry.name
        self.outputs: Sequence[str] = [output.name for output in self._session.get_outputs()]
        self.dtype, self.fixed = _checked(entry, card, model)
        self._run_options = ort.RunOptions()

    def run(self, batch: NDArray[Any]) -> Sequence[Any]:
        """The outputs of a batch."""
        return list(self._session.run(self.outputs, {self._input: batch}, self._run_options))

    def give_up(self) -> None:
        """End the call that runs: between two nodes, of a loop's body, too."""
        self._run_options.terminate = True


class OnnxDetector(CardDetector):
    """A Detector made of one .onnx file and its card; `detect` may be called from many threads at once."""

    def __init__(self, model: Path, sha256: str, card: Card, settings: DetectorSettings) -> None:
        """Load the network.

        Raises:
            ModelError: the provider is missing, the file is no network, or it is not what the card says.
        """
        network = OnnxRunner(model, sha256, card, settings)
        super().__init__(network, sha256, card, settings)
        self._providers = network.providers
        # A network may hold a loop without end: it would hold up each start without a word.
        limit = threading.Timer(FIRST_CALL_S, network.give_up) if settings.provider == "cpu" else None
        if limit is not None:
            limit.daemon = True
            limit.start()
        try:
            self.try_out()
        finally:
            if limit is not None:
                limit.cancel()

    @property
    def providers(self) -> tuple[str, ...]:
        """ONNX Runtime's providers that really run the network, first choice first."""
        return self._providers


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
    data = read_unchanged(model, sha256)
    chosen = [_with_options(each, settings, sha256) for each in wanted if each in there]
    while True:
        try:
            return _without_file(ort.InferenceSession(data, options, providers=chosen))
        except Exception as error:  # ONNX Runtime's errors share no base but Exception
            if len(chosen) > 1:
                failed, *chosen = chosen
                log.warning("provider_failed", provider=failed[0], why=str(error)[:300], then=chosen[0][0])
                continue
            raise ModelError(
                tr("{model}: ONNX Runtime cannot load it: {error}", model=model, error=error),
                tr("fetch or export it again."),
            ) from error


def _without_file(session: ort.InferenceSession) -> ort.InferenceSession:
    """The session, no longer holding the bytes of the file that it was loaded from (3.7 MB of YOLOX-nano's).

    It keeps them to load them anew with the next provider, when one fails at work. With the processor alone
    there is none next; then it says what failed, instead of trying that.
    """
    if session.get_providers() == list(PROVIDERS["cpu"]):
        session.disable_fallback()
        session._model_bytes = None  # no public way; were it named otherwise, nothing would be spared
    return session


def _with_options(provider: str, settings: DetectorSettings, sha256: str) -> tuple[str, dict[str, str]]:
    """The provider with what it is told; where a folder for engines cannot be made, none are kept."""
    if provider != PROVIDERS["tensorrt"][0]:
        return provider, {}
    folder = engine_folder(settings, sha256, ort.__version__)
    try:
        make_room(folder)
    except OSError as error:
        log.warning("engines_not_kept", folder=str(folder), why=error.strerror)
        return provider, {"trt_fp16_enable": "1" if settings.fp16 else "0"}
    return provider, provider_options(settings, folder)


def builds_engine(settings: DetectorSettings, sha256: str) -> bool:
    """Whether loading this model would first build an engine for minutes."""
    wanted = PROVIDERS["tensorrt"][0]
    if PROVIDERS[settings.provider][0] != wanted or wanted not in ort.get_available_providers():
        return False
    return not has_engine(engine_folder(settings, sha256, ort.__version__))


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
