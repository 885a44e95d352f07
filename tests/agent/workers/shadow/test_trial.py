"""agent.workers.shadow.trial"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from agent.clock import SystemClock
from agent.core.pipeline import Outcome
from agent.core.shadow.comparison import ShadowFailure
from agent.core.shadow.verdict import MEASURED
from agent.core.types import WHOLE, Box, Crop, Detection, Image, Motion, Reason
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings, ShadowSettings
from agent.host.supervise import Stop
from agent.workers.shadow import trial
from agent.workers.shadow.record import ShadowRecord, ShadowState
from agent.workers.shadow.trial import ShadowTrial, at_rest
from tests.support.brokers import until
from tests.support.sampled_frames import track
from tests.support.shadowed import Fault, write_shadow
from tests.support.squares import picture, write_model

BOUNDS = {"for_s": 10, "give_up_s": 600, "crops": 80, "objects": 10, "share": 1.0}
SQUARE, ROAD = picture((100.0,), width=256, height=256), picture((), width=256, height=256)
MOVES = Outcome(Motion((WHOLE,), 0.5), (), crops=(Crop(WHOLE, Reason.MOTION),))
RESTS = Outcome(Motion((), 0.0), (), crops=(Crop(WHOLE, Reason.FULL_SCAN),))


@dataclass
class Bench:
    """A trial at work, and a camera that shows it crops as quickly as it takes them."""

    settings: DetectorSettings
    busy: bool = False
    kept: list[ShadowRecord] = field(default_factory=list)
    disk_takes: bool = True
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        record = ShadowRecord("a", "b")
        self.trial = ShadowTrial(self.settings, record, self.save, SystemClock(), lambda: self.busy)
        network = load_detector(self.settings)
        self._shown: list[tuple[Outcome, list[Image], list[tuple[Detection, ...]]]] = [
            (outcome, [image], network.detect([image])) for outcome, image in ((MOVES, SQUARE), (RESTS, ROAD))
        ]
        self._threads = [
            threading.Thread(target=self.trial.run, args=(self.stop, lambda _wait_s=0.0: None), daemon=True),
            threading.Thread(target=self._show, daemon=True),
        ]

    def save(self, record: ShadowRecord) -> bool:
        if self.disk_takes:
            self.kept.append(record)
        return self.disk_takes

    def _show(self) -> None:
        turn = 0
        while not self.stop.wait(0.002):
            turn += 1
            self.trial.saw(*self._shown[turn % 2])

    def until(self, condition: Callable[[ShadowRecord], bool], within_s: float = 90) -> ShadowRecord:
        """Work until the record is so."""
        for each in self._threads:
            each.start()
        try:
            until(lambda: condition(self.trial.record), within_s, "the trial came so far")
        finally:
            self.stop.set()
            for each in self._threads:
                each.join(20)
        return self.trial.record


def bench(folder: Path, fault: Fault = "none", **bounds: float) -> Bench:
    new = write_shadow(folder / "new", fault)
    (folder / "old").mkdir()
    shadow = ShadowSettings(model=str(new), **{**BOUNDS, **bounds})  # type: ignore[arg-type]
    return Bench(DetectorSettings(model=str(write_model(folder / "old")), shadow=shadow))


def ended(record: ShadowRecord) -> bool:
    return record.state is not ShadowState.RUNNING


def test_a_model_that_works_passes_when_it_has_looked_long_enough(tmp_path: Path) -> None:
    record = (at_work := bench(tmp_path)).until(ended)

    assert record.state is ShadowState.PASSED, record.why
    assert record.seen.watched_s >= 10 and record.seen.crops >= 80
    assert record.seen.all.found == record.seen.all.objects >= 10
    assert record.seen.old_ms.count == MEASURED and record.seen.failed == 0
    assert at_work.kept[-1] == record


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("slow", "ms a crop"),
        ("nonsense", "looks failed: its outputs hold what is no number"),
        ("blind", "it found 0 of"),
        ("ghosts", "where nothing moves"),
        ("broken", "it cannot work here"),
    ],
)
def test_one_that_breaks_here_fails_with_its_reason(tmp_path: Path, fault: Fault, words: str) -> None:
    record = bench(tmp_path, fault).until(ended)

    assert record.state is ShadowState.FAILED
    assert words in record.why


@pytest.mark.long
def test_one_whose_process_is_killed_again_and_again_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "AFTER_DEATH_S", 0.1)

    def killing(record: ShadowRecord) -> bool:
        """Whoever looks in on the trial kills what it has started, once that is the new model."""
        if record.seen.old_ms.count == MEASURED:
            for child in psutil.Process().children():
                child.kill()
        return ended(record)

    record = bench(tmp_path).until(killing)

    assert record.state is ShadowState.FAILED
    assert record.seen.failures[ShadowFailure.DIED] == 3
    assert "ended or hung 3 times" in record.why


def test_while_the_box_is_busy_nothing_is_shown_and_no_time_counts(tmp_path: Path) -> None:
    at_work = bench(tmp_path)
    at_work.busy = True
    turns = iter(range(6))
    record = at_work.until(lambda _record: next(turns, None) is None)

    assert (record.seen.crops, record.seen.old_ms.count, record.seen.watched_s) == (0, 0, 0.0)


@pytest.mark.long
def test_what_the_disk_does_not_take_is_not_decided(tmp_path: Path) -> None:
    at_work = bench(tmp_path, "broken")
    at_work.disk_takes = False
    record = at_work.until(lambda record: bool(record.seen.broken))

    assert record.state is ShadowState.RUNNING
    assert at_work.kept == []


@pytest.mark.long
def test_it_takes_no_more_than_its_share_of_a_core(tmp_path: Path) -> None:
    """The slow model burns tens of milliseconds a crop; at a fifth it rests four times as long."""
    at_work = bench(tmp_path, "slow", share=0.2, times_slower=100)
    record = at_work.until(lambda record: record.seen.new_ms.count >= 12)
    burnt_s = record.seen.new_ms.count * (record.seen.new_ms.quantile_ms(0.5) or 0.0) / 1000

    assert burnt_s > 0.02
    assert burnt_s <= 0.35 * record.seen.watched_s


def test_a_crop_is_at_rest_where_nothing_moves_and_nobody_is_followed() -> None:
    crop = Crop(Box(0.0, 0.0, 0.5, 0.5), Reason.FULL_SCAN)
    here, there = Box(0.4, 0.4, 0.6, 0.6), Box(0.6, 0.6, 0.9, 0.9)

    assert at_rest(Outcome(Motion((there,), 0.1), (track(there),), crops=(crop,)), crop)
    assert not at_rest(Outcome(Motion((here,), 0.1), (), crops=(crop,)), crop)
    assert not at_rest(Outcome(Motion((), 0.0), (track(here),), crops=(crop,)), crop)
    assert not at_rest(Outcome(Motion((), 0.0, settling=True), (), crops=(crop,)), crop)
    assert not at_rest(Outcome(Motion((), 0.0), ()), Crop(crop.box, Reason.MOTION))
