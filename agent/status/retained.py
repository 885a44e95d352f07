"""What stands about the box at the broker: its birth, its health, and the state of each camera.

These messages are retained: whoever subscribes later reads what is so now. They are replaced, never queued.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from agent.clock import Clock
from agent.host.camera_stats import CameraState, Seen
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
        keep: Callable[[str, bytes], None],
        sources: Sources,
        birth: Callable[[Mapping[str, Seen]], InfoPayload],
        clock: Clock,
        interval_s: float,
    ) -> None:
        """`keep` has the broker retain a body for a topic below the box's.

        `birth` makes the birth message, given what each camera turned out to be; all is due each `interval_s`.
        From now on the cameras say by themselves that they are in another state.
        """
        self._keep, self._sources = keep, sources
        self._birth, self._clock, self._interval_s = birth, clock, interval_s
        self._news = threading.Event()
        self._due_s = 0.0
        self._last: dict[str, CameraState] = {}
        """The state of each camera as it was last published."""
        self._seen: dict[str, Seen] = {}
        """What the last birth message said of the cameras."""
        self._looked: dict[str, Seen] = {}
        """What was known of them at the last look."""
        for name, camera in sources.cameras.items():
            camera.on_state = partial(self.changed, name)

    @property
    def due(self) -> bool:
        """Whether something has changed since all was published, or that is long ago."""
        return self._news.is_set() or self._clock.now().mono_s >= self._due_s

    def hasten(self) -> None:
        """Something has changed: all is due at once."""
        self._news.set()

    def publish(self) -> None:
        """The birth message if it has changed, the health, and the state of every camera."""
        self._news.clear()
        self._due_s = self._clock.now().mono_s + self._interval_s
        seen = {name: camera.figures.seen for name, camera in self._sources.cameras.items()}
        try:
            if seen != self._seen:
                self._keep(suffix(MessageKind.INFO), encode(self._birth(seen)))
                self._seen = seen
        except Exception:  # what a camera says of itself must not stop a box that watches
            logger.exception("birth_failed")
        try:
            self._keep(suffix(MessageKind.HEALTH), encode(health.report(self._sources, self._clock)))
        except Exception:  # a figure that cannot be had must not stop a box that watches
            logger.exception("health_failed")
        for name in self._sources.cameras:
            self._publish_camera(name)

    def changed(self, camera: str, _state: CameraState | None = None) -> None:
        """The state of this camera has changed."""
        self._publish_camera(camera)
        self._news.set()

    def look(self) -> None:
        """Publish what no thread says: a camera that stalls, or goes on, and what it turns out to be."""
        seen = {name: camera.figures.seen for name, camera in self._sources.cameras.items()}
        if seen != self._looked:
            self._looked = seen
            self._news.set()
        for name, camera in self._sources.cameras.items():
            if name not in self._last or camera.seen().state != self._last[name].state:
                self._publish_camera(name)

    def _publish_camera(self, name: str) -> None:
        camera, now = self._sources.cameras[name], self._clock.now()
        state = self._last[name] = camera.seen()
        payload = CameraStatusPayload(
            state=state.state,
            since=moment(state.since),
            time=moment(now),
            reason=state.reason,
            fps=camera.figures.fps_analysed(now),
            frame_age_s=camera.figures.frame_age_s(now),
        )
        self._keep(suffix(MessageKind.CAMERA_STATUS, camera=name), encode(payload))
