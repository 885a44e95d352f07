"""Shows crops to a model in the shadow, behind everything else, until there is a verdict.

saw   in a camera's thread, when the model in use has answered and its events are told: one crop at most is put
      aside, where one is wanted; nearly always none
run   a thread that has the crop looked at by a process that gives way to all others, compares, and rests so
      long that no more than its share of a core is taken

First the model in use looks at some crops in such a process, so that both are measured by the same measure.
Nothing is shown while the box is hot or busy, nor for a while after.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import structlog

from agent.clock import Clock
from agent.core.pipeline import Outcome
from agent.core.shadow import comparison, verdict
from agent.core.shadow.comparison import ComparedCrop, ShadowFailure
from agent.core.shadow.verdict import ShadowOutcome
from agent.core.types import Box, Crop, Detection, Image, Reason
from agent.detectors.settings import DetectorSettings, ShadowSettings
from agent.detectors.shadow_process import ShadowBroken, ShadowProcess
from agent.errors import ModelError
from agent.host.supervise import Beat, Stop
from agent.workers.shadow.record import ShadowRecord, ShadowState

log = structlog.get_logger(__name__)

SAVE_S: Final = 30.0
"""A power cut costs the trial no more."""
CALM_S: Final = 600.0
"""So long after the box was hot or busy nothing is shown: it must not be the shadow that makes it so."""
AFTER_DEATH_S: Final = 15.0
"""Before another process is started: its start takes a second or two of a core."""
TURN_S: Final = 1.0
LONGEST_TURN_S: Final = 2.0
"""More of the time between two turns does not count: the box was suspended, or the thread was held up."""
NICEST: Final = 19
"""Of nice(2)."""


@dataclass(frozen=True, slots=True)
class ShownCrop:
    """A crop that waits, with what the model in use has found in it."""

    image: Image
    found: tuple[Detection, ...]
    rests: bool


class ShadowTrial:
    """The trial of one model beside another."""

    def __init__(
        self,
        settings: DetectorSettings,
        record: ShadowRecord,
        save: Callable[[ShadowRecord], bool],
        clock: Clock,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """`settings` name both models. `save` keeps the record on the disk; False: it could not.

        `busy` says whether the box looks at fewer pictures than it wants to.
        """
        assert settings.shadow is not None
        self.record = record
        """As of now; another value after each look."""
        self._bounds: ShadowSettings = settings.shadow
        self._save, self._clock, self._busy = save, clock, busy
        self._on_processor = settings.provider == "cpu"
        self._old = ShadowProcess(settings)
        self._new = ShadowProcess(settings.of_shadow, self._max_mb)
        self._wanted = False
        """A crop may be put aside."""
        self._shown: ShownCrop | None = None
        self._number = 0
        self._wake = threading.Event()
        self._busy_s = float("-inf")
        """When the box was last seen hot or busy."""
        self._turned_s = self._saved_s = clock.now().mono_s

    # ---------------------------------------------------------------------------------- the cameras' threads

    def saw(self, outcome: Outcome, images: Sequence[Image], found: Sequence[Sequence[Detection]]) -> None:
        """The model in use has looked at these crops of `outcome`; called when its events are told."""
        if not self._wanted or not images:
            return
        self._wanted = False
        self._number += 1
        index = self._number % len(images)  # not always the first: that is where most moves
        rests = at_rest(outcome, outcome.crops[index])
        self._shown = ShownCrop(images[index], tuple(found[index]), rests)
        self._wake.set()

    # ------------------------------------------------------------------------------------------- its own thread

    def run(self, stop: Stop, beat: Beat) -> None:
        """Show crops until there is a verdict that is on the disk, or `stop` is set."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICEST)
        stop.wakes(self._wake.set)
        self._turned_s = self._saved_s = self._clock.now().mono_s
        try:
            while not stop.is_set() and self.record.state is ShadowState.RUNNING:
                self._turn(beat)
                self._wanted = self._may_show()
                if self._wake.wait(TURN_S):
                    self._wake.clear()
                    self._rest(self._look(stop, beat), stop, beat)
                self._decide()
        finally:
            self._wanted = False
            self.close()
        if self.record.state is ShadowState.RUNNING:
            self._save(self.record)

    def close(self) -> None:
        """End its processes; in the thread of `run`, or after it."""
        self._old.close()
        self._new.close()

    def _look(self, stop: Stop, beat: Beat) -> float:
        """Have the waiting crop looked at; how long to rest then, in seconds."""
        shown, self._shown = self._shown, None
        if shown is None:
            return 0.0
        measuring = self.record.seen.old_ms.count < verdict.MEASURED
        process = self._old if measuring else self._new
        if not measuring:
            self._old.close()
        began = self._clock.now()

        def turn() -> bool:
            self._turn(beat)
            return not stop.is_set()

        try:
            answer = process.look(shown.image, turn)
        except ModelError as error:
            self._see_broken(error.what, measuring)
            return AFTER_DEATH_S
        except ShadowBroken as error:
            log.warning("shadow_failed", how=error.how.value, why=error.why, measuring=measuring)
            if not measuring:  # the model in use has its own say when it fails
                self._see(comparison.failed(self.record.seen, error.how, error.why))
            return AFTER_DEATH_S if error.how in (ShadowFailure.DIED, ShadowFailure.LATE) else TURN_S
        if answer is None:
            return 0.0
        passed_ms = self._clock.now().since(began) * 1000
        ms = answer.ms if self._on_processor else passed_ms
        if measuring:
            self._see(comparison.measured(self.record.seen, ms, answer.mb))
        else:
            crop = ComparedCrop(shown.found, answer.found, shown.rests, ms, answer.mb)
            self._see(comparison.compared(self.record.seen, crop))
        return max(0.0, answer.ms / self._bounds.share - passed_ms) / 1000

    def _see_broken(self, why: str, measuring: bool) -> None:
        log.warning("shadow_failed", how="cannot be loaded", why=why, measuring=measuring)
        if not measuring:
            self._see(replace(self.record.seen, broken=why))

    def _see(self, seen: comparison.ShadowComparison) -> None:
        self.record = replace(self.record, seen=seen)

    def _rest(self, seconds: float, stop: Stop, beat: Beat) -> None:
        """Leave the core to others; back at once where the trial has its verdict or the agent stops."""
        until_s = self._clock.now().mono_s + seconds
        while not stop.is_set() and (left_s := until_s - self._clock.now().mono_s) > 0:
            self._turn(beat)
            stop.wait(min(left_s, TURN_S))

    def _turn(self, beat: Beat) -> None:
        """Alive; and how much time has passed in which the box had time for this."""
        beat()
        now_s = self._clock.now().mono_s
        passed_s, self._turned_s = min(now_s - self._turned_s, LONGEST_TURN_S), now_s
        if self._may_show():
            self._see(replace(self.record.seen, watched_s=self.record.seen.watched_s + passed_s))
        if now_s - self._saved_s >= SAVE_S:
            self._saved_s = now_s
            self._save(self.record)

    def _may_show(self) -> bool:
        now_s = self._clock.now().mono_s
        if self._busy():
            self._busy_s = now_s
        return now_s - self._busy_s >= CALM_S

    def _decide(self) -> None:
        reached = verdict.judged(self.record.seen, self._bounds)
        if reached.outcome is ShadowOutcome.CANNOT_TELL:
            return
        passed = reached.outcome is ShadowOutcome.PASSED
        record = self.record.ended(ShadowState.PASSED if passed else ShadowState.FAILED, reached.words)
        if self._save(record):  # what is not on the disk is not decided: the next start would not know it
            self.record = record
            log.info("shadow_ended", outcome=record.state.value, why=record.why)

    def _max_mb(self) -> float:
        seen = self.record.seen
        return seen.old_mb + self._bounds.more_memory_mb if seen.old_mb else float("inf")


def at_rest(outcome: Outcome, crop: Crop) -> bool:
    """Whether nothing moves in the crop, and nobody is followed there."""
    if crop.reason is not Reason.FULL_SCAN or outcome.motion.settling:
        return False
    there = (*outcome.motion.regions, *(each.box for each in outcome.tracks))
    return not any(_overlap(crop.box, box) for box in there)


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom
    )
