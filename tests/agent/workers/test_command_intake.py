"""agent.workers.command_intake"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.clock import BUILT_S, Trust
from agent.commands.audit import verify
from agent.workers.command_intake import REFUSALS
from tests.agent.commands.test_policy import payloads
from tests.support.commanded_box import (
    KEY,
    TOPICS,
    CommandedBox,
    hours_on,
)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[CommandedBox]:
    box = CommandedBox(tmp_path)
    yield box
    box.close()


def test_what_is_signed_for_one_life_is_done_by_no_other_whatever_became_of_the_journal(
    box: CommandedBox,
) -> None:
    box.begin(KEY.public_key())
    done = box.signed("order-1", verb="snapshot", camera="north")
    box.work()
    box.journal.close()
    (box.folder / "commands.db").unlink()
    box.begin(KEY.public_key())
    box.hear(TOPICS.below("command/snapshot"), done)
    box.signed("order-2", session=None)
    box.signed("order-3")
    box.work()

    assert box.hands.did == ["picture north"]
    assert [ack.state for ack in box.acks("order-1")] == ["done", "refused"]
    assert "another session" in (box.acks("order-1")[1].detail or "")
    assert "names no session" in (box.acks("order-2")[0].detail or "")
    assert [ack.state for ack in box.acks("order-3")] == ["done"]


def test_a_signed_order_that_was_done_is_answered_again_in_a_later_life(box: CommandedBox) -> None:
    box.begin(KEY.public_key())
    body = box.signed("order-1")
    box.work()
    box.begin(KEY.public_key())
    box.hear(TOPICS.below("command/ping"), body)

    assert [ack.state for ack in box.acks("order-1")] == ["done", "done"]
    assert box.acks("order-1")[1].detail == "repeated: not done again"


def test_an_unsigned_order_that_names_a_session_is_for_that_one_only(box: CommandedBox) -> None:
    box.signed("order-1", session="session-0")
    box.signed("order-2")
    box.work()

    assert [ack.state for ack in (*box.acks("order-1"), *box.acks("order-2"))] == ["refused", "done"]


def test_the_same_command_again_is_acknowledged_again_and_not_done_again(box: CommandedBox) -> None:
    name = box.command("snapshot", "once", camera="north")
    box.command("snapshot", "once", camera="north")  # before it is done: nothing to say yet
    box.work()
    assert len(box.acks(name)) == 1
    box.machine.advance(3600)  # the life of the command is over, but not its ack
    box.command("snapshot", "once", camera="north")
    box.work()

    assert box.hands.did == ["picture north"]
    assert [(ack.state, ack.detail) for ack in box.acks(name)] == [
        ("done", None),
        ("done", "repeated: not done again"),
    ]


def test_another_command_under_the_same_id_is_refused(box: CommandedBox) -> None:
    box.command("ping", "mine")
    box.command("restart", "mine")
    box.work()

    assert box.hands.did == []
    assert sorted(ack.state for ack in box.acks("mine")) == ["done", "refused"]


def test_an_untrusted_clock_lets_nothing_expire_but_what_ended_before_the_floor(box: CommandedBox) -> None:
    box.kept = Trust("unknown")
    box.machine.step_wall(20 * 365 * 86400)
    new = box.command("ping")
    old = box.command("ping", issued_s=BUILT_S - 86400)
    box.work()

    assert [ack.state for ack in box.acks(new)] == ["done"]
    assert [ack.state for ack in box.acks(old)] == ["refused"]


def test_a_journal_that_cannot_be_written_means_not_done_and_the_station_hears_so(box: CommandedBox) -> None:
    with box.journal_refusing("insert"):
        name = box.command("restart")
    box.work()

    assert box.hands.did == []
    (ack,) = box.acks(name)
    assert ack.state == "refused"
    assert "it cannot be noted, so it is not done" in (ack.detail or "")


def test_a_flood_of_refusals_is_counted_and_neither_acknowledged_nor_written(box: CommandedBox) -> None:
    for _ in range(REFUSALS + 40):
        box.hear(TOPICS.below("command/ping"), b"{}")
    box.machine.advance(61)
    box.hear(TOPICS.below("command/ping"), b"{}")

    assert len(box.audit()) == REFUSALS + 1
    assert box.audit()[-1]["left_out"] == 40
    assert len(box.acked) == REFUSALS + 41
    assert verify(box.folder / "audit.log") is None


def test_an_order_that_cannot_be_read_is_refused_under_its_id_and_says_what_is_wrong(box: CommandedBox) -> None:
    box.hear(TOPICS.below("command/restart"), b'{"id": "by-hand", "issued_at": "now", "issuer": "x"}')
    box.hear(TOPICS.below("command/restart"), b'{"id": "../by/hand"}')
    box.work()

    (ack,) = box.acks("by-hand")
    assert (ack.state, box.hands.did) == ("refused", [])
    assert (ack.detail or "").startswith("malformed: CommandPayload: issued_at: ")
    assert "expires_at: is missing" in (ack.detail or "")
    assert [line["state"] for line in box.audit()] == ["refused", "refused"]
    assert [line["id"] for line in box.audit()] == ["by-hand", None]


def test_no_more_malformed_orders_are_answered_than_other_refusals(box: CommandedBox) -> None:
    for number in range(REFUSALS + 5):
        box.hear(TOPICS.below("command/ping"), json.dumps({"id": f"m-{number}"}).encode())

    answered = [number for number in range(REFUSALS + 5) if box.acks(f"m-{number}")]
    assert answered == list(range(REFUSALS))


def test_retained_commands_are_refused_and_audited(box: CommandedBox) -> None:
    message = {"id": "old", "issued_at": hours_on(0), "expires_at": hours_on(1), "issuer": "x"}
    box.hear(TOPICS.below("command/restart"), json.dumps(message).encode(), retained=True)
    box.work()

    assert box.acks("old")[0].state == "refused"
    assert box.audit()[-1]["detail"] == "retained: publish commands without retain"
    assert box.hands.did == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(payloads(), st.sampled_from(["ping", "set", "snapshot", "restart", "x"]), st.booleans()))
)
def test_nothing_that_a_broker_can_bring_raises_or_has_an_effect_beyond_its_command(
    box: CommandedBox, messages: list[tuple[bytes, str, bool]]
) -> None:
    before = len(box.acked)
    for payload, verb, retained in messages:
        box.machine.advance(1)
        box.hear(TOPICS.below(f"command/{verb}"), payload, retained)
    box.work()

    assert len(box.acked) - before == len(messages)
    allowed = {line["verb"] for line in box.audit() if line["state"] == "begun"} if box.acked else set()
    assert "leave" not in box.hands.did or "restart" in allowed
