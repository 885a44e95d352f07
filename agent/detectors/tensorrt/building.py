"""A detector whose engine is being built: it is there at once, and finds nothing until it can.

On a small board TensorRT builds an engine for minutes. A box that waited for it would see nothing at all, and
systemd would take it for hung. So the cameras start, and are watched by motion, as when a detector fails.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from agent.core.types import Detection, Image, Size
from agent.detectors import Detector
from agent.detectors.card import Card
from agent.errors import ModelError
from agent.translatable import tr

log = structlog.get_logger(__name__)


class BuildingDetector:
    """A Detector that is loaded in a thread of its own."""

    def __init__(self, card: Card, sha256: str, load: Callable[[], Detector]) -> None:
        """`load` builds the engine, and gives the detector that the card is of."""
        self.name, self.sha256 = card.name, sha256
        self.input_size: Size = card.field
        self.labels: tuple[str, ...] = card.keep
        self._load = load
        self._lock = threading.Lock()
        self._closed = False
        self._built: Detector | None = None
        self._failed: ModelError | None = None
        log.warning("engines_are_built", model=self.name, until="then nothing but motion is told, for minutes")
        # A daemon: TensorRT cannot be told to stop, and an agent that is to end does not wait for it.
        threading.Thread(target=self._build, name="engines", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether it is built, or cannot be."""
        return self._built is not None or self._failed is not None

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each picture, once it can.

        Raises:
            ModelError: it is being built, it cannot be, or the network fails.
        """
        if self._failed is not None:
            raise ModelError(self._failed.what, self._failed.hint) from self._failed
        if self._built is None:
            raise ModelError(
                tr("{name}: TensorRT builds its engine for this GPU, which takes minutes", name=self.name),
                tr("until then cameras are watched by motion; it is kept for the next start"),
            )
        return self._built.detect(images)

    def close(self) -> None:
        """Let go of the network, also of one that is not there yet. May be called twice."""
        with self._lock:
            self._closed, built = True, self._built
        if built is not None:
            built.close()

    def _build(self) -> None:
        try:
            built = self._load()
        except Exception as error:  # whatever it is, whoever asks must hear of it
            failed = error if isinstance(error, ModelError) else _foreign(self.name, error)
            log.warning("engines_failed", model=self.name, why=failed.what, hint=failed.hint)
            self._failed = failed
            return
        with self._lock:
            self._built = built
            closed = self._closed
        log.info("engines_built", model=self.name)
        if closed:
            built.close()


def _foreign(name: str, error: Exception) -> ModelError:
    failed = ModelError(f"{name}: {type(error).__name__}: {error}", tr("report this with the log"))
    failed.__cause__ = error
    return failed
