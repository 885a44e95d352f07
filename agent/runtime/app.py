"""The whole program on one screen: the parts of a box (parts.py) in the order in which they start.

    outbox      first, so that all that happens from now on is kept, and no second agent works in its folder
    detector    one network, shared by all cameras
    metrics     a port that is taken is told before anything works
    orphans     events that an earlier run left open get their end
    retained    what stands about the box at the broker, said again when it changes
    forwarder   what is in the outbox goes to the station
    cameras     a thread for each
    footage     a recorder for each camera that is recorded, and what keeps the ring in order
    commands    what the station commands is done, and what the last run left undone of it
    watchdog    systemd's is fed while every loop ticks

It stops the other way round, within ten seconds, whatever is still on its way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

import structlog

from agent import __version__
from agent.clock import boot_id
from agent.errors import NgatuError
from agent.host import restarts, tuning
from agent.host.supervise import notify
from agent.runtime.parts import AGAIN, Parts
from agent.status import health
from agent.workers.watching.camera import is_finite

logger = structlog.get_logger(__name__)

STOP_S = 10.0
"""All of a stop, whatever hangs (promise P14)."""
WORKERS_S = 4.0
"""Of which so long the threads of cameras and commands have to finish what they are at."""
DRAIN_S = 2.5
"""And so long is given to what is on its way to the station."""
TICK_S = 2.0
MAIN = "main"
"""The heartbeat of the loop that attends all others."""


class Agent(Parts):
    """One box at work."""

    def run(self, duration_s: float | None = None, started: Callable[[], None] = lambda: None) -> None:
        """Work until `stop` is set, every camera's file has ended, or the time is over.

        `started` is called once everything runs.

        Raises:
            NgatuError: the port for the figures is taken.
        """
        with ExitStack() as parts:
            parts.callback(self.close)
            if port := self.config.health.metrics_port:
                from agent.status import metrics  # noqa: PLC0415 – 2 MB that a box without it does not need

                parts.callback(metrics.serve(port, lambda: health.report(self.sources, self.clock)))
            self.events.close_orphans(self.session.boot_reason)
            self.disk.start()
            self.retained.publish()
            self.heartbeats.beat("forwarder")
            self.forwarder.start()
            parts.callback(self.watchdog.stop)
            parts.callback(self._end)
            tuning.tidy()
            for worker in self.workers.values():
                worker.start(self.stop)
            notify("READY=1")
            self.heartbeats.beat(MAIN)
            self.watchdog.start()
            started()
            logger.info(
                "started", cameras=list(self.cameras), session=self.session.id, version=__version__,
                why=self.session.boot_reason,
            )  # fmt: skip
            self._attend(duration_s)

    def _attend(self, duration_s: float | None) -> None:
        """Keep load and time in view, say how the box is, and notice the end."""
        ends_s = self.session.started.mono_s + duration_s if duration_s is not None else float("inf")
        finite = all(is_finite(camera) for camera in self.config.cameras)
        while not self.stop.wait(max(0.0, min(TICK_S, ends_s - self.clock.now().mono_s))):
            self.heartbeats.beat(MAIN)
            self.look()
            if self.retained.due:
                tuning.tidy()
                self.retained.publish()
            over = finite and all(self.workers[f"camera {name}"].join(0) for name in self.cameras)
            if over or self.clock.now().mono_s >= ends_s:
                self.stop.set()

    def look(self) -> None:
        """How load, clock, disk, name and cameras are: what has changed is kept for the station."""
        self._look_at_load()
        self._look_at_clock()
        self.disk.tick()
        self.identity.tick()
        self.audit_mirror.tick()
        self.footage.tick()
        self._look_at_shadow()
        self.retained.look()

    def _look_at_load(self) -> None:
        """Look at fewer pictures while the box is hot or busy; the station hears of it at once."""
        before = self.load.now
        if self.load.tick(camera.figures for camera in self.cameras.values()) != before:
            self.retained.hasten()

    def _look_at_shadow(self) -> None:
        """Tell what became of a model on trial; the station hears of it at once."""
        if self.shadow.tick(self.events.tell, self.leave):
            self.retained.hasten()

    def _look_at_clock(self) -> None:
        """Note the time, and tell the station when nobody vouches for it, and when somebody does again."""
        report = self.timekeeper.look()
        if report.event is not None:
            self.events.tell((report.event,))
            self.retained.hasten()
        if report.clock_map:
            self.events.tell_clock_map(self.session.id)

    def _end(self) -> None:
        """Stop in time, whatever hangs: cameras first, so that what they tell last can still be sent."""
        notify("STOPPING=1")
        logger.info("stopping")
        self.heartbeats.forget(MAIN)  # a stop that hangs is systemd's: TimeoutStopSec
        began = self.clock.now()
        self.stop.set()
        for camera in self.cameras.values():  # at once: a child in the hands of a hung driver takes its time
            threading.Thread(target=camera.interrupt, daemon=True).start()
        for worker in self.workers.values():
            worker.join(WORKERS_S - self.clock.now().since(began))
        self.footage.close(all(self.workers[name].join(0) for name in self.footage.runs))
        self.load.close()
        self.events.tell(filter(None, (self.timekeeper.close(),)))
        self.disk.close()
        self.audit_mirror.tick()
        self.retained.publish()
        self._drain(DRAIN_S)
        self.forwarder.stop(max(0.5, STOP_S - 1 - self.clock.now().since(began)))
        restarts.end(self.config.state_dir, boot_id(), ordered=self.exit_code == AGAIN)
        logger.info("stopped", after_s=round(self.clock.now().since(began), 1))

    def _drain(self, seconds: float) -> None:
        """Give what is on its way a moment; what stays is sent by the next run of the agent."""
        began = self.clock.now()
        pause = threading.Event()
        with suppress(NgatuError):
            while self.clock.now().since(began) < seconds:
                forwarder = self.forwarder.figures()
                heard = forwarder.station_online or self.config.broker.confirm == "broker"
                if forwarder.connected_s is None or (
                    self.forwarder.settled and not (heard and self.outbox.stats().pending)
                ):
                    return
                pause.wait(0.05)
