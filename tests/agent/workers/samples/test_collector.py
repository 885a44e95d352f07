"""agent.workers.samples.collector"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.clock import Clock
from agent.core import pipeline
from agent.core.ids import Ids
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.tracking.riders import RiderSettings
from agent.core.types import Box, Detection, Motion, Size
from agent.evidence.samples.sample import SampleNote, unpacked
from agent.evidence.samples.settings import SamplesSettings
from agent.host.supervise import Stop
from agent.workers.clock import Timekeeper
from agent.workers.samples.collector import SampleCollector, SampledCamera, SampleFacts, proposals
from tests.support.footage import HandClock
from tests.support.kept_samples import Opened, chosen
from tests.support.sampled_frames import LOOKED, grey, track
from tests.support.simulated_junction import SHOWN, Passer, drawn, framed, sees, shown_heads

FACTS = SampleFacts("test-commune/test-box-01", "0.1.0", "c" * 64, "colours", "d" * 64, 25_200)
UNFOUND = Passer("motorcycle", 5.0, 0.15, 0.9, 0.25, "missed")
SURE = Passer("car", 5.5, -0.15, 0.8, 0.18, "sure")


class Junction:
    """A collector beside one camera's pipeline, by a clock that is set."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.clock, self.busy = HandClock(), False
        self.believed: Clock = self.clock
        self.opened = Opened(folder, chosen(**{"min_gap_s": 1, **settings}))
        self.store = self.opened.open()
        self.collector = self.begun(self.opened.settings)
        self.state = PipelineState(Ids(b"t" * 32))

    def begun(self, settings: SamplesSettings) -> SampleCollector:
        cameras = {"road": SampledCamera("e" * 64, RiderSettings())}
        ids = Ids(b"s" * 32)
        return SampleCollector(
            settings, self.store, cameras, FACTS, self.clock, self.believed, ids, lambda: self.busy
        )

    def watch(self, passers: list[Passer], seconds: float = 12.0) -> None:
        """Five pictures a second; each that is to be kept is written at once."""
        for number in range(int(seconds * 5)):
            self.clock.go_on(0.2)
            frame = framed(drawn(passers, number / 5), number, self.clock.now())
            self.state, outcome = pipeline.update(self.state, frame, sees, Size(416, 416), PipelineSettings())
            self.collector.saw("road", frame, outcome)
            self.collector.turn()

    def show(self, motion: Motion, luma: int = 110, later: int | None = None) -> None:
        """A picture in which somebody is followed while this moves, and one of a second later."""
        walker = track(Box(0.1, 0.1, 0.12, 0.16), label="person")
        for brightness in (luma, luma if later is None else later):
            frame = grey(self.clock.now(), brightness)
            self.collector.saw("road", frame, Outcome(motion, (walker,), crops=LOOKED))
            self.clock.go_on(1.0)

    def kept(self) -> list[tuple[SampleNote, bytes]]:
        folder = self.opened.state / "samples"
        return [unpacked((folder / each.file).read_bytes()) for each in self.store.samples()]


@pytest.fixture
def junction(tmp_path: Path) -> Iterator[Junction]:
    one = Junction(tmp_path)
    yield one
    one.opened.close()


def test_a_motorcycle_that_is_not_found_is_kept_with_what_was_found_beside_it(tmp_path: Path) -> None:
    junction = Junction(tmp_path, kinds=["missed_motion"])
    junction.watch([UNFOUND, SURE])

    ((note, _),) = junction.kept()
    junction.opened.close()
    assert note.reason == "missed_motion"
    assert (note.camera, note.box, note.clock, note.model) == ("road", FACTS.box, "ntp", "colours")
    assert (note.width_px, note.height_px, note.blur, note.mask_sha256) == (640, 360, "heads", "e" * 64)
    assert (note.purpose, note.legal_basis) == ("p", "l")
    assert "car" in {each.label for each in note.proposals}
    assert note.about is not None and note.about[3] > 0.8
    assert note.id in junction.opened.noted


