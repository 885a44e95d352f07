"""tests.acceptance.faults.judge: a judge that cannot turn red proves nothing"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL

from agent.clock import SystemClock
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec, topics
from agent.wire.message import Message
from station.ingest.inbound import read
from tests.acceptance.faults.judge import Number, Row, judge, judged
from tests.acceptance.faults.stage import Receiver, waiting_in
from tests.acceptance.faults.victim import name
from tests.support.fake_box import an_event
from tests.support.outboxes import proofs
from tests.support.stores import Place

NAMES = ("a/1", "b/1", "c/1")
ACCEPTED = [Row(("s", seq), name) for seq, name in enumerate(NAMES, 1)]


def test_what_arrived_as_it_was_taken_is_clean() -> None:
    assert judge(NAMES, ACCEPTED, ACCEPTED).clean


def test_what_did_not_arrive_is_lost_and_named() -> None:
    assert judge(NAMES, ACCEPTED, ACCEPTED[:2]).lost == (("s", 3),)


def test_what_nobody_wanted_is_a_phantom() -> None:
    assert judge(NAMES, ACCEPTED, [*ACCEPTED, Row(("s", 4), "x/1")]).phantom == ("x/1",)


def test_one_message_in_two_rows_is_doubled() -> None:
    assert judge(NAMES, ACCEPTED, [*ACCEPTED, Row(("s", 9), "a/1")]).doubled == ("a/1",)


def test_ids_used_twice_are_a_conflict() -> None:
    verdict = judge(NAMES, ACCEPTED, [ACCEPTED[0], Row(("s", 2), "c/1"), ACCEPTED[2]])
    assert verdict.conflicts == (("s", 2),)


def test_a_number_given_to_two_events_is_a_conflict_whichever_of_them_arrived() -> None:
    again = [*ACCEPTED, Row(("s", 1), "x/1")]
    for arrived in ("a/1", "x/1"):
        verdict = judge([*NAMES, "x/1"], again, [Row(("s", 1), arrived), *ACCEPTED[1:]])
        assert verdict.conflicts == (("s", 1),)


def test_a_picture_that_came_without_its_number_is_not_lost_and_is_a_phantom_if_nobody_wanted_it() -> None:
    verdict = judge(NAMES, ACCEPTED, [*ACCEPTED[:2], Row(None, "c/1"), Row(None, "x")])
    assert (verdict.lost, verdict.phantom, verdict.committed) == ((), ("x",), 4)
    assert judge(NAMES, ACCEPTED, [*ACCEPTED[:2], Row(None, "a/1")]).lost == (("s", 3),)


def test_a_later_event_under_an_earlier_number_is_out_of_order() -> None:
    swapped = [Row(("s", 1), "b/1"), Row(("s", 2), "a/1"), Row(("s", 3), "c/1")]
    assert judge(NAMES, ACCEPTED, swapped).reordered == 1


def test_an_update_that_took_the_place_of_another_is_no_conflict() -> None:
    taken = [*ACCEPTED, Row(("s", 3), "c/2")]
    assert judge([*NAMES, "c/2"], taken, [*ACCEPTED[:2], Row(("s", 3), "c/2")]).clean


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n)))))
def test_exactly_the_missing_are_lost(verdict: tuple[int, set[int]]) -> None:
    count, missing = verdict
    accepted = [Row(("s", seq), f"e{seq}/1") for seq in range(1, count + 1)]
    committed = [row for row in accepted if row.number and row.number[1] not in missing]
    found = judge([row.name for row in accepted], accepted, committed)
    assert {seq for _, seq in found.lost} == missing
    assert not (found.phantom or found.doubled or found.conflicts or found.reordered)


# ------------------------------------------------------------------------------------ while messages are moving

T = TypeVar("T")
BOX = ("hai-ninh", "north-01")
TREE = topics.Topics(*BOX)


class Moving:
    """A real outbox and a real store. After each reading of a history some messages go on their way.

    These are committed by the station and forgotten by the box; and as many new ones are put.
    """

    def __init__(self, folder: Path, count: int, moves: int) -> None:
        self._receiver, self.file, self._moves = Receiver(folder, 1), folder / "outbox.db", moves
        self._place = Place(URL.create("sqlite", database=str(folder / "station" / "station.db")), folder)
        self.clock = SystemClock()
        self.outbox, self.store = (
            Outbox(self.file, OutboxSettings(ballast_bytes=0), self.clock),
            self._place.open(),
        )
        self._names: list[str] = []
        self._rows: list[Row] = []
        self.put(count)

    def close(self) -> None:
        self.outbox.close()
        self.store.close()
        self._place.close()

    def put(self, count: int) -> None:
        """As the feeder does: intended before, accepted after."""
        messages: list[Message] = []
        for number in range(len(self._names), len(self._names) + count):
            messages += event_messages(an_event(number), Sender(*BOX, "fed", "boot-1"))
        self._names += [name(each) for each in messages]
        seqs = self.outbox.put(messages)
        stream = self.outbox.stream
        self._rows += [Row((stream, seq), name(each)) for seq, each in zip(seqs, messages, strict=True)]

    def deliver(self, count: int) -> None:
        """The oldest that wait: committed, receipted, gone from the outbox."""
        now, stream = self.clock.now(), self.outbox.stream
        waiting = self.outbox.waiting(count, now)
        bodies = [(TREE.below(each.message.topic), codec.finish(each, stream, now)) for each in waiting]
        properties = [codec.properties(each, stream) for each in waiting]
        self.store.commit(
            [read(topic, body, more) for (topic, body), more in zip(bodies, properties, strict=True)]
        )
        self.outbox.acknowledge(stream, self.store.digests(*BOX, stream, 0, 1 << 60, 1000))

    def intended(self) -> list[str]:
        return self._then_on(list(self._names))

    def accepted(self) -> list[Row]:
        return self._then_on(list(self._rows))

    def waiting(self) -> set[Number]:
        return self._then_on(waiting_in(self.file))

    def committed(self) -> list[Row]:
        return self._then_on(self._receiver.committed())

    def _then_on(self, history: T) -> T:
        self.put(self._moves)
        self.deliver(2 * self._moves)
        return history


@pytest.fixture
def moving(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Moving]:
    with closing(Moving(tmp_path, 10, request.param)) as both:
        yield both


@pytest.mark.parametrize("moving", [0, 1, 3, 20], indirect=True)
def test_what_arrives_between_two_readings_is_neither_lost_nor_a_phantom(moving: Moving) -> None:
    while (found := judged(moving)).late:
        assert not (found.lost or found.phantom or found.doubled or found.conflicts or found.reordered)
        moving.deliver(4)
    assert found.clean
    assert found.accepted >= 10


@pytest.mark.parametrize("moving", [3], indirect=True)
def test_the_store_read_before_the_outbox_would_call_lost_what_is_on_its_way(moving: Moving) -> None:
    """Why the order matters: this is the other one, with nothing lost."""
    due = {row.number for row in moving.accepted() if row.number}
    committed = moving.committed()
    waiting = moving.waiting()

    found = judge(moving.intended(), moving.accepted(), committed, due, waiting)

    assert [seq for _, seq in found.lost] == [7, 8, 9, 10]


@pytest.mark.parametrize("moving", [0], indirect=True)
def test_what_the_box_forgot_without_a_commit_is_lost_and_what_still_waits_is_late(moving: Moving) -> None:
    moving.deliver(4)
    stream = moving.outbox.stream
    moving.outbox.acknowledge(stream, proofs(moving.file, (5, 6)))

    found = judged(moving)

    assert found.lost == ((stream, 5), (stream, 6))
    assert found.late == tuple((stream, seq) for seq in range(7, 11))
    assert (found.missing, found.clean) == (6, False)
