"""Frames for training on a box: their store and who collects them; or, where a box cannot, nothing."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from agent import __version__
from agent.clock import Clock, FlooredClock
from agent.commands.audit import Audit
from agent.config.schema import Config, config_sha256
from agent.core.ids import Ids
from agent.core.pipeline import Outcome
from agent.core.types import Frame
from agent.detectors import Detector
from agent.errors import NgatuError
from agent.evidence import encryption
from agent.evidence.samples.store import FOLDER, SampleStore
from agent.host.supervise import Beat, Stop
from agent.workers.samples import records
from agent.workers.samples.collector import SampleCollector, SampledCamera, SampleFacts

log = structlog.get_logger(__name__)

Run = Callable[[Stop, Beat], None]


class Samples:
    """What a box needs to keep frames for training; where it may not or cannot, everything else works."""

    def __init__(
        self,
        config: Config,
        audit: Audit,
        clock: FlooredClock,
        believed: Clock,
        ids: Ids,
        detector: Detector,
        busy: Callable[[], bool],
    ) -> None:
        """Nothing is kept yet; `busy` says whether the box looks at fewer pictures than it wants to.

        The age of frames goes by `believed`.
        """
        self._store: SampleStore | None = None
        self.collector: SampleCollector | None = None
        """Who chooses and writes; None: nothing is kept."""
        cameras = {
            camera.name: SampledCamera(camera.mask_sha256, camera.riders)
            for camera in config.cameras
            if config.samples.of_camera(camera.name) and camera.attention.enabled
        }
        if not cameras:
            return
        try:
            self._store = open_store(config, audit, clock)
            self.collector = SampleCollector(
                config.samples, self._store, cameras, _facts(config, detector), clock, believed, ids, busy
            )
        except NgatuError as error:
            log.warning("samples_unavailable", why=error.what, hint=error.hint)

    @property
    def store(self) -> SampleStore | None:
        """Where they lie; None: nothing is kept."""
        return None if self.collector is None else self._store

    @property
    def runs(self) -> dict[str, Run]:
        """What is to be run, each in a thread of its own."""
        return {} if self.collector is None else {"samples": self.collector.run}

    def saw(self, camera: str, frame: Frame, outcome: Outcome) -> None:
        """A frame was watched; called in the camera's thread."""
        if self.collector is None:
            return
        try:
            self.collector.saw(camera, frame, outcome)
        except Exception:  # a mistake of ours here must blind no camera
            log.exception("samples_stopped", camera=camera)
            self.collector = None

    def close(self) -> None:
        """Let go of the index."""
        if self._store is not None:
            self._store.close()


def open_store(config: Config, audit: Audit, clock: FlooredClock) -> SampleStore:
    """The frames of this box.

    Raises:
        FootageError: they cannot be opened.
    """
    recipient = config.evidence.recipient  # and not this boot's, as with footage: nobody looks at them here
    recipients = None if recipient is None else encryption.Recipients(recipient)
    return SampleStore(
        config.state_dir / FOLDER,
        config.samples,
        recipients,
        lambda name, note: records.note_kept(audit, name, note, clock, clock.trust()),
        lambda deletion: records.note_deleted(audit, deletion, clock, clock.trust()),
    )


def _facts(config: Config, detector: Detector) -> SampleFacts:
    return SampleFacts(
        box=f"{config.device.commune}/{config.device.id}",
        version=__version__,
        config_sha256=config_sha256(config),
        model=detector.name or None,
        model_sha256=detector.sha256 if detector.name else None,
        utc_offset_s=config.device.utc_offset_s,
    )
