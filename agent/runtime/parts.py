"""Every part of a box, each built after those that it needs; app.py starts and stops them.

Only the cameras are connected later than they are built: with retained.py, which publishes their states.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from agent.clock import Clock, Trust, boot_id, trust
from agent.commands.audit import AUDIT_LOG, Audit
from agent.config.last_good import Chosen
from agent.config.schema import CameraConfig, Config, config_sha256
from agent.core.ids import Ids
from agent.core.pipeline import Outcome
from agent.core.throttle import FULL
from agent.core.types import Frame, Instant
from agent.detectors.absent import Absent
from agent.detectors.shared import SharedDetector
from agent.host import restarts, state_folder, tuning
from agent.host.machine import SYS, Machine
from agent.host.supervise import Heartbeats, Stop, Worker
from agent.host.watchdog import Watchdog
from agent.mqtt.forwarder import Forwarder
from agent.mqtt.live import LivePictures
from agent.outbox.outbox import Outbox
from agent.runtime import fallbacks
from agent.runtime.box_events import BoxEvents
from agent.runtime.clips import Clips
from agent.runtime.command_executor import CommandExecutor
from agent.runtime.footage import Footage, recorded_how
from agent.runtime.sample_orders import SampleOrders
from agent.runtime.samples import Samples
from agent.runtime.shadow import ShadowDeployment
from agent.status import birth, health
from agent.status.retained import RetainedStatus
from agent.status.session import Session, versions
from agent.wire.topics import Topics
from agent.workers.audit_mirror import AuditMirror
from agent.workers.clock import Timekeeper
from agent.workers.commands import CommandWorker, known_time
from agent.workers.disk import DiskMonitor
from agent.workers.identity import IdentityMonitor
from agent.workers.load import LoadMonitor
from agent.workers.looks import Looks
from agent.workers.snapshots import Snapshots
from agent.workers.watching.camera import CameraWorker

AGAIN = 75
"""What asks whoever started the agent to do it again (EX_TEMPFAIL of sysexits.h; agent/cli/exit.py)."""

OnOutcome = Callable[[Frame, Outcome], None]
Onlooker = Callable[[CameraConfig], OnOutcome]
"""Gives what is to be called with every frame of a camera that was looked at, in the camera's thread."""


