"""The whole program on one screen: every part of a box, in the order in which it starts.

    outbox   first, so that everything that happens from now on is kept
    orphans  events that an earlier life left open get their end
    detector one network, shared by all cameras
    forwarder what is in the outbox goes to the station
    watchers a thread per camera
    health   what the box says about itself, and the heartbeat that systemd listens for

It stops the other way round, within ten seconds, whatever is still on its way.
"""

from __future__ import annotations

import os
import platform
import signal
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version

import structlog

from agent import __version__, health, log
from agent.clock import Clock, SystemClock, boot_id, trust
from agent.config import CameraConfig, Config, config_sha256
from agent.core.ids import Ids
from agent.core.rules import JudgeSettings, LineRule
from agent.core.types import Event, EventKind, Phase, Severity
from agent.delivery import orphans
from agent.delivery.compose import Sender, event_messages
from agent.delivery.forwarder import Forwarder
from agent.delivery.outbox import Outbox
from agent.delivery.payloads import (
    CameraInfo,
    CameraStatusPayload,
    InfoPayload,
    LocationInfo,
    ModelPayload,
    MqttHealth,
    OutboxHealth,
    RuleInfo,
    ZoneInfo,
)
from agent.delivery.wire import Topics, encode, moment
from agent.detectors import load_detector
from agent.detectors.shared import SharedDetector
from agent.errors import NgatuError
from agent.supervise import Heartbeats, Stop, Worker, notify
from agent.watcher import CameraState, Watcher, is_finite

logger = structlog.get_logger(__name__)

BOX = "box"
"""Stands for the camera in events that are about the box itself."""
STOP_S = 10.0
"""All of a stop, whatever hangs (promise P14)."""
DRAIN_S = 3.0
"""Of which so long is given to what is on its way to the station."""
TICK_S = 2.0


