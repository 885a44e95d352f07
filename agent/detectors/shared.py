"""One detector for all cameras: what waits at the same time becomes one call, and nobody overtakes.

Whoever gets the lock first runs the network for everyone who waits; the others find their answer when they get
it. So a batch is as large as the number of cameras that wait, and a camera waits for at most one call that is
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
from agent.errors import NgatuError


@dataclass
class _Request:
    images: Sequence[Image]
    answer: list[tuple[Detection, ...]] | None = None
    error: NgatuError | None = None


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
        self._lock = threading.Lock()
        self._waiting: deque[_Request] = deque()

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each picture, as the inner detector tells them.

        Raises:
            ModelError: the network failed.
        """
        request = _Request(images)
        self._waiting.append(request)
        with self._lock:
            if request.answer is None and request.error is None:
                self._serve()
        if request.error is not None:
            raise request.error
        assert request.answer is not None
        return request.answer

    def close(self) -> None:
        """Let go of the network."""
        self.inner.close()

    def _serve(self) -> None:
        requests = [self._waiting.popleft() for _ in range(len(self._waiting))]
        began = self.clock.now()
        try:
            found = self.inner.detect([image for request in requests for image in request.images])
        except NgatuError as error:
            for request in requests:
                request.error = error
            return
        finally:
            self.calls_ms.append(self.clock.now().since(began) * 1000)
        taken = iter(found)
        for request in requests:
            request.answer = [next(taken) for _ in request.images]
