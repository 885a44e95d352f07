"""agent.workers.pauses"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import Trust
from agent.core.types import Instant
from tests.support.commanded_box import (
    NOW_S,
    CommandedBox,
    at_work,
    hours_on,
    until_true,
)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[CommandedBox]:
    box = CommandedBox(tmp_path)
    yield box
    box.close()


def test_a_pause_begins_survives_a_restart_and_ends_by_itself(box: CommandedBox) -> None:
    box.command("set", camera="north", rule="stop-line", action="pause", until=hours_on(1))
    box.work()
    assert [(pause.camera, pause.rule) for pause in box.hands.halted] == [("north", "stop-line")]
    box.hands.halted = []
    box.begin()
    box.work()
    assert [pause.rule for pause in box.hands.halted] == ["stop-line"]
    box.machine.advance(3600)
    box.work()

    assert box.hands.halted == []
    assert box.journal.pauses() == []
    assert box.audit()[-1]["state"] == "pause_over"


def test_resume_ends_a_pause(box: CommandedBox) -> None:
    box.command("set", camera="north", action="pause", until=hours_on(1))
    box.work()
    assert box.hands.halted
    name = box.command("set", camera="north", action="resume")
    box.work()

    assert box.hands.halted == []
    assert box.acks(name)[0].state == "done"


def test_after_a_power_cut_a_pause_waits_for_a_clock_that_can_be_trusted(box: CommandedBox) -> None:
    box.command("set", camera="north", action="pause", until=hours_on(5))
    box.work()
    box.boot, box.kept = "boot-2", Trust("unknown")
    box.hands.halted = []
    box.machine.moment = Instant(20.0, 0.0)
    box.begin()
    box.work()
    assert box.hands.halted == []  # nobody knows whether it is over, so the camera is watched
    box.kept = Trust("ntp", 5)
    box.machine.moment = Instant(40.0, NOW_S + 3600)
    box.work()

    assert [pause.camera for pause in box.hands.halted] == ["north"]


def test_a_pause_ends_in_time_though_nothing_else_happens(
    box: CommandedBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.workers.commands.QUIET_S", 3600.0)
    with at_work(box):
        name = box.command("set", camera="north", action="pause", until=hours_on(1))
        until_true(lambda: box.acks(name))
        assert box.hands.halted
        box.machine.advance(3700)
        until_true(lambda: not box.hands.halted)
