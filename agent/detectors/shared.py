"""One detector for all cameras: what waits at the same time becomes one call, and nobody overtakes.

Whoever comes while the network rests runs it for everyone who waits; the others find their answer when they
wake. So a batch is as large as the number of cameras that wait, and a camera waits for at most one call that is
not its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.clock import Clock
from agent.core.types import Detection, Image, Size
from agent.detectors import Detector
from agent.errors import ModelError


@dataclass
class _Request:
    images: Sequence[Image]
    answer: list[tuple[Detection, ...]] | None = None
    error: ModelError | None = None

    @property
    def settled(self) -> bool:
        return self.answer is not None or self.error is not None


@dataclass
class SharedDetector:
    """A Detector that many threads use at once."""

    inner: Detector
    clock: Clock
    calls_ms: deque[float] = field(default_factory=lambda: deque(maxlen=500))
    """How long the latest calls of the network took."""

    def __post_init__(self) -> None:
        self.name, self.sha256 = self.inner.name, self.inner.sha256
        self.input_size: Size = self.inner.input_size
        self.labels = self.inner.labels
        self._changed = threading.Condition()
        self._busy = False
        self._waiting: deque[_Request] = deque()

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each picture, as the inner detector tells them.

        Raises:
            ModelError: the network failed.
        """
        request = _Request(images)
        with self._changed:
            self._waiting.append(request)
            while self._busy and not request.settled:
                self._changed.wait()
            mine = [] if request.settled else self._take()
        if mine:
            self._serve(mine)
        if request.error is not None:
            # An error of one's own: threads that raised the same one would write into each other's traceback.
            raise ModelError(request.error.what, request.error.hint) from request.error
        assert request.answer is not None
        return request.answer

    def close(self) -> None:
        """Let go of the network."""
        self.inner.close()

    def _take(self) -> list[_Request]:
        """Everyone who waits now; the caller holds the condition and serves them."""
        self._busy = True
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def _serve(self, requests: list[_Request]) -> None:
        began = self.clock.now()
        try:
            found = self.inner.detect([image for request in requests for image in request.images])
            taken = iter(found)
            answers = [[next(taken) for _ in request.images] for request in requests]
        except Exception as error:  # whatever it is, those who wait must hear of it and not hang
            told = error if isinstance(error, ModelError) else _foreign(self.name, error)
            self._settle(requests, None, told)
        else:
            self._settle(requests, answers, None)
            self.calls_ms.append(self.clock.now().since(began) * 1000)

    def _settle(
        self,
        requests: list[_Request],
        answers: list[list[tuple[Detection, ...]]] | None,
        error: ModelError | None,
    ) -> None:
        with self._changed:
            self._busy = False
            for index, request in enumerate(requests):
                request.answer, request.error = (answers[index] if answers else None), error
            self._changed.notify_all()


def _foreign(name: str, error: Exception) -> ModelError:
    told = ModelError(
        f"{name}: the detector failed: {type(error).__name__}: {error}", "report this with the log"
    )
    told.__cause__ = error
    return told