@pytest.mark.parametrize("years", [50, -50])
def test_a_clock_that_steps_by_decades_and_back_ages_no_frame_and_breaks_no_limit(
    tmp_path: Path, years: int
) -> None:
    junction = Junction(tmp_path, per_hour=1, per_day=3)
    clock, year_s, day_s = junction.clock, 365 * 86_400, 86_400
    clock.wall_s += 60.5 * year_s
    keeper = Timekeeper(tmp_path, Ids(b"k" * 32), clock, clock.trust)
    junction.believed = keeper.believed
    junction.collector = junction.begun(junction.opened.settings)

    def work(seconds: float) -> None:
        for _ in range(round(seconds / 3600)):
            clock.go_on(3600)
            keeper.look()
            junction.collector.turn()

    def keep() -> int:
        for luma in (100, 110, 120):  # one of them will do
            junction.show(Motion((), 0.0), luma)
            junction.collector.turn()
        return len(junction.kept())

    keeper.look()
    began_s = clock.wall_s
    assert keep() == 1
    work(3600)
    clock.wall_s += years * year_s
    work(3600)
    assert keep() == 2
    clock.wall_s -= years * year_s
    work(20 * 3600)
    assert keep() == 3
    work(3600)
    junction.collector = junction.begun(junction.opened.settings)
    assert keep() == 3, "three in 24 hours, over a restart, too"
    assert all(began_s <= each.name.taken_ms / 1000 <= clock.wall_s for each in junction.store.samples())
    assert len({note.taken[:4] for note, _ in junction.kept()}) == 2, "what stands in them is what was shown"

    work(12.9 * day_s)
    assert len(junction.kept()) == 3
    work(2 * day_s)
    assert junction.kept() == []
    junction.opened.close()


def test_what_the_detector_finds_for_sure_is_kept_once_at_most_as_a_scene(junction: Junction) -> None:
    junction.watch([SURE])

    assert {note.reason for note, _ in junction.kept()} <= {"rare_scene"}


def test_a_box_that_is_hot_or_busy_chooses_nothing(junction: Junction) -> None:
    junction.busy = True
    junction.watch([UNFOUND])

    assert junction.kept() == []


def test_while_one_waits_no_other_is_chosen_and_no_queue_grows(junction: Junction) -> None:
    for number in range(200):
        junction.clock.go_on(40.0)
        junction.show(Motion((), 0.0), 100 + number % 3)
    assert junction.kept() == []
    junction.collector.turn()

    assert len(junction.kept()) == 1


@pytest.mark.parametrize(("blur", "frames"), [("heads", 0), ("none", 1)])
def test_somebody_near_whom_nobody_found_lets_no_frame_be_kept(tmp_path: Path, blur: str, frames: int) -> None:
    junction = Junction(tmp_path, blur=blur)
    junction.show(Motion((Box(0.5, 0.3, 0.7, 0.9),), 0.2))
    junction.collector.turn()
    junction.opened.close()

    assert len(list((tmp_path / "samples").iterdir())) == frames


def test_where_the_light_jumps_nobody_can_say_who_moved_and_nothing_is_kept(junction: Junction) -> None:
    junction.show(Motion((), 0.0), luma=110, later=160)
    junction.collector.turn()

    assert junction.kept() == []


def test_who_has_just_come_and_is_not_told_as_motion_yet_is_hidden(junction: Junction) -> None:
    comes = Passer("person", 0.0, 0.2, 0.9, 0.3, "missed")
    walker = track(Box(0.0, 0.0, 0.02, 0.06), label="person")
    for at_s in (2.0, 3.0):  # nobody has told of him in either
        frame = framed(drawn([comes], at_s), 0, junction.clock.now())
        junction.collector.saw("road", frame, Outcome(Motion((), 0.0), (walker,), crops=LOOKED))
        junction.clock.go_on(1.0)
    junction.collector.turn()

    ((_, data),) = junction.kept()
    luma = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
    ((_, left),) = shown_heads(luma, [comes], 2.0)
    assert left < SHOWN


def test_a_later_life_knows_what_was_kept(junction: Junction) -> None:
    junction.show(Motion((), 0.0))
    junction.collector.turn()
    ((first, _),) = junction.kept()
    junction.collector = junction.begun(junction.opened.settings)
    junction.clock.go_on(60.0)
    junction.show(Motion((), 0.0))
    junction.collector.turn()

    assert [note.worth for note, _ in junction.kept()] == [first.worth, first.worth / 2]


def test_the_loop_ends_when_it_is_told_to(junction: Junction) -> None:
    stop, beats = Stop(), list[float]()
    thread = threading.Thread(
        target=junction.collector.run, args=(stop, lambda wait_s=0.0: beats.append(wait_s))
    )
    thread.start()
    stop.set()
    thread.join(10)

    assert not thread.is_alive()


def test_proposals_are_riders_with_their_two_wheelers_and_who_was_not_looked_for() -> None:
    bike, rider = Box(0.4, 0.5, 0.5, 0.7), Box(0.41, 0.4, 0.49, 0.62)
    found = (Detection("motorcycle", 0.7, bike), Detection("person", 0.8, rider), Detection("car", 0.05, bike))
    unseen = track(Box(0.8, 0.8, 1.1, 1.0), "parked", "car", seen_now=False, still=True)
    doubled = track(bike, "doubled", "motorcycle", seen_now=False)

    given = proposals(found, (unseen, doubled), RiderSettings())

    assert [(each.label, each.by) for each in given] == [("motorcycle", "detector"), ("car", "track")]
    assert given[0].top == pytest.approx(0.4, abs=0.01), "machine and rider in one box"
    assert given[1].right == 1.0, "inside the picture"