class Agent:
    """One box at work."""

    def __init__(self, config: Config, clock: Clock) -> None:
        """Build every part; nothing watches or sends yet.

        Raises:
            ModelError: the detector cannot be loaded.
            OutboxError: the outbox cannot be opened.
        """
        self.config, self.clock = config, clock
        self.stop = Stop()
        self.started = clock.now()
        self.heartbeats = Heartbeats(clock)
        self._config_sha256 = config_sha256(config)
        self._ids = Ids(os.urandom(32))
        self.session = self._new_id()
        config.state_dir.mkdir(parents=True, exist_ok=True)
        self.outbox = Outbox(config.outbox_path, config.outbox, clock)
        self.detector = SharedDetector(load_detector(config.detector), clock)
        topics = Topics(config.device.commune, config.device.id, config.broker.root)
        self.forwarder = Forwarder(
            self.outbox,
            config.broker,
            topics,
            self.session,
            clock,
            beat=lambda: self.heartbeats.beat("forwarder"),
        )
        self.watchers = {camera.name: self._watcher(camera) for camera in config.cameras}
        self._workers = [
            Worker(f"camera {name}", watcher.run, self.heartbeats, clock)
            for name, watcher in self.watchers.items()
        ]
        self._sources = health.Sources(
            self.watchers,
            self._outbox_health,
            self._mqtt_health,
            config.state_dir,
            self._config_sha256,
            versions(),
            self.session,
            self.started,
        )

    def run(self, duration_s: float | None = None) -> None:
        """Work until `stop` is set, every camera's file has ended, or the time is over."""
        self._close_orphans()
        self._say(info=True)
        self.forwarder.start()
        for worker in self._workers:
            worker.start(self.stop)
        port = self.config.health.metrics_port
        end_metrics = health.serve(port, lambda: health.report(self._sources, self.clock)) if port else None
        notify("READY=1")
        logger.info("started", cameras=list(self.watchers), session=self.session, version=__version__)
        try:
            self._attend(duration_s)
        finally:
            self._end()
            if end_metrics is not None:
                end_metrics()

    def _attend(self, duration_s: float | None) -> None:
        """Tell health, feed the watchdog while every loop ticks, and notice the end."""
        next_report_s = 0.0
        finite = all(is_finite(camera) for camera in self.config.cameras)
        while not self.stop.wait(min(TICK_S, self.config.health.interval_s)):
            now = self.clock.now()
            if late := self.heartbeats.late():
                logger.error("loops_hang", loops=late)  # and the watchdog is not fed: systemd restarts us
            else:
                notify("WATCHDOG=1")
            if now.mono_s >= next_report_s:
                next_report_s = now.mono_s + self.config.health.interval_s
                self._say()
            over = duration_s is not None and now.since(self.started) >= duration_s
            if over or (finite and all(worker.join(0) for worker in self._workers)):
                self.stop.set()

    def _end(self) -> None:
        notify("STOPPING=1")
        began = self.clock.now()
        self.stop.set()
        for worker in self._workers:
            worker.join(STOP_S / 2 - self.clock.now().since(began))
        with suppress(NgatuError):
            self._say()
            self._drain(DRAIN_S)
        self.forwarder.stop(max(0.5, STOP_S - 1 - self.clock.now().since(began)))
        self.detector.close()
        self.outbox.close()
        logger.info("stopped", after_s=round(self.clock.now().since(began), 1))

    def _drain(self, seconds: float) -> None:
        """Give what is on its way a moment; what stays is sent by the next life of the agent."""
        began = self.clock.now()
        while self.clock.now().since(began) < seconds:
            if self.forwarder.figures().connected_s is None or not self.outbox.stats().pending:
                return
            Stop().wait(0.05)

    # -------------------------------------------------------------------------------------------- beginnings

    def _watcher(self, camera: CameraConfig) -> Watcher:
        return Watcher(
            camera,
            camera.pipeline(self.config.device),
            self.detector,
            self.outbox,
            lambda: self._sender(camera.name),
            clock=self.clock,
            ids=Ids(os.urandom(32)),
            on_state=lambda state: self._camera_state(camera.name, state),
        )

    def _close_orphans(self) -> None:
        """What the last life left open ends now, and the box says that it was restarted."""
        left_open = self.outbox.open_events()
        if not left_open:
            return
        now = self.clock.now()
        restarted = Event(
            id=self._new_id(),
            revision=1,
            kind=EventKind.AGENT_RESTARTED,
            phase=Phase.END,
            severity=Severity.INFO,
            at=now,
            rule_id=BOX,
            rule_kind=BOX,
            started=now,
            detail=f"{len(left_open)} events were open and are closed",
        )
        self.outbox.put([*orphans.ends(left_open, now), *event_messages(restarted, self._sender(BOX))])
        logger.warning("events_closed_after_restart", events=len(left_open))

    def _sender(self, camera: str) -> Sender:
        trusted = trust()
        return Sender(
            self.config.device.commune,
            self.config.device.id,
            camera,
            boot_id=boot_id(),
            model_name=self.detector.name,
            model_sha256=self.detector.sha256,
            clock_state=trusted.state,
            clock_error_ms=trusted.error_ms,
            pictures=self.config.thumbnail,
        )

    def _new_id(self) -> str:
        name, self._ids = self._ids.next(self.clock.now())
        return name

    # ---------------------------------------------------------------------------------------- what it says

    def _say(self, *, info: bool = False) -> None:
        if info:
            self.forwarder.keep("info", encode(self._info()))
        self.forwarder.keep("health", encode(health.report(self._sources, self.clock)))
        for name, watcher in self.watchers.items():
            self._camera_state(name, watcher.state)

    def _camera_state(self, name: str, state: CameraState) -> None:
        figures, now = self.watchers[name].figures, self.clock.now()
        told = CameraStatusPayload(
            state=state.state,
            since=moment(state.since),
            time=moment(now),
            reason=state.reason,
            fps=figures.fps(now),
            frame_age_s=None if figures.last_frame is None else max(0.0, now.since(figures.last_frame)),
        )
        self.forwarder.keep(f"camera/{name}/status", encode(told))

    def _info(self) -> InfoPayload:
        device = self.config.device
        place = device.location
        return InfoPayload(
            commune=device.commune,
            device=device.id,
            session=self.session,
            time=moment(self.clock.now()),
            versions=versions(),
            config_sha256=self._config_sha256,
            role=device.role,
            location=LocationInfo(
                latitude_deg=place.latitude if place else None,
                longitude_deg=place.longitude if place else None,
                description=device.place or None,
            ),
            cameras=tuple(camera_info(camera, camera.pipeline(device).judge) for camera in self.config.cameras),
            model=ModelPayload(name=self.detector.name, sha256=self.detector.sha256),
            capabilities=("events", "images", "counts"),
        )

    def _outbox_health(self) -> OutboxHealth:
        stats = self.outbox.stats()
        return OutboxHealth(
            pending=stats.pending,
            bytes=stats.bytes,
            oldest_s=stats.oldest_s,
            dropped=stats.dropped,
            quarantined=stats.quarantined,
            confirm="receipt" if self.config.broker.confirm == "station" else "broker",
        )

    def _mqtt_health(self) -> MqttHealth:
        figures = self.forwarder.figures()
        return MqttHealth(
            connected_s=figures.connected_s, reconnects=figures.reconnects, refused=figures.refused
        )


def camera_info(camera: CameraConfig, judge: JudgeSettings) -> CameraInfo:
    """What the birth message says about a camera."""
    rules = (
        RuleInfo(
            id=rule.id,
            kind=rule.kind,
            zones=tuple(filter(None, (getattr(rule, "zone", None),))),
            labels=tuple(getattr(rule, "labels", ())),
            severity=rule.severity,
            points=(rule.start, rule.end) if isinstance(rule, LineRule) else (),
        )
        for rule in judge.rules
    )
    zones = tuple(ZoneInfo(id=zone.id, points=zone.polygon) for zone in judge.zones)
    return CameraInfo(id=camera.name, kind=camera.source.kind, zones=zones, rules=tuple(rules))


def versions() -> dict[str, str]:
    """Of the agent and of what it stands on."""
    names = ("numpy", "opencv-python-headless", "av", "onnxruntime", "paho-mqtt")
    libraries = {name: version(name) for name in names}
    return {
        "ngatu": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **libraries,
    }


def run(config: Config, duration_s: float | None = None) -> None:
    """Be the box until SIGTERM or SIGINT, or for so many seconds.

    Raises:
        NgatuError: a part could not be built.
    """
    log.configure(config.log.level, config.log.format)
    agent = Agent(config, SystemClock())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stopper(agent.stop))
    agent.run(duration_s)


def _stopper(stop: Stop) -> Callable[[int, object], None]:
    return lambda _number, _frame: stop.set()
