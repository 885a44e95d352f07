"""agent.workers.command_records"""

from __future__ import annotations

import json
from pathlib import Path

from agent.commands.audit import Audit, verify
from agent.commands.policy import KnownTime
from agent.core.types import Instant
from agent.wire import codec
from agent.workers.command_records import CommandRecords, ack_message
from tests.conftest import SteppedClock


def test_a_line_says_when_and_whether_that_is_sure_and_what_was_left_out_before_it(tmp_path: Path) -> None:
    clock = SteppedClock(Instant(12.0, 1_800_000_000.0))
    log = tmp_path / "audit.log"
    records = CommandRecords(Audit(log), clock, lambda: KnownTime(1_800_000_000.0, trusted=False), "boot-1")
    records.leave_out()
    records.leave_out()

    written = [records.write({"state": "refused"}), records.write({"state": "pause_over"})]
    assert [line.n for line in written if line] == [1, 2]
    first, second = map(json.loads, log.read_text().splitlines())
    assert (first["time"], first["trusted"], first["boot_id"], first["mono_ms"]) == (
        "2027-01-15T08:00:00.000Z", False, "boot-1", 12000,
    )  # fmt: skip
    assert (first["left_out"], "left_out" in second) == (2, False)
    assert verify(log) is None


def test_an_ack_goes_where_its_command_is_named() -> None:
    body = codec.ack("cmd-1", "done", Instant(0.0, 1e9), None)

    assert ack_message(body, "cmd-1", Instant(0.0, 1e9)).topic == "ack/cmd-1"
