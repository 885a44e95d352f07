"""The whole program on one screen: every part of a box, in the order in which it starts.

    outbox     first, so that all that happens from now on is kept, and no second agent works in its folder
    detector   one network, shared by all cameras
    metrics    a port that is taken is told before anything works
    orphans    events that an earlier life left open get their end
    bulletin   what stands about the box at the broker, said again when it changes
    forwarder  what is in the outbox goes to the station
    watchers   a thread per camera
    orders     what the station orders is done, and what the last life left undone of it
    watchdog   systemd's is fed while every loop ticks

It stops the other way round, within ten seconds, whatever is still on its way.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent import __version__
from agent.clock import Clock, boot_id
from agent.commands.audit import Audit
from agent.commands.journal import IN_MEMORY, Journal
from agent.config.last_good import Chosen
from agent.config.schema import RESERVED, CameraConfig, Config, config_sha256
from agent.core.ids import Ids
from agent.core.pipeline import Outcome
from agent.core.types import Event, EventKind, Frame, Instant, Phase, Severity
from agent.detectors import load_detector
from agent.detectors.absent import Absent
from agent.detectors.shared import SharedDetector
from agent.errors import NgatuError, OutboxError
from agent.host import restarts, tuning
from agent.host.machine import SYS, Machine
from agent.host.supervise import Heartbeats, Stop, Worker, notify
from agent.host.watchdog import Watchdog
from agent.mqtt.forwarder import Forwarder
from agent.outbox.outbox import Outbox
from agent.publishing import orphans
from agent.publishing.compose import Sender, event_messages
from agent.runtime.command_executor import CommandExecutor
from agent.status import birth, health
from agent.status.retained import RetainedStatus
from agent.wire.channels import MessageKind
from agent.wire.codec import encode, message, moment
from agent.wire.payloads import ClockMapBody, ClockPayload
from agent.wire.signature import public_key
from agent.wire.topics import Topics
from agent.workers.camera import CameraWorker, is_finite
from agent.workers.clock import Timekeeper
from agent.workers.commands import CommandWorker, known_time
from agent.workers.disk import DiskMonitor
from agent.workers.keeping import Keeping
from agent.workers.load import LoadMonitor
from agent.workers.snapshots import Snapshots

logger = structlog.get_logger(__name__)

STOP_S = 10.0
"""All of a stop, whatever hangs (promise P14)."""
WATCHERS_S = 4.0
"""Of which so long the cameras' threads have to finish what they are at."""
DRAIN_S = 2.5
"""And so long is given to what is on its way to the station."""
TICK_S = 2.0
MAIN = "main"
"""The heartbeat of the loop that attends all others."""
AGAIN = 75
"""Exit code: the station wants the agent to be started again (EX_TEMPFAIL of sysexits.h)."""


