"""agent.workers.footage.clips"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.errors import FootageError, NgatuError
from agent.evidence.clips.requests import MOST_OPEN, ClipState
from agent.outbox.outbox import OutboxSettings
from agent.wire.message import Priority
from agent.workers.footage.clips import SETTLE_S, TOLD_S
from agent.workers.footage.sending import APART_S, ATTEMPTS, MOST_WAITING
from station.footage.arrival.listing import MANIFEST
from station.footage.arrival.spool import Spool
from station.footage.folder import FootageStage
from tests.support.clip_bench import ClipBench, wanted
from tests.support.footage import NOON_S
from tests.support.outboxes import refusing, start


def nothing(wait_s: float = 0.0) -> None:
    pass


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ClipBench]:
    with ClipBench(tmp_path).at_work() as box:
        yield box


def lies(box: ClipBench) -> set[str]:
    footage = box.outbox.footage()
    assert footage is not None
    return {*footage.waiting}


def test_a_clip_arrives_whole_with_its_gap_listed_and_stays_held(box: ClipBench) -> None:
    box.bench.record(20)
    box.clock.go_on(30)
    box.bench.record(40, run="run-2")
    request = wanted("q-1", 4, 70)
    folder = box.expect(request)
    cut: list[str] = []
    box.worker.on_cut = cut.append

    answer = box.worker.ask(request)
    state = box.until_whole(folder)

    assert answer["gaps"] == 1
    assert cut == ["north"]
    assert state.stage is FootageStage.ARRIVED
    manifest = json.loads(b"".join(Spool(folder.pieces).read(MANIFEST)))
    assert len(manifest["gaps"]) == 1
    assert [run["number"] for run in manifest["runs"]] == [1, 2]
    assert manifest["request"]["officer"] == "Lê Văn A"
    assert state.size_bytes == state.arrived_bytes > 18 * 10_000
    noted = box.requests.find("q-1")
    assert noted is not None
    assert (noted.state, noted.bytes) == (ClipState.COMPLETE, state.size_bytes)
    assert [hold.id for hold in box.bench.ring.index.held] == ["q-1"]
    states = [json.loads(word)["state"] for word in box.words]
    assert states[0] in ("requested", "sending")
    assert states[-1] == "complete"
    assert lies(box) == set()


def test_it_is_cut_only_once_the_station_is_told_of_a_link_after_it(box: ClipBench) -> None:
    """What is told later, about a segment that came meanwhile, the package could not lead to."""
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    asked: list[str] = []
    box.worker.before_cut = asked.append
    box.worker.ask(wanted("q-1", 0, 16))
    box.worker.turn(nothing)
    assert [each.state for each in box.requests.open()] == [ClipState.REQUESTED]
    assert asked == ["north"]

    box.bench.record(20)
    box.bench.ring.cut("north")
    number, digest = box.bench.ring.index.head("north")
    box.bench.ring.index.tell("north", number)
    box.worker.turn(nothing)

    assert [each.state for each in box.requests.open()] == [ClipState.SENDING]
    made = box.cutter.cut(wanted("q-1", 0, 16))
    assert made is not None
    assert made.manifest.chain is not None
    assert made.manifest.chain.hashes()[number] == digest


def test_it_waits_for_that_no_longer_than_half_a_minute(box: ClipBench) -> None:
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    box.worker.before_cut = lambda _: None
    box.worker.ask(wanted("q-1", 0, 16))
    box.worker.turn(nothing)
    box.clock.go_on(TOLD_S)
    box.worker.turn(nothing)

    assert [each.state for each in box.requests.open()] == [ClipState.SENDING]


def test_of_what_is_still_recorded_it_waits_until_it_is_there(box: ClipBench) -> None:
    box.bench.record(20)
    request = wanted("q-1", 10, 40)
    folder = box.expect(request)
    box.worker.ask(request)

    box.worker.turn(nothing)
    box.deliver()
    assert folder.state().stage is FootageStage.REQUESTED
    assert "waits until" in str(folder.state().detail)

    box.bench.record(12)
    box.worker.turn(nothing)
    assert [each.state for each in box.requests.open()] == [ClipState.REQUESTED]
    box.bench.record(10)
    box.clock.go_on(SETTLE_S)
    state = box.until_whole(folder)

    assert state.stage is FootageStage.ARRIVED
    manifest = json.loads(b"".join(Spool(folder.pieces).read(MANIFEST)))
    assert manifest["gaps"] == []


def test_only_few_pieces_wait_in_the_outbox_at_one_time(box: ClipBench) -> None:
    box.bench.record(60, size=200_000)
    box.clock.go_on(SETTLE_S)
    box.worker.ask(wanted("q-1", 0, 60))

    for _ in range(5):
        box.worker.turn(nothing)

    assert len(lies(box)) == MOST_WAITING
    events = box.outbox.waiting(1, box.clock.now())
    assert events[0].message.priority is Priority.EVENT  # before all pieces


@pytest.mark.parametrize("seed", range(5))
def test_whatever_dies_in_between_the_clip_arrives_whole(box: ClipBench, seed: int) -> None:
    """Box and station end at random moments, and receipts are lost."""
    chance = random.Random(seed)
    box.bench.record(60, size=60_000)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 5, 55)
    folder = box.expect(request)
    box.worker.ask(request)
    for _ in range(300):
        box.worker.turn(nothing)
        box.deliver(chance.randrange(40), receipts=chance.random() < 0.7)
        if chance.random() < 0.1:
            box.end_box()
            box.begin_box()
        if chance.random() < 0.1:
            box.begin_station()
        box.clock.go_on(0.5)
        if folder in box.whole:
            break

    assert box.until_whole(folder).stage is FootageStage.ARRIVED
    done = box.requests.find("q-1")
    assert done is not None
    assert done.state is ClipState.COMPLETE


def test_a_stream_that_was_renewed_and_a_file_that_was_lost_change_nothing(box: ClipBench) -> None:
    box.bench.record(60, size=60_000)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 5, 55)
    folder = box.expect(request)
    box.worker.ask(request)
    box.worker.turn(nothing)
    box.worker.turn(nothing)
    box.deliver(30)
    before = box.outbox.stream

    box.end_box()
    (box.folder / "outbox.db").unlink()
    box.begin_box()

    assert box.until_whole(folder).stage is FootageStage.ARRIVED
    assert box.outbox.stream != before


def test_a_piece_that_is_set_aside_is_put_again_and_in_the_end_told(box: ClipBench) -> None:
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 0, 20)
    folder = box.expect(request)
    box.worker.ask(request)
    stages = []
    for _ in range(12):
        box.worker.turn(nothing)
        for stored in box.outbox.waiting(1000, box.clock.now()):
            if stored.message.topic.endswith("manifest.json/0"):
                box.outbox.quarantine(stored.seq, "the broker takes no such packet")
        box.deliver()
        box.clock.go_on(APART_S + 1)
        stages.append(folder.state().stage)

    assert FootageStage.FAILED in stages
    assert "the broker takes no such packet" in str(folder.state().detail)
    assert box.outbox.stats().quarantined == 0
    assert lies(box) == set()


def test_one_that_was_set_aside_once_arrives_all_the_same(box: ClipBench) -> None:
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 0, 20)
    folder = box.expect(request)
    box.worker.ask(request)
    box.worker.turn(nothing)
    box.worker.turn(nothing)
    victim = next(
        each for each in box.outbox.waiting(9, box.clock.now()) if each.message.topic.endswith(".age/0")
    )
    box.outbox.quarantine(victim.seq, "connections ended with only this on the way")
    box.worker.turn(nothing)
    box.clock.go_on(APART_S)

    assert box.until_whole(folder).stage is FootageStage.ARRIVED


def test_what_a_full_outbox_evicts_is_put_again_and_not_at_once(tmp_path: Path) -> None:
    small = OutboxSettings(max_bytes=1 << 20, ballast_bytes=0)
    with ClipBench(tmp_path, outbox_settings=small).at_work() as box:
        evicted(box)


def evicted(box: ClipBench) -> None:
    box.bench.record(60, size=60_000)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 0, 60)
    folder = box.expect(request)
    box.worker.ask(request)
    with capture_logs() as logs:
        for _ in range(20):
            box.worker.turn(nothing)
            box.clock.go_on(0.5)
    put = box.outbox.bounds()[1]

    assert [each["event"] for each in logs].count("clip_pieces_evicted") == 1
    assert put is not None
    assert put < 2 * MOST_WAITING
    for _ in range(60):
        box.clock.go_on(APART_S)
        box.worker.turn(nothing)
        box.worker.turn(nothing)
        box.deliver()
    assert folder.state().stage is FootageStage.ARRIVED


def test_footage_that_has_gone_from_the_disk_is_told(box: ClipBench) -> None:
    box.bench.record(60, size=60_000)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 0, 60)
    folder = box.expect(request)
    box.worker.ask(request)
    box.worker.turn(nothing)
    for path in (box.folder / "ring" / "north").iterdir():
        path.unlink()

    for _ in range(5):
        box.worker.turn(nothing)
        box.deliver()

    assert folder.state().stage is FootageStage.FAILED
    assert "cannot be read" in str(folder.state().detail)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (wanted("q-1", 0, 20, "south"), "camera south is not recorded; recorded are: north"),
        (wanted("q-1", -600, -500), "nothing of it is there: of camera north there is footage from 2027-01-15"),
        (wanted("q-1", 200, 220), "it begins in the future"),
    ],
)
def test_what_is_not_there_is_refused_in_words(box: ClipBench, request_: object, why: str) -> None:
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    box.bench.ring.cut("north")
    with pytest.raises(NgatuError, match=why):
        box.worker.ask(request_)  # type: ignore[arg-type]
    assert box.bench.ring.index.held == ()
    assert box.requests.open() == []


def test_of_a_camera_without_any_footage_what_is_over_is_refused_in_words(box: ClipBench) -> None:
    """As after a new disk."""
    box.clock.go_on(3600)

    with pytest.raises(NgatuError, match="there is no footage of camera north yet"):
        box.worker.ask(wanted("q-1", 0, 20))
    assert box.requests.find("q-1") is None


def test_what_cannot_be_held_is_not_noted_either(box: ClipBench) -> None:
    """It was answered as failed, and cut and sent all the same. A folder in the way stands for the disk."""
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    (box.folder / "ring" / "holds.json.new").mkdir()

    with pytest.raises(NgatuError, match="Is a directory"):
        box.worker.ask(wanted("q-1", 0, 20))

    assert box.requests.open() == []
    (box.folder / "ring" / "holds.json.new").rmdir()
    box.worker.ask(wanted("q-1", 0, 20))
    assert [hold.id for hold in box.bench.ring.index.held] == ["q-1"]


def test_what_cannot_be_noted_is_not_held_either(box: ClipBench) -> None:
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    for number in range(MOST_OPEN):
        box.worker.ask(wanted(f"q-{number}", 0, 20))

    with pytest.raises(NgatuError, match="clips wait to be sent"):
        box.worker.ask(wanted("one-more", 0, 20))

    assert "one-more" not in [hold.id for hold in box.bench.ring.index.held]


def test_a_hold_says_the_case_and_not_who_asked_or_what_for(box: ClipBench) -> None:
    """It lies on the disk of the footage, which is not always that of the requests."""
    box.bench.record(20)
    box.worker.ask(wanted("q-1", 0, 20))

    (hold,) = box.bench.ring.index.held
    assert hold.why == "12/2026"


def test_a_hold_that_only_the_ring_knows_can_be_released(box: ClipBench) -> None:
    """As after the file of requests was lost: what it held stood for ever."""
    box.bench.record(20)
    box.bench.ring.index.hold("q-1", "north", NOON_S, NOON_S + 20, "12/2026")

    assert box.worker.release("q-1", "duty-room") == {"was": "held"}

    assert box.bench.ring.index.held == ()


def test_the_order_again_after_a_release_holds_nothing(box: ClipBench) -> None:
    box.bench.record(20)
    box.worker.ask(wanted("q-1", 0, 20))
    box.worker.release("q-1", "duty-room")

    box.worker.ask(wanted("q-1", 0, 20))

    assert box.bench.ring.index.held == ()


def test_footage_whose_head_is_damaged_fails_one_request_and_the_others_go_on(box: ClipBench) -> None:
    """It ended the thread, and again after each start."""
    box.bench.record(4, run="run-1")
    box.bench.record(40, run="run-2")
    box.clock.go_on(SETTLE_S)
    box.bench.ring.cut("north")
    first = min((box.folder / "ring" / "north").iterdir())
    first.write_bytes(re.sub(rb'"sha256":".', b'"sha256":"-', first.read_bytes(), count=1))
    requests = wanted("q-1", 0, 3), wanted("q-2", 8, 44)
    folders = [box.expect(request) for request in requests]
    for request in requests:
        box.worker.ask(request)

    for _ in range(ATTEMPTS - 1):
        with pytest.raises(FootageError, match="the head of its footage"):
            box.worker.turn(nothing)
    assert box.until_whole(folders[1]).stage is FootageStage.ARRIVED

    assert folders[0].state().stage is FootageStage.FAILED
    assert "the head of its footage" in str(folders[0].state().detail)


def test_where_nothing_was_recorded_that_is_told_once_it_is_sure(box: ClipBench) -> None:
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 25, 40)
    folder = box.expect(request)
    box.worker.ask(request)
    box.clock.go_on(60)

    box.worker.turn(nothing)
    box.deliver()

    assert folder.state().stage is FootageStage.FAILED
    assert "nothing of it was recorded" in str(folder.state().detail)


def test_a_release_ends_the_hold_and_what_is_still_to_be_sent(box: ClipBench) -> None:
    box.bench.record(60, size=60_000)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 0, 60)
    folder = box.expect(request)
    box.worker.ask(request)
    box.worker.turn(nothing)
    box.worker.turn(nothing)
    assert lies(box)

    assert box.worker.release("q-1", "duty-room") == {"was": "sending"}
    box.worker.turn(nothing)
    box.deliver()

    assert lies(box) == set()
    assert box.bench.ring.index.held == ()
    assert folder.state().stage is FootageStage.RELEASED
    with pytest.raises(NgatuError, match="there is no request 'q-9'"):
        box.worker.release("q-9", "duty-room")


def test_the_same_order_again_changes_nothing_and_holds_that_were_lost_come_back(box: ClipBench) -> None:
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    request = wanted("q-1", 0, 20)
    first = box.worker.ask(request)
    assert box.worker.ask(request) == first
    box.bench.ring.index.release("q-1")
    box.end_box()
    box.begin_box()

    box.worker.hold_again()

    assert [hold.id for hold in box.bench.ring.index.held] == ["q-1"]
    assert len(box.requests.open()) == 1


def test_a_disk_that_takes_nothing_gets_no_footage(box: ClipBench) -> None:
    box.bench.record(20)
    box.clock.go_on(SETTLE_S)
    box.worker.ask(wanted("q-1", 0, 20))
    with refusing(box.folder / "outbox.db"):
        box.outbox.put([start("a")])
        box.worker.turn(nothing)
        assert box.outbox.footage() is None
        waiting = box.outbox.waiting(100, box.clock.now())
    assert not [each for each in waiting if each.message.priority is Priority.EVIDENCE]