class Parts:
    """What a box consists of."""

    def __init__(
        self,
        config: Config,
        machine_clock: Clock,
        sys: Path = SYS,
        chosen: Chosen | None = None,
        onlooker: Onlooker | None = None,
        trusted: Callable[[], Trust] = trust,
    ) -> None:
        """Build every part; nothing watches or sends yet.

        `sys` is where the kernel shows the board; `chosen` tells from which file the configuration came;
        `onlooker` is asked once for each camera; `trusted` is what the kernel thinks of the machine's wall
        clock.

        Raises:
            ModelError: the detector cannot be loaded.
            OutboxError: the folder of the state may not be used, or the outbox cannot be opened.
        """
        tuning.begin()
        state_folder.require(config.state_dir)
        state_folder.clear(config.state_dir)
        self.config, self.stop, self.exit_code = config, Stop(), 0
        self.timekeeper = Timekeeper(config.state_dir, new_ids(), machine_clock, trusted)
        self.clock, believed = self.timekeeper.clock, self.timekeeper.believed
        started = self.clock.now()
        self.topics = Topics(config.device.commune, config.device.id, config.broker.root)
        self.heartbeats = Heartbeats(self.clock)
        self.watchdog = Watchdog(self.heartbeats)
        self.outbox = Outbox(config.outbox_path, config.outbox, self.clock, believed)
        self.shadow = ShadowDeployment(config, self.clock, new_ids(), lambda: self.load.now != FULL)
        self.detector = self._load_detector()
        self.events = BoxEvents(config, self.outbox, self.detector, self.clock)
        self.session = self._begin_session(started, chosen)
        machine = Machine(self.clock, sys)
        self.load = LoadMonitor(machine, config.throttle, self.clock, new_ids(), self.events.tell)
        self.disk = DiskMonitor(self.outbox, self.clock, new_ids(), self.events.tell)
        blur, self.live = config.thumbnail.blur, LivePictures()
        self.snapshots, self.looks = Snapshots(blur), Looks(self.live, self.clock, blur)
        self.audit = Audit(config.state_dir / AUDIT_LOG)
        self.footage = Footage(
            config, self.outbox, self.audit, self.clock, believed, new_ids(), self.events.tell_of
        )
        self.samples = Samples(
            config, self.audit, self.clock, believed, new_ids(), self.detector, lambda: self.load.now != FULL
        )
        self.cameras = {camera.name: self._camera(camera, onlooker) for camera in config.cameras}
        self.clips = Clips(
            config,
            self.footage.ring,
            self.outbox,
            self.clock,
            self.session.versions,
            self.detector,
            self.footage.hasten,
        )
        self.sample_orders = SampleOrders(
            config, self.samples.store, self.outbox, self.audit, self.clock, self.clips.sends
        )
        self.executor = CommandExecutor(
            config,
            chosen,
            self.cameras,
            self.snapshots,
            self.looks,
            self.clips.worker,
            self.sample_orders.worker,
            self.leave,
        )
        self.commands = self._command_worker()
        self.audit_mirror = AuditMirror(config.state_dir / AUDIT_LOG, self.outbox, self.clock)
        self.forwarder = self._forwarder()
        self.identity = IdentityMonitor(
            lambda: self.forwarder.figures().taken, self.clock, new_ids(), self.events.tell
        )
        self.sources = self._health_sources(machine)
        self.retained = self._retained_status()
        self.workers = {
            name: Worker(name, run, self.heartbeats, self.clock)
            for name, run in (
                *((f"camera {name}", camera.run) for name, camera in self.cameras.items()),
                ("commands", self.commands.run),
                *self.footage.runs.items(),
                *self.clips.runs.items(),
                *self.samples.runs.items(),
                *self.sample_orders.runs.items(),
                *self.shadow.runs.items(),
            )
        }

    @property
    def package_key(self) -> str | None:
        """The public half of the key by which this box signs what it hands over; None: nothing."""
        return self.clips.key or self.sample_orders.key

    def close(self) -> None:
        """Let go of what was opened when it was built."""
        self.detector.close()
        self.journal.close()
        self.clips.close()
        self.sample_orders.close()
        self.samples.close()
        self.outbox.close()

    def leave(self) -> None:
        """Stop in order, and ask whoever started the agent to do it again."""
        self.exit_code = AGAIN
        self.stop.set()

    # ---------------------------------------------------------------------------------------- each of them

    def _load_detector(self) -> SharedDetector:
        try:
            network = self.shadow.load() if self.config.detects else Absent()
            return SharedDetector(network, self.clock)
        except BaseException:
            self.outbox.close()
            raise

    def _begin_session(self, started: Instant, chosen: Chosen | None) -> Session:
        return Session(
            id=self.events.new_id(),
            started=started,
            boot_reason=restarts.begin(self.config.state_dir, boot_id()),
            config_sha256=config_sha256(self.config),
            versions=versions(),
            config_refused=chosen is not None and chosen.refused is not None,
        )

    def _camera(self, camera: CameraConfig, onlooker: Onlooker | None) -> CameraWorker:
        on_outcome = onlooker(camera) if onlooker is not None else None

        def looked(frame: Frame, outcome: Outcome) -> None:
            self.snapshots.saw(camera.name, frame, lambda: outcome.private)
            self.looks.saw(camera.name, frame, lambda: outcome.private)
            self.samples.saw(camera.name, frame, outcome)
            if on_outcome is not None:
                on_outcome(frame, outcome)

        worker = CameraWorker(
            camera,
            camera.pipeline(self.config.device),
            self.detector,
            self.outbox,
            partial(self.events.sender, camera.name),
            clock=self.clock,
            ids=new_ids(),
            on_outcome=looked,
            throttled_fps=self.load.fps,
        )
        worker.asked = lambda: self.snapshots.wants(camera.name) or self.looks.wants(camera.name)
        self.footage.attach(worker)
        self.shadow.attach(worker)
        return worker

    def _command_worker(self) -> CommandWorker:
        known = partial(known_time, self.clock)
        folder = self.config.state_dir
        self.journal = fallbacks.open_journal(folder / "commands.db", known().wall_s)
        return CommandWorker(
            self.topics,
            self.journal,
            self.audit,
            self.outbox,
            self.executor,
            self.clock,
            known,
            boot_id(),
            self.session.id,
            fallbacks.command_key(self.config.commands.key),
        )

    def _forwarder(self) -> Forwarder:
        return Forwarder(
            self.outbox,
            self.config.broker,
            self.topics,
            self.session.id,
            self.clock,
            on_command=self.commands.heard,
            beat=partial(self.heartbeats.beat, "forwarder"),
            live=self.live,
        )

    def _health_sources(self, machine: Machine) -> health.Sources:
        return health.Sources(
            session=self.session,
            state_dir=self.config.state_dir,
            cameras=self.cameras,
            machine=machine,
            outbox=partial(health.of_outbox, self.outbox, self.forwarder, self.config.broker),
            mqtt=partial(health.of_broker, self.forwarder),
            throttle=lambda: self.load.now,
            recorders=self.footage.recorders,
            footage=self.footage.figures,
            max_footage_bytes=self.config.evidence.max_bytes,
            trust=self.clock.trust,
            paused=self.executor.paused,
            certificate_ends=partial(health.of_certificate, self.config.broker),
            shadow=self.shadow.health,
        )

    def _retained_status(self) -> RetainedStatus:
        device = self.config.device
        cameras = [
            birth.DescribedCamera(
                camera.name,
                camera.source.kind,
                camera.pipeline(device).rules,
                camera.title,
                recorded_how(camera),
            )
            for camera in self.config.cameras
        ]
        return RetainedStatus(
            self.forwarder.keep,
            self.sources,
            lambda seen: birth.message(
                device, cameras, self.session, self.detector, seen, self.clock.now(), self.package_key
            ),
            self.clock,
            self.config.health.interval_s,
        )


def new_ids() -> Ids:
    """A source of ids that nobody else has."""
    return Ids(os.urandom(32))