class Agent:
    """One box at work."""

    def __init__(
        self,
        config: Config,
        machine_clock: Clock,
        sys: Path = SYS,
        chosen: Chosen | None = None,
        on_outcome: Callable[[Frame, Outcome], None] = lambda _frame, _outcome: None,
    ) -> None:
        """Build every part; nothing watches or sends yet.

        `sys` is where the kernel shows the board; `chosen` tells from which file the configuration came;
        `on_outcome` is called with every frame that was looked at, in the thread of its camera.

        Raises:
            ModelError: the detector cannot be loaded.
            OutboxError: the outbox cannot be opened.
        """
        tuning.begin()
        self.timekeeper = Timekeeper(config.state_dir, machine_clock)
        self.config, self.clock = config, self.timekeeper.clock
        clock = self.clock
        self._on_outcome = on_outcome
        self.exit_code = 0
        self.stop = Stop()
        self.started = clock.now()
        self.heartbeats = Heartbeats(clock)
        self.watchdog = Watchdog(self.heartbeats)
        self._config_sha256 = config_sha256(config)
        self._ids = Ids(os.urandom(32))
        self.session = self._new_id()
        self.outbox = Outbox(config.outbox_path, config.outbox, clock)
        try:
            network = load_detector(config.detector) if config.detects else Absent()
            self.detector = SharedDetector(network, clock)
        except BaseException:
            self.outbox.close()
            raise
        self.forwarder = Forwarder(
            self.outbox,
            config.broker,
            topics := Topics(config.device.commune, config.device.id, config.broker.root),
            self.session,
            clock,
            on_command=lambda *told: self.orders.heard(*told),  # noqa: PLW0108  made below: it needs the cameras
            beat=lambda: self.heartbeats.beat("forwarder"),
        )
        machine = Machine(clock, sys)
        self._keeping = Keeping(self.outbox, "the box itself", clock)
        self.pacer = LoadMonitor(machine, config.pace, clock, Ids(os.urandom(32)), self._tell)
        self._storage = DiskMonitor(self.outbox, clock, Ids(os.urandom(32)), self._tell)
        self._snapshots = Snapshots()
        self.watchers = {camera.name: self._watcher(camera) for camera in config.cameras}
        self._workers = [
            Worker(f"camera {name}", watcher.run, self.heartbeats, clock)
            for name, watcher in self.watchers.items()
        ]
        self._sources = health.Sources(
            self.watchers,
            lambda: health.of_outbox(self.outbox, self.forwarder, config.broker),
            lambda: health.of_broker(self.forwarder),
            machine,
            config.state_dir,
            self._config_sha256,
            birth.versions(),
            self.session,
            restarts.begin(config.state_dir, boot_id()),
            self.started,
            lambda: self.pacer.now,
            self.timekeeper.clock.trust,
            lambda: self._crew.paused(),  # noqa: PLW0108  made below
            chosen is not None and chosen.refused is not None,
        )
        self.bulletin = RetainedStatus(
            self.forwarder,
            self._sources,
            lambda sizes: birth.message(
                config, self._config_sha256, self.session, self.detector, sizes, clock.now()
            ),
            clock,
            config.health.interval_s,
        )
        self._crew = CommandExecutor(config, chosen, self.watchers, self._snapshots, self._leave)
        self.journal = self._open_journal()
        self.orders = CommandWorker(
            topics,
            self.journal,
            Audit(config.state_dir / "audit.log"),
            self.outbox,
            self._crew,
            clock,
            lambda: known_time(self.timekeeper.clock),
            boot_id(),
            self._command_key(),
        )
        self._doer = Worker("orders", self.orders.run, self.heartbeats, clock)

    def run(self, duration_s: float | None = None, started: Callable[[], None] = lambda: None) -> None:
        """Work until `stop` is set, every camera's file has ended, or the time is over.

        `started` is called once everything runs.

        Raises:
            NgatuError: the port for the figures is taken.
        """
        with ExitStack() as parts:
            parts.callback(self._close)
            if port := self.config.health.metrics_port:
                from agent.status import metrics  # noqa: PLC0415 – 2 MB that a box without it does not need

                parts.callback(metrics.serve(port, lambda: health.report(self._sources, self.clock)))
            self._close_orphans()
            self._storage.start()
            self.bulletin.say()
            self.heartbeats.beat("forwarder")
            self.forwarder.start()
            parts.callback(self.watchdog.stop)
            parts.callback(self._end)
            tuning.tidy()
            for worker in (*self._workers, self._doer):
                worker.start(self.stop)
            notify("READY=1")
            self.heartbeats.beat(MAIN)
            self.watchdog.start()
            started()
            logger.info(
                "started", cameras=list(self.watchers), session=self.session, version=__version__,
                why=self._sources.boot_reason,
            )  # fmt: skip
            self._attend(duration_s)

    def _attend(self, duration_s: float | None) -> None:
        """Keep pace and time, say how the box is, and notice the end."""
        ends_s = self.started.mono_s + duration_s if duration_s is not None else float("inf")
        finite = all(is_finite(camera) for camera in self.config.cameras)
        while not self.stop.wait(max(0.0, min(TICK_S, ends_s - self.clock.now().mono_s))):
            self.heartbeats.beat(MAIN)
            self._keep_the_pace()
            self._keep_the_time()
            self._storage.tick()
            self._keeping.keep()
            self.bulletin.look()
            if self.bulletin.due:
                tuning.tidy()
                self.bulletin.say()
            over = finite and all(worker.join(0) for worker in self._workers)
            if over or self.clock.now().mono_s >= ends_s:
                self.stop.set()

    def _keep_the_pace(self) -> None:
        """Look at fewer pictures while the box is hot or busy; the station hears of it at once."""
        before = self.pacer.now
        if self.pacer.tick(watcher.figures for watcher in self.watchers.values()) != before:
            self.bulletin.hasten()

    def _keep_the_time(self) -> None:
        """Note it, and tell the station when nobody vouches for it, and when somebody does again."""
        told = self.timekeeper.look(self._new_id)
        if told.event is not None:
            self._tell((told.event,))
            self.bulletin.hasten()
        if told.clock_map:
            now = self.clock.now()
            body = encode(ClockMapBody(session=self.session, time=moment(now), clock=self._clock_told(now)))
            self._keeping.keep([message(MessageKind.CLOCK_MAP, body, now)])

    def _leave(self) -> None:
        """Stop in order, and ask whoever started the agent to do it again."""
        self.exit_code = AGAIN
        self.stop.set()

    def _end(self) -> None:
        """Stop in time, whatever hangs: cameras first, so that what they tell last can still be sent."""
        notify("STOPPING=1")
        logger.info("stopping")
        self.heartbeats.forget(MAIN)  # a stop that hangs is systemd's: TimeoutStopSec
        began = self.clock.now()
        self.stop.set()
        for watcher in self.watchers.values():  # at once: a child in the hands of a hung driver takes its time
            threading.Thread(target=watcher.interrupt, daemon=True).start()
        for worker in (*self._workers, self._doer):
            worker.join(WATCHERS_S - self.clock.now().since(began))
        self.pacer.close()
        self._tell(filter(None, (self.timekeeper.close(),)))
        self._storage.close()
        self._keeping.keep(now=True)
        self.bulletin.say()
        self._drain(DRAIN_S)
        self.forwarder.stop(max(0.5, STOP_S - 1 - self.clock.now().since(began)))
        restarts.end(self.config.state_dir, boot_id())
        logger.info("stopped", after_s=round(self.clock.now().since(began), 1))

    def _close(self) -> None:
        self.detector.close()
        self.journal.close()
        self.outbox.close()

    def _drain(self, seconds: float) -> None:
        """Give what is on its way a moment; what stays is sent by the next life of the agent."""
        began = self.clock.now()
        pause = threading.Event()
        with suppress(NgatuError):
            while self.clock.now().since(began) < seconds:
                figures = self.forwarder.figures()
                heard = figures.station_online or self.config.broker.confirm == "broker"
                if figures.connected_s is None or (
                    self.forwarder.settled and not (heard and self.outbox.stats().pending)
                ):
                    return
                pause.wait(0.05)

    # -------------------------------------------------------------------------------------------- beginnings

    def _watcher(self, camera: CameraConfig) -> CameraWorker:
        return CameraWorker(
            camera,
            camera.pipeline(self.config.device),
            self.detector,
            self.outbox,
            lambda: self._sender(camera.name),
            clock=self.clock,
            ids=Ids(os.urandom(32)),
            on_state=lambda _state: self.bulletin.changed(camera.name),
            on_outcome=lambda frame, outcome: self._saw(camera.name, frame, outcome),
            pace=self.pacer.fps,
        )

    def _saw(self, name: str, frame: Frame, outcome: Outcome) -> None:
        self._snapshots.saw(name, frame)
        self._on_outcome(frame, outcome)

    def _close_orphans(self) -> None:
        """What the last life left open ends now, and the box says that it was restarted."""
        try:
            left_open = self.outbox.open_events()
        except OutboxError as error:  # a box with a bad disk still watches; the next start closes them
            logger.warning("open_events_unknown", why=error.what, hint=error.hint)
            return
        if not left_open:
            return
        now, sender = self.clock.now(), self._sender(RESERVED)
        restarted = Event(
            id=self._new_id(),
            revision=1,
            kind=EventKind.AGENT_RESTARTED,
            phase=Phase.END,
            severity=Severity.INFO,
            at=now,
            rule_id=RESERVED,
            rule_kind=RESERVED,
            started=now,
            detail=f"{self._sources.boot_reason}; {len(left_open)} events were open and are closed",
        )
        self._keeping.keep(
            [*orphans.ends(left_open, now, self._clock_told(now)), *event_messages(restarted, sender)]
        )
        self.outbox.leave_behind()  # there may be many, and none of them is news
        logger.warning("events_closed_after_restart", events=len(left_open))

    def _command_key(self) -> Ed25519PublicKey | None:
        """The station's key. One that cannot be read lets nobody order anything, and the box watches."""
        if self.config.commands.key is None:
            return None
        try:
            return public_key(self.config.commands.key)
        except NgatuError as error:
            logger.warning("command_key_unreadable", why=error.what, hint=error.hint)
            return Ed25519PrivateKey.generate().public_key()  # that nobody has the other half of

    def _open_journal(self) -> Journal:
        """On disk; in memory where the disk will not have it, for a box must watch all the same."""
        now_s = known_time(self.timekeeper.clock).wall_s
        try:
            return Journal(self.config.state_dir / "orders.db", now_s)
        except OutboxError as error:
            logger.warning("orders_in_memory", why=error.what, hint=error.hint)
            return Journal(IN_MEMORY, now_s)

    def _clock_told(self, now: Instant) -> ClockPayload:
        trusted = self.timekeeper.clock.trust()
        return ClockPayload(
            state=trusted.state,
            error_ms=trusted.error_ms,
            boot_id=boot_id(),
            mono_ms=round(now.mono_s * 1000),
        )

    def _sender(self, camera: str) -> Sender:
        trusted = self.timekeeper.clock.trust()
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

    def _tell(self, events: Iterable[Event]) -> None:
        """Keep what the box tells of itself."""
        told = tuple(events)
        if told:  # not at most ticks, and to ask how far to trust the clock costs more than the rest of one
            sender = self._sender(RESERVED)
            self._keeping.keep([message for event in told for message in event_messages(event, sender)])
