"""benchmarks.province.traffic"""

from __future__ import annotations

import json
from hashlib import sha256

from benchmarks.province.traffic import commune_plan, seal_plan, uplink_plan
from station.ingest.inbound import MessageKind, read
from station.province.inbound import UpMessage, read_up
from station.uplink.settings import UP_ROOT

MOMENTS = [0.0, 0.4, 0.5, 2.0, 7.0]


def test_each_event_is_a_start_its_picture_and_an_end_that_a_station_can_read() -> None:
    plan = commune_plan(MOMENTS, 3)

    read_back = [read(each.topic, each.body, dict(each.user)) for each in plan]
    assert len(plan) == 3 * len(MOMENTS)
    assert [each.due_s for each in plan] == sorted(each.due_s for each in plan)
    assert all(each.problem is None for each in read_back)
    starts = [each for each in plan if each.timed]
    assert [each.due_s for each in starts] == MOMENTS
    pictures = {sha256(each.body).hexdigest() for each in plan if "/image/" in each.topic}
    assert pictures == {json.loads(each.body)["image"]["sha256"] for each in starts}
    assert len(pictures) == len(MOMENTS)


def test_the_numbers_of_each_box_have_no_gap() -> None:
    plan = commune_plan([each / 10 for each in range(60)], 4, boxes=3)

    for sender in range(3):
        seqs = [each.seq for each in plan if each.sender == sender]
        assert seqs == list(range(1, len(seqs) + 1))


def test_an_envelope_of_the_plan_is_one_that_a_worker_can_read_and_holds_what_it_says() -> None:
    for plan, items in ((uplink_plan(MOMENTS, 3, 4, 2), 2), (seal_plan(5, 20, 3, 4), 20)):
        for each in plan:
            message = read_up(each.topic, each.body, dict(each.user), root=UP_ROOT)
            assert isinstance(message, UpMessage) and message.envelope is not None, message.problem
            assert len(message.envelope.items) == each.items == items
            assert message.kind is MessageKind.UNKNOWN


def test_a_message_is_larger_on_the_link_than_its_bytes_and_not_by_much() -> None:
    for each in commune_plan(MOMENTS, 3):
        assert len(each.body) + 100 < each.size_bytes < 1.1 * len(each.body) + 400
