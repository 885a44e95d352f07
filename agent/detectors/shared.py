"""One detector for all cameras: what waits at the same time becomes one call, and each camera gets as much.

Whoever comes while the network rests runs it for everyone who waits; the others find their answer when they
wake. While several cameras are at it, a call takes one picture of each that waits, and the rest of a camera's
pictures wait for the next calls. That is round robin by pictures, which is max-min fair (Nagle, "On packet
switches with infinite storage", RFC 970, 1985); pictures are of equal cost, so no deficits need be counted.
A camera alone has all of its pictures looked at in one call.

So under overload:

- each camera has as many pictures looked at as any other that asks for more than it gets;
- a camera with many crops makes itself late, not the others;
- the first look of a camera waits for the call that runs and for its own, each with at most one picture of each
  camera, whatever the others have asked for. Only a camera that was alone may be at a longer call.

Splitting a camera's crops costs nothing on a processor, where a call takes as long as its pictures.
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
from agent.translatable import tr

ACTIVE_S = 1.0
"""Who has asked within this time counts as at it, also between two of its looks."""


@dataclass
class _DetectRequest:
    images: Sequence[Image]
    found: list[tuple[Detection, ...]] = field(default_factory=list)
    """Of the first pictures, as far as the network has come."""
    taken: int = 0
    """How many of the pictures are looked at, or were."""
    error: ModelError | None = None

    @property
    def settled(self) -> bool:
        return self.error is not None or len(self.found) == len(self.images)


_Part = tuple[_DetectRequest, Sequence[Image]]
"""Some of a request's pictures, taken for one call."""


@dataclass
class SharedDetector:
    """A Detector that many threads use at once, one for each camera."""

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
        self._waiting: list[_DetectRequest] = []
        """Those with pictures that no call has taken yet."""
        self._asked_s: dict[int, float] = {}
        """By thread: when it last asked or was answered."""

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """The objects in each picture, as the inner detector tells them.

        Raises:
            ModelError: the network failed.
        """
        request = _DetectRequest(images)
        with self._changed:
            self._asks()
            self._waiting.append(request)
        while not request.settled:
            with self._changed:
                while self._busy and not request.settled:
                    self._changed.wait()
                parts = [] if request.settled else self._take()
            if parts:
                self._serve(parts)
        with self._changed:
            self._asks()
        if request.error is not None:
            # An error of one's own: threads that raised the same one would write into each other's traceback.
            raise ModelError(request.error.what, request.error.hint) from request.error
        return request.found

    @property
    def waiting(self) -> int:
        """How many have pictures that no call has taken yet."""
        return len(self._waiting)

    def close(self) -> None:
        """Let go of the network."""
        self.inner.close()

    def _asks(self) -> None:
        """This thread is at it; the caller holds the condition."""
        now_s = self.clock.now().mono_s
        self._asked_s[threading.get_ident()] = now_s
        self._asked_s = {who: when for who, when in self._asked_s.items() if now_s - when <= ACTIVE_S}

    def _take(self) -> list[_Part]:
        """The pictures of the next call; the caller holds the condition and serves them."""
        self._busy = True
        alone = len(self._waiting) == 1 and len(self._asked_s) <= 1
        parts = []
        for each in self._waiting:
            begin, each.taken = each.taken, len(each.images) if alone else each.taken + 1
            parts.append((each, each.images[begin : each.taken]))
        self._waiting = [each for each in self._waiting if each.taken < len(each.images)]
        return parts

    def _serve(self, parts: list[_Part]) -> None:
        began = self.clock.now()
        try:
            answers = self.inner.detect([image for _, images in parts for image in images])
            taken = iter(answers)
            found = [[next(taken) for _ in images] for _, images in parts]
        except Exception as error:  # whatever it is, those who wait must hear of it and not hang
            self._settle(parts, None, error if isinstance(error, ModelError) else _foreign(self.name, error))
        else:
            self._settle(parts, found, None)
            self.calls_ms.append(self.clock.now().since(began) * 1000)

    def _settle(
        self, parts: list[_Part], found: list[list[tuple[Detection, ...]]] | None, error: ModelError | None
    ) -> None:
        with self._changed:
            self._busy = False
            for index, (request, _) in enumerate(parts):
                request.error = error
                request.found.extend(found[index] if found else ())
            self._waiting = [each for each in self._waiting if each.error is None]
            self._changed.notify_all()


def _foreign(name: str, error: Exception) -> ModelError:
    failure = ModelError(
        tr("{name}: the detector failed: {kind}: {error}", name=name, kind=type(error).__name__, error=error),
        tr("report this with the log"),
    )
    failure.__cause__ = error
    return failure
