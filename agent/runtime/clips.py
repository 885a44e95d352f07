"""Clips on request of a box: its requests, its key for packages, the loop that cuts and sends; or why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import structlog

from agent.clock import FlooredClock
from agent.config.package_facts import package_facts
from agent.config.schema import Config
from agent.detectors import Detector
from agent.errors import NgatuError
from agent.evidence.box_key import FILE, box_key, public_text
from agent.evidence.clips.cut import Cutter
from agent.evidence.clips.requests import ClipRequests
from agent.evidence.package.manifest import fingerprint
from agent.evidence.ring import Ring
from agent.host.supervise import Beat, Stop
from agent.outbox.outbox import Outbox
from agent.wire.signature import public_key
from agent.workers.commands import known_time
from agent.workers.footage.clips import ClipWorker

log = structlog.get_logger(__name__)

REQUESTS = "clips.db"
"""Below state_dir."""
Run = Callable[[Stop, Beat], None]


class Clips:
    """What a box needs to hand footage over; where it cannot, everything else works."""

    def __init__(
        self,
        config: Config,
        ring: Ring | None,
        outbox: Outbox,
        clock: FlooredClock,
        versions: Mapping[str, str],
        detector: Detector,
        hasten: Callable[[str], object],
    ) -> None:
        """Nothing is cut or sent yet; without a `ring` there is no footage.

        `hasten` has the newest link of a camera told: a clip that was cut is held against it.
        """
        self.worker: ClipWorker | str = "this box keeps no footage: no camera of it is recorded"
        """Or why there is none."""
        self.key: str | None = None
        """The public half of the key for packages, as the birth message tells it."""
        self._requests: ClipRequests | None = None
        if ring is None:
            return
        try:
            key = box_key(config.state_dir / FILE)
            self._requests = ClipRequests(config.state_dir / REQUESTS)
        except NgatuError as error:
            log.warning("clips_unavailable", why=error.what, hint=error.hint)
            self.worker = f"footage cannot be handed over: {error.what}"
            return
        self.key = public_text(key.public_key())
        model = (detector.name, detector.sha256) if detector.name else None
        facts = package_facts(config, versions, model, clock, clock.trust)
        self.worker = ClipWorker(
            self._requests,
            ring,
            Cutter(lambda: ring.index, facts, key, _command_key(config)),
            outbox,
            clock,
            partial(known_time, clock),
            [camera.name for camera in config.cameras if camera.record.mode != "off"],
        )
        self.worker.on_cut = self.worker.before_cut = hasten

    def sends(self) -> bool:
        """Whether footage is on its way."""
        return not isinstance(self.worker, str) and self.worker.sends

    @property
    def runs(self) -> dict[str, Run]:
        """What is to be run, each in a thread of its own."""
        return {} if isinstance(self.worker, str) else {"clips": self.worker.run}

    def close(self) -> None:
        """Let go of the file of requests."""
        if self._requests is not None:
            self._requests.close()


def _command_key(config: Config) -> str | None:
    """The fingerprint of the key with which commands are signed; None: they are not, or nobody can tell."""
    try:
        return None if config.commands.key is None else fingerprint(public_key(config.commands.key))
    except NgatuError:  # told where commands are heard
        return None
