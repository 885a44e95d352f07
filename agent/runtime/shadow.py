"""A model on trial in the shadow of the one in use: which of them tells events, and what becomes of the trial.

With each start it is the old one, unless the record on the disk says that the new one has passed. Nothing else
brings it into use; whatever goes wrong with it, the box watches with the old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from agent.clock import Clock
from agent.config.schema import Config
from agent.core.condition_event import BOX_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.shadow import verdict
from agent.core.types import Event, EventKind
from agent.detectors import Detector, load_detector, model_sha256
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from agent.host.supervise import Beat, Stop, notify
from agent.wire.payloads import ShadowHealth
from agent.workers.shadow import record
from agent.workers.shadow.record import ShadowRecord, ShadowState
from agent.workers.shadow.trial import ShadowTrial
from agent.workers.watching.camera import CameraWorker, OnFound

log = structlog.get_logger(__name__)

Run = Callable[[Stop, Beat], None]
TRIED = ConditionEvent(EventKind.MODEL_TRIED, BOX_RULE)
NO_FILE = ""
"""Stands for the hash of a model that cannot be read."""


class ShadowDeployment:
    """The model in use, and the one in its shadow; where no camera wants a detector, neither."""

    def __init__(self, config: Config, clock: Clock, ids: Ids, busy: Callable[[], bool]) -> None:
        """Nothing is loaded yet; `busy` says whether the box looks at fewer pictures than it wants to."""
        self._ids = ids
        self._settings: DetectorSettings = config.detector
        self._folder, self._clock, self._busy = config.state_dir, clock, busy
        self.trial: ShadowTrial | None = None
        """The one under way in this life of the box."""
        self._record: ShadowRecord | None = None
        self._status = ""
        if config.detector.shadow is None or not config.detects:
            record.forget(self._folder)
            return
        old, new = (_hash(each) for each in (config.detector, config.detector.of_shadow))
        self._record = record.load(self._folder, old, new)

    @property
    def record(self) -> ShadowRecord | None:
        """How the trial stands; None: there is none."""
        return self._record if self.trial is None else self.trial.record

    def load(self) -> Detector:
        """The network that tells events in this life of the box.

        Raises:
            ModelError: neither can be loaded; the error is of the old one.
        """
        now = self._record
        if now is not None and now.state in (ShadowState.PASSED, ShadowState.TAKEN):
            try:
                network = load_detector(self._settings.of_shadow, waits=False)
            except ModelError as error:
                log.warning("shadow_not_taken", why=error.what, hint=error.hint)
                self._keep(now.ended(ShadowState.FAILED, f"it passed and cannot be loaded: {error.what}"))
            else:
                self._keep(replace(now, state=ShadowState.TAKEN))
                return network
        network = load_detector(self._settings, waits=False)
        if self._record is not None and self._record.state is ShadowState.RUNNING:
            self.trial = ShadowTrial(self._settings, self._record, self._save, self._clock, self._busy)
        return network

    @property
    def runs(self) -> dict[str, Run]:
        """What is to be run, each in a thread of its own."""
        return {} if self.trial is None else {"shadow": self.trial.run}

    def attach(self, camera: CameraWorker) -> None:
        """Crops of this camera may be shown to the model in the shadow."""
        if self.trial is not None:
            camera.on_found = self._guarded(self.trial.saw)

    def tick(self, tell: Callable[[Iterable[Event]], None], leave: Callable[[], None]) -> bool:
        """Tell systemd, and once there is an outcome the station; begin anew where the model has passed.

        In the main loop, some seconds apart; whether there is news.
        """
        now = self.record
        if now is None:
            return False
        news = now.state is not ShadowState.RUNNING and not now.reported
        if news:  # before systemd hears of it: whoever reads that may end this life of the box
            event, self._ids = TRIED.once(self._clock.now(), self._ids, f"{self._name}: {_outcome(now)}")
            tell((event,))
            self._keep(replace(now, reported=True))
        self._notify(now)
        if now.state is ShadowState.PASSED and self.trial is not None:
            log.info("shadow_comes_into_use", model=self._name)
            leave()
        return news

    def health(self) -> ShadowHealth | None:
        """What the station hears of the trial."""
        now = self.record
        if now is None or self._settings.shadow is None:
            return None
        seen, whole = now.seen, now.seen.all
        lacks = verdict.judged(seen, self._settings.shadow).words if now.state is ShadowState.RUNNING else ""
        return ShadowHealth(
            model=self._name,
            sha256=now.new_sha256 or None,
            state=now.state.value,
            why=(now.why or lacks or seen.why)[:1000] or None,
            watched_s=round(seen.watched_s, 1),
            crops=seen.crops,
            objects=whole.objects,
            found=whole.found,
            same_label=whole.same_label,
            only_new=_total(seen.only_new.values()),
            failures=seen.failed,
            ms_p50=_ms(seen.new_ms.quantile_ms(0.5)),
            ms_p95=_ms(seen.new_ms.quantile_ms(0.95)),
            old_ms_p50=_ms(seen.old_ms.quantile_ms(0.5)),
            old_ms_p95=_ms(seen.old_ms.quantile_ms(0.95)),
            memory_mb=round(seen.new_mb, 1),
            old_memory_mb=round(seen.old_mb, 1),
        )

    # ------------------------------------------------------------------------------------------------- how

    @property
    def _name(self) -> str:
        assert self._settings.shadow is not None
        return self._settings.shadow.model.rpartition("/")[2].removesuffix(".onnx")

    def _keep(self, now: ShadowRecord) -> None:
        self._record = now
        if self.trial is not None:
            self.trial.record = now
        self._save(now)

    def _save(self, now: ShadowRecord) -> bool:
        saved = record.save(self._folder, now)
        if not saved:
            log.warning("shadow_not_kept", folder=str(self._folder))
        return saved

    def _notify(self, now: ShadowRecord) -> None:
        """The unit's status line: what watches over a release on trial reads the outcome there."""
        line = f"shadow {now.state.value}" + (f": {now.why}" if now.why else "")
        if line != self._status:
            self._status = line
            notify(f"STATUS={' '.join(line.split())}")

    def _guarded(self, saw: OnFound) -> OnFound:
        def guarded(*seen: object) -> None:
            try:
                saw(*seen)  # type: ignore[arg-type]  # whatever it is called with
            except Exception:  # a mistake of ours here must blind no camera
                log.exception("shadow_not_shown")

        return guarded


def _hash(settings: DetectorSettings) -> str:
    try:
        return model_sha256(settings)
    except ModelError:
        return NO_FILE


def _outcome(now: ShadowRecord) -> str:
    return f"taken back: {now.why}" if now.state is ShadowState.FAILED else f"comes into use: {now.why}"


def _total(numbers: Iterable[int]) -> int:
    return sum(numbers)


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
