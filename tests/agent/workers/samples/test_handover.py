"""agent.workers.samples.handover"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import FootageError, NgatuError
from agent.evidence.clips.requests import ClipState
from agent.evidence.samples.package import read_sample_manifest
from agent.evidence.samples.sample import unpacked
from agent.evidence.samples.store import DAY_S
from agent.runtime.sample_orders import NOT_BY_ORDER
from agent.workers.samples.handover import MOST_WAITING
from station.footage.folder import FootageStage
from tests.support.kept_samples import NOON_MS, jpeg, sample
from tests.support.ordered_samples import OrderedSamples, sample_order


@pytest.fixture
def box(tmp_path: Path) -> Iterator[OrderedSamples]:
    with OrderedSamples(tmp_path).at_work() as box:
        yield box


def lies(box: OrderedSamples) -> int:
    lying = box.outbox.footage()
    assert lying is not None
    return len(lying.waiting)


def test_all_frames_come_as_they_lie_on_the_box_with_who_ordered_them_and_why(box: OrderedSamples) -> None:
    files, folder = box.keep(5), box.expect()

    answer = box.worker.ask(sample_order(), 2000)
    state = box.until_over(folder)

    assert (answer["frames"], answer["of"], answer["encrypted"]) == (5, 5, False)
    assert (state.stage, state.verdict, state.detail) == (FootageStage.COMPLETE, "authentic", None)
    for file in files:
        assert (folder.package / file).read_bytes() == box.store.path(file).read_bytes()
    manifest = read_sample_manifest((folder.package / "manifest.json").read_bytes())
    assert (manifest.order.officer, manifest.order.purpose) == ("Lê Văn A", "a better detector")
    assert manifest.order.audit_line == 7
    assert box.lines == [("s-1", 5, 0)]
    assert [json.loads(word)["state"] for word in box.words][-1] == "complete"
    assert len(set(box.pieces)) == len(box.pieces)
    assert box.store.samples(), "an order takes nothing away from the box"


def test_what_is_encrypted_on_the_box_travels_so_and_the_station_stores_it_so(tmp_path: Path) -> None:
    with OrderedSamples(tmp_path, sealed=True).at_work() as box:
        (file,), folder = box.keep(1), box.expect()
        box.worker.ask(sample_order(), 2000)
        box.until_over(folder)

        came = (folder.package / file).read_bytes()
        assert came == box.store.path(file).read_bytes()
        assert came.startswith(b"age-encryption.org/v1")
        with pytest.raises(FootageError):
            unpacked(came)


def test_of_few_those_come_that_teach_most_and_of_these_the_oldest_go_first(box: OrderedSamples) -> None:
    box.keep(3, worth=0.2)
    best, folder = box.keep(2, worth=0.9, first=3), box.expect()

    answer = box.worker.ask(sample_order(), 2)
    box.until_over(folder)

    assert (answer["frames"], answer["of"]) == (2, 5)
    manifest = read_sample_manifest((folder.package / "manifest.json").read_bytes())
    assert [each.name for each in manifest.frames] == best


def test_only_those_come_that_were_taken_since_then(box: OrderedSamples) -> None:
    files, folder = box.keep(5), box.expect()

    box.worker.ask(sample_order(since_s=NOON_MS / 1000 + 180), 2000)
    box.until_over(folder)

    assert sorted(each.name for each in folder.package.glob("*.sample")) == files[3:]


def test_where_there_are_none_it_says_so(box: OrderedSamples) -> None:
    with pytest.raises(NgatuError, match=r"there are no frames for training$"):
        box.worker.ask(sample_order(), 2000)
    box.keep(2)
    with pytest.raises(NgatuError, match="taken since 2026-12-02T12:00:00"):
        box.worker.ask(sample_order(since_s=NOON_MS / 1000 + DAY_S), 2000)
    assert box.requests.open() == []


def test_the_same_order_again_changes_nothing_and_another_one_waits_its_turn(box: OrderedSamples) -> None:
    box.keep(2)
    box.expect()
    box.worker.ask(sample_order(), 2000)
    box.keep(1, first=2)

    assert box.worker.ask(sample_order(), 2000) == {"frames": 2}
    with pytest.raises(NgatuError, match="order s-1 for frames is on its way"):
        box.worker.ask(sample_order("s-2"), 2000)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_dies_in_between_every_frame_comes_and_none_twice(box: OrderedSamples, seed: int) -> None:
    """Box and station end at random moments, and receipts are lost."""
    chance = random.Random(seed)
    files, folder = box.keep(9), box.expect()
    box.worker.ask(sample_order(), 2000)
    for _ in range(300):
        box.turn()
        box.deliver(chance.randrange(12), receipts=chance.random() < 0.7)
        if chance.random() < 0.15:
            box.end_box()
            box.begin_box()
        if chance.random() < 0.15:
            box.begin_station()
        box.clock.go_on(0.5)
        if not box.requests.open():
            break
    state = box.until_over(folder)

    assert (state.stage, state.verdict) == (FootageStage.COMPLETE, "authentic")
    assert sorted(each.name for each in folder.package.glob("*.sample")) == files
    assert not folder.pieces.exists()
    assert [each[1:] for each in box.lines] == [(9, 0)]


def test_a_frame_that_goes_by_its_age_is_left_out_counted_and_told(box: OrderedSamples) -> None:
    files, folder = box.keep(40), box.expect()
    box.worker.ask(sample_order(), 2000)
    box.turn()
    box.turn()
    box.store.tidy(NOON_MS / 1000 + 14 * DAY_S + 60 * 39)  # all but the newest
    state = box.until_over(folder)

    came = sorted(each.name for each in folder.package.glob("*.sample"))
    assert 1 < len(came) < 40
    assert came[-1] == files[-1]
    assert (state.stage, state.verdict) == (FootageStage.COMPLETE, "authentic with missing")
    assert f"{len(came)} of 40 frames" in str(state.detail)
    assert box.lines == [("s-1", len(came), 40 - len(came))]


def test_that_a_frame_is_gone_is_remembered_over_a_restart(box: OrderedSamples) -> None:
    files, folder = box.keep(40), box.expect()
    box.worker.ask(sample_order(), 2000)
    box.turn()
    box.requests.lose("s-1", "frame-00040.sample")  # and the power goes before that is noted as sent
    box.store.path(files[-1]).unlink()
    box.end_box()
    box.begin_box()
    state = box.until_over(folder)

    assert state.stage is FootageStage.COMPLETE
    assert box.lines == [("s-1", 39, 1)]


def test_where_all_of_them_went_by_their_age_the_order_fails_with_that(box: OrderedSamples) -> None:
    box.keep(2)
    folder = box.expect()
    box.worker.ask(sample_order(), 2000)
    box.store.tidy(NOON_MS / 1000 + 30 * DAY_S)
    state = box.until_over(folder)

    assert state.stage is FootageStage.FAILED
    assert "went by their age" in str(state.detail)


def test_what_is_on_its_way_makes_no_room_for_newer_frames(box: OrderedSamples) -> None:
    files = box.keep(9, padding=100_000, worth=0.1)  # nearly all of the budget
    folder = box.expect()
    box.worker.ask(sample_order(), 2000)
    box.turn()
    box.end_box()
    box.begin_box()
    name, note = sample(9, worth=0.9, after_s=540.0)
    assert not box.store.keep(name, note, jpeg(100_000))
    assert box.until_over(folder).verdict == "authentic"

    assert box.store.keep(name, note, jpeg(100_000))
    assert files[0] not in [each.file for each in box.store.samples()]


def test_few_pieces_wait_at_one_time_and_none_are_put_beside_footage(box: OrderedSamples) -> None:
    box.keep(30, padding=25_000)
    box.expect()
    box.footage = True
    box.worker.ask(sample_order(), 2000)
    for _ in range(3):
        box.turn()
    assert lies(box) == 0

    box.footage = False
    box.turn()
    assert lies(box) == MOST_WAITING


def test_an_order_that_is_released_sends_no_more_and_what_came_is_kept(box: OrderedSamples) -> None:
    box.keep(30, padding=25_000)
    folder = box.expect()
    box.worker.ask(sample_order(), 2000)
    box.turn()
    box.turn()
    box.deliver(20)

    assert box.worker.release("s-1", "lan") == {"was": "sending"}
    state = box.until_over(folder)

    assert lies(box) == 0
    assert (state.stage, state.verdict) == (FootageStage.COMPLETE, "authentic with missing")
    assert "by lan" in str(state.detail)
    assert 0 < len([*folder.package.glob("*.sample")]) < 30
    with pytest.raises(NgatuError, match="there is no request 's-9'"):
        box.worker.release("s-9", "lan")


def test_an_order_ends_only_once_the_audit_log_says_that_the_station_has_them(box: OrderedSamples) -> None:
    box.keep(1)
    box.expect()
    box.worker.ask(sample_order(), 2000)
    box.turn()
    box.turn()
    box.deliver()
    box.writes = False
    with pytest.raises(FootageError, match="audit log"):
        box.turn()
    assert [each.state for each in box.requests.open()] == [ClipState.SENDING]

    box.writes = True
    box.turn()
    assert box.requests.open() == []
    assert box.lines == [("s-1", 1, 0)]


def test_what_an_earlier_life_left_ends_where_the_operator_allows_it_no_more(box: OrderedSamples) -> None:
    box.keep(3)
    folder = box.expect()
    box.worker.ask(sample_order(), 2000)
    box.turn()
    box.end_box()
    box.off = NOT_BY_ORDER
    box.begin_box()

    state = box.until_over(folder)

    assert state.stage is FootageStage.FAILED
    assert state.detail == NOT_BY_ORDER
    assert lies(box) == 0
    with pytest.raises(NgatuError, match="by_order is false"):
        box.worker.ask(sample_order("s-2"), 2000)
