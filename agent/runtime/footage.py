"""What a box records, and of which cameras: a recorder for each, one ring, one keeper."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from agent.cameras.decode.decoded import Record
from agent.cameras.settings import FileSource
from agent.cameras.stills import Stills
from agent.clock import Clock, FlooredClock
from agent.commands.audit import Audit
from agent.config.schema import CameraConfig, Config
from agent.core.ids import Ids
from agent.core.types import Event
from agent.evidence import encryption
from agent.evidence.retention.deletion import Deletion
from agent.evidence.ring import Ring
from agent.host.supervise import Beat, Stop
from agent.outbox.outbox import Outbox
from agent.workers.footage import records as footage_records
from agent.workers.footage.keeper import FootageFigures, FootageKeeper
from agent.workers.footage.recorder import Recorder
from agent.workers.footage.sources import FootageSource, MainFootage, SharedFootage
from agent.workers.watching.camera import CameraWorker
from agent.workers.watching.main_pictures import MainPictures

Run = Callable[[Stop, Beat], None]


class Footage:
    """The recording parts of a box."""

    def __init__(
        self,
        config: Config,
        outbox: Outbox,
        audit: Audit,
        clock: FlooredClock,
        believed: Clock,
        ids: Ids,
        tell: Callable[[str, Iterable[Event]], None],
    ) -> None:
        """Nothing is opened yet; `tell` keeps events of a camera for the station.

        By the days of `believed` a card may be written so much.
        """
        recorded = [camera for camera in config.cameras if camera.record.mode != "off"]
        recipient = config.evidence.recipient
        self.ring: Ring | None = None
        self.recorders: dict[str, Recorder] = {}
        self.keeper: FootageKeeper | None = None
        self._shared: dict[str, SharedFootage] = {}
        self._main: dict[str, MainFootage] = {}
        self._how: dict[str, Record] = {}
        self._clock, self._thumbnail = clock, config.thumbnail
        self._stills: dict[str, Stills] = {}
        if not recorded or recipient is None:
            return
        self.ring = Ring(
            config.evidence_path,
            config.evidence,
            encryption.Recipients(recipient, encryption.public_key(encryption.boot_identity())),
            believed,
            config.device.role,
            partial(_note, audit, clock),
            beside=config.state_dir,
        )
        self._how = {camera.name: how(camera) for camera in recorded}
        for camera in recorded:
            self.recorders[camera.name] = Recorder(
                camera.name,
                camera.record,
                self._source(camera, clock),
                self.ring,
                clock,
                self.hasten,
                camera.mask_sha256,
                loops(camera),
            )
        self.keeper = FootageKeeper(
            self.ring,
            self.recorders,
            clock,
            clock.trust,
            ids,
            tell,
            lambda newest: footage_records.tell_link(outbox, newest, recipient, clock, clock.trust()),
        )

    @property
    def runs(self) -> dict[str, Run]:
        """What is to be run, each in a thread of its own."""
        if self.keeper is None:
            return {}
        return {
            **{f"recorder {name}": recorder.run for name, recorder in self.recorders.items()},
            "footage": self.keeper.run,
        }

    def attach(self, camera: CameraWorker) -> None:
        """Tie a camera to its recorder."""
        name = camera.camera.name
        if name not in self.recorders:
            return
        recorder = self.recorders[name]
        camera.telling.on_events, camera.encoder = recorder.saw, lambda: recorder.figures.encoder
        if (shared := self._shared.get(name)) is not None:
            camera.record, camera.on_footage = self._how[name], shared.offer
            shared.distrust = camera.distrust
        if (main := self._main.get(name)) is not None:
            main.wanted = lambda: camera.paused.why is None
        if (stills := self._stills.get(name)) is not None:
            # Where people are to be hidden, nobody whom the detector missed may become larger.
            alone = self._thumbnail.blur != "none"
            camera.telling.pictures = MainPictures(
                name, stills, self._clock, self._thumbnail.max_side_px, alone
            )

    def tick(self) -> None:
        """Tell what has changed; in the main loop."""
        if self.keeper is not None:
            self.keeper.tick()

    def close(self, stopped: bool) -> None:
        """The agent stops; `stopped`: every recorder and the keeper have, so that none holds the disk."""
        if self.keeper is not None and self.ring is not None and stopped:
            self.keeper.close()
            self.ring.close()

    def figures(self) -> FootageFigures | None:
        """How the ring does; None where nothing is recorded."""
        return None if self.keeper is None else self.keeper.figures

    def _source(self, camera: CameraConfig, clock: FlooredClock) -> FootageSource:
        if camera.record.source is None:
            return self._shared.setdefault(camera.name, SharedFootage(camera.name, clock, trusted=clock.trust))
        settings = camera.model_copy(update={"source": camera.record.source})
        stills = self._stills.setdefault(camera.name, Stills()) if self._thumbnail.from_main else None
        return self._main.setdefault(
            camera.name, MainFootage(settings, how(camera), clock, trusted=clock.trust, stills=stills)
        )

    def hasten(self, camera: str) -> None:
        """Have the newest link of a camera told with the keeper's next turn."""
        if self.keeper is not None:
            self.keeper.hasten(camera)


def how(camera: CameraConfig) -> Record:
    """How the child records a camera."""
    record = camera.record
    return Record(record.under_masks, record.mjpeg, record.encode_kbps, camera.max_fps)


def loops(camera: CameraConfig) -> bool:
    """Whether what is recorded is a clip that begins again at its end."""
    source = camera.record.source or camera.source
    return isinstance(source, FileSource) and source.loop


def recorded_how(camera: CameraConfig) -> str | None:
    """How a camera is recorded, in words for the station; None: it is not."""
    record = camera.record
    if record.mode == "off":
        return None
    words = ["all the time" if record.mode == "continuous" else "around events"]
    if camera.privacy_masks:
        words.append(
            "encoded anew from masked pictures"
            if record.under_masks == "encode"
            else "not while it has privacy masks"
        )
    else:
        words.append(
            f"the main stream ({record.source.kind})" if record.source else "the stream that is watched"
        )
        words.append("MJPEG as it comes" if record.mjpeg == "keep" else "MJPEG encoded anew")
    return "; ".join([*words, "without sound"])


def _note(audit: Audit, clock: FlooredClock, deletion: Deletion) -> bool:
    return footage_records.note_deletion(audit, deletion, clock, clock.trust())
