"""What stands about the box at the broker: its birth, its health, and the state of each camera.

These messages are retained: whoever subscribes later reads what is so now. They are replaced, never queued.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog

from agent.clock import Clock
from agent.core.types import Size
from agent.host.camera_stats import CameraState
from agent.mqtt.forwarder import Forwarder
from agent.status import health
from agent.status.health import Sources
from agent.wire.channels import MessageKind
from agent.wire.codec import encode, moment
from agent.wire.payloads import CameraStatusPayload, InfoPayload
from agent.wire.topics import suffix

logger = structlog.get_logger(__name__)


class RetainedStatus:
    """Keeps them true; any thread may say that something has changed."""

    def __init__(
        self,
        forwarder: Forwarder,
        sources: Sources,
        birth: Callable[[Mapping[str, Size | None]], InfoPayload],
        clock: Clock,
        interval_s: float,
    ) -> None:
        """`birth` makes the birth message, given each camera's frame size; all is due each `interval_s`."""
        self._forwarder, self._sources = forwarder, sources
        self._birth, self._clock, self._interval_s = birth, clock, interval_s
        self._news = threading.Event()
        self._due_s = 0.0
        self._told: dict[str, CameraState] = {}
        """The state of each camera as it was last said."""
        self._sizes: dict[str, Size | None] = {}
        """The frame sizes in the last birth message."""

    @property
    def due(self) -> bool:
        """Whether something has changed since all was said, or that is long ago."""
        return self._news.is_set() or self._clock.now().mono_s >= self._due_s

    def hasten(self) -> None:
        """Something has changed: all is due at once."""
        self._news.set()

    def say(self) -> None:
        """The birth message if it has changed, the health, and the state of every camera."""
        self._news.clear()
        self._due_s = self._clock.now().mono_s + self._interval_s
        sizes = {name: watcher.figures.size for name, watcher in self._sources.watchers.items()}
        if sizes != self._sizes:
            self._sizes = sizes
            self._forwarder.keep(suffix(MessageKind.INFO), encode(self._birth(sizes)))
        try:
            self._forwarder.keep(suffix(MessageKind.HEALTH), encode(health.report(self._sources, self._clock)))
        except Exception:  # a figure that cannot be had must not stop a box that watches
            logger.exception("health_untold")
        for name in self._sources.watchers:
            self._camera(name)

    def changed(self, camera: str) -> None:
        """The state of this camera has changed."""
        self._camera(camera)
        self._news.set()

    def look(self) -> None:
        """Say what no thread says: a camera that stalls, or goes on, does so in silence."""
        for name, watcher in self._sources.watchers.items():
            if name not in self._told or watcher.seen().state != self._told[name].state:
                self._camera(name)

    def _camera(self, name: str) -> None:
        watcher, now = self._sources.watchers[name], self._clock.now()
        state = self._told[name] = watcher.seen()
        told = CameraStatusPayload(
            state=state.state,
            since=moment(state.since),
            time=moment(now),
            reason=state.reason,
            fps=watcher.figures.fps_analysed(now),
            frame_age_s=watcher.figures.frame_age_s(now),
        )
        self._forwarder.keep(suffix(MessageKind.CAMERA_STATUS, camera=name), encode(told))
