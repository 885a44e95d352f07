"""agent.workers.commands"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.outbox.outbox import Outbox, OutboxSettings
from agent.publishing.jpeg import Jpeg
from agent.wire import codec
from tests.support.commanded_box import (
    KEY,
    CommandedBox,
    Died,
    at_work,
    beat,
    hours_on,
    until_true,
)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[CommandedBox]:
    box = CommandedBox(tmp_path)
    yield box
    box.close()


def test_the_broker_hears_once_it_is_on_disk_and_the_station_once_it_is_done(box: CommandedBox) -> None:
    name = box.command("ping")
    assert len(box.acked) == 1
    assert box.acks() == []
    box.work()

    (ack,) = box.acks(name)
    assert (ack.id, ack.state, ack.detail) == (name, "done", None)
    second = (box.folder / "audit.log").read_bytes().splitlines()[1]
    assert ack.result == {"audit": 2, "audit_sha256": sha256(second).hexdigest()}
    assert [line["state"] for line in box.audit()] == ["accepted", "done"]
    assert box.audit()[0]["issuer"] == "duty officer"


def test_a_signed_order_that_a_life_left_undone_is_told_undone_for_a_copy_of_the_card_has_it_too(
    box: CommandedBox,
) -> None:
    box.begin(KEY.public_key())
    box.signed("order-1", verb="snapshot", camera="north")
    box.begin(KEY.public_key())
    box.work()

    assert box.hands.did == []
    (ack,) = box.acks("order-1")
    assert (ack.state, (ack.detail or "")[:8]) == ("failed", "not done")


@pytest.mark.parametrize("verb", ["restart", "reload"])
def test_a_restart_is_acknowledged_by_the_next_life_and_done_once(box: CommandedBox, verb: str) -> None:
    name = box.command(verb)
    later = box.command("ping")
    box.work()
    assert box.hands.did[-1] == "leave"
    assert box.acks() == []
    box.begin()
    box.work()
    box.begin()
    box.work()

    assert box.hands.did.count("leave") == 1
    assert [ack.state for ack in box.acks(name)] == ["done"]
    assert [ack.state for ack in box.acks(later)] == ["done"]


def test_a_wrong_file_is_refused_before_anything_is_stopped(box: CommandedBox) -> None:
    box.hands.wrong = "north.yaml:14: cameras[0].motion.treshold: no such setting"
    name = box.command("reload")
    box.work()

    (ack,) = box.acks(name)
    assert (ack.state, ack.detail) == ("failed", box.hands.wrong)
    assert box.hands.did == []


def test_a_file_that_no_agent_can_start_with_is_told_by_the_life_that_went_back(box: CommandedBox) -> None:
    name = box.command("reload")
    box.work()
    box.hands.wrong = "the last good configuration is kept: no such model"
    box.begin()
    box.work()

    (ack,) = box.acks(name)
    assert (ack.state, ack.detail) == ("failed", box.hands.wrong)


MOMENTS = ["before picture north", "after picture north", "put", "stored", "end", "begin"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_life_that_ends_at_any_moment_leaves_a_command_that_is_done_once(
    box: CommandedBox, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = box.command("snapshot", camera="north")
    box.hands.dies = moment
    with monkeypatch.context() as patch:
        if moment in ("stored", "end", "begin"):
            real = getattr(box.journal, moment)

            def after(*given: Any, **more: Any) -> None:
                real(*given, **more)
                raise Died

            patch.setattr(box.journal, moment, after)
        if moment == "put":
            patch.setattr(box.outbox, "put", lambda _messages: (_ for _ in ()).throw(Died))
        with pytest.raises(Died):
            box.work()
    box.hands.dies = None
    for _ in range(3):
        box.begin()
        box.work()

    assert box.journal.find(name) is not None
    assert {ack.state for ack in box.acks(name)} == {"done"}
    pictures = [each.message for each in box.sent() if each.message.content_type == codec.JPEG]
    assert len(pictures) == 1
    assert len(box.acks(name)) == 1


def test_what_expired_while_it_waited_is_refused(box: CommandedBox) -> None:
    name = box.command("ping", life_s=5)
    box.machine.advance(5)
    box.begin()
    box.work()

    assert [(ack.state, ack.detail) for ack in box.acks(name)] == [("refused", "expired")]


def test_a_journal_that_fails_under_way_is_told_once_and_the_command_is_done_when_it_works_again(
    box: CommandedBox,
) -> None:
    name = box.command("snapshot", camera="north")
    thread = threading.Thread(target=box.worker.run, args=(box.stop, beat))
    with capture_logs() as lines:
        with box.journal_refusing("update"):
            thread.start()
            until_true(lambda: any(line["event"] == "lost" for line in lines))
        until_true(lambda: box.acks(name))
        box.stop.set()
        thread.join(5)

    assert [line["event"] for line in lines if line.get("part") == "commands"] == ["lost", "back"]
    assert box.hands.did == ["picture north"]


def test_acks_that_the_outbox_would_not_take_are_put_in_the_next_life(box: CommandedBox) -> None:
    name = box.command("ping")
    box.outbox.close()
    box.work()
    box.outbox = Outbox(box.folder / "outbox.db", OutboxSettings(ballast_bytes=0), box.machine)
    box.begin()
    box.work()

    assert [ack.state for ack in box.acks(name)] == ["done"]


def test_a_mistake_in_the_program_fails_one_command_and_not_the_next(box: CommandedBox) -> None:
    def broken(*_given: object) -> Jpeg:
        raise ZeroDivisionError

    box.hands.picture = broken  # type: ignore[method-assign]
    first, second = box.command("snapshot", camera="north"), box.command("ping")
    box.work()

    assert "ZeroDivisionError" in (box.acks(first)[0].detail or "")
    assert box.acks(second)[0].state == "done"


def test_the_thread_does_what_comes_and_ends_when_told(box: CommandedBox) -> None:
    with at_work(box) as (thread, beats):
        name = box.command("ping")
        until_true(lambda: box.acks(name))

    assert not thread.is_alive()
    assert box.acks(name)[0].state == "done"
    assert beats


def test_while_nothing_is_commanded_the_journal_is_not_asked(
    box: CommandedBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.command("set", camera="north", action="pause", until=hours_on(1))
    box.work()
    box.machine.advance(3700)
    box.work()  # it is over
    box.work()  # and gone
    monkeypatch.setattr("agent.workers.commands.QUIET_S", 0.05)
    asked: list[str] = []
    for question in ("acks", "pauses", "unended"):
        monkeypatch.setattr(box.journal, question, lambda question=question: asked.append(question) or [])
    with at_work(box) as (_, beats):
        until_true(lambda: len(beats) > 3)

    assert box.hands.halted == []
    assert asked == ["unended"], "once at the start"


def test_a_thread_that_waits_for_commands_ends_at_once_when_told(
    box: CommandedBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.workers.commands.QUIET_S", 3600.0)
    with at_work(box) as (thread, _):
        pass

    assert not thread.is_alive()


def test_a_snapshot_is_on_the_disk_of_the_journal_no_more_once_the_outbox_has_it(box: CommandedBox) -> None:
    box.command("snapshot", camera="north")
    box.work()

    files = [path for path in box.folder.iterdir() if path.name.startswith("commands.db")]
    assert files
    assert not [path.name for path in files if b" a picture" in path.read_bytes()]


def look(box: CommandedBox, **more: Any) -> str:
    return box.command("look", camera="north", seconds=20, officer="Lan", purpose="case 12", **more)


def test_a_look_lasts_beside_the_other_commands_and_is_acknowledged_at_its_end(box: CommandedBox) -> None:
    name = look(box)
    ping = box.command("ping")
    with at_work(box):
        until_true(lambda: box.acks(ping))
        assert (box.hands.did, box.acks(name)) == (["look north"], [])
        box.hands.looks_end = True
        until_true(lambda: box.acks(name))

    (ack,) = box.acks(name)
    assert (ack.state, ack.result["sent"], ack.result["dropped"]) == ("done", 3, 1)
    lines = [line for line in box.audit() if line["id"] == name]
    assert [line["state"] for line in lines] == ["accepted", "begun", "done"]
    assert (lines[0]["args"]["officer"], lines[0]["args"]["purpose"]) == ("Lan", "case 12")
    assert lines[-1]["result"]["pictures_sha256"] == "ef" * 32


def test_a_look_ends_with_the_agent_and_is_not_begun_again_by_the_next_life(box: CommandedBox) -> None:
    ended = look(box)
    with at_work(box):
        until_true(lambda: box.hands.did)
    assert [ack.state for ack in box.acks(ended)] == ["done"]

    box.begin()
    cut_off = look(box)
    box.work()
    box.begin()
    box.work()

    (ack,) = box.acks(cut_off)
    assert (ack.state, (ack.detail or "")[:7]) == ("failed", "cut off")
    assert box.hands.did == ["look north"] * 2
