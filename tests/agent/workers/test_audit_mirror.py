"""agent.workers.audit_mirror"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.commands.audit import Audit
from agent.core.types import Instant
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire import codec
from agent.wire.audit_log import AuditFault, AuditFinding, check, entry
from agent.wire.payloads import AuditBody
from agent.workers.audit_mirror import SENT, AuditMirror
from tests.conftest import SteppedClock


class Mirrored:
    """A log, its mirror, and what the station got."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "audit.log"
        self.clock = SteppedClock(Instant(100.0, 1_800_000_000.0))
        self.outbox = Outbox(folder / "outbox.db", OutboxSettings(ballast_bytes=0), self.clock)
        self.audit = Audit(self.path)
        self.begin()

    def begin(self) -> None:
        self.mirror = AuditMirror(self.path, self.outbox, self.clock)

    def write(self, count: int, **more: str) -> None:
        for _ in range(count):
            assert self.audit.write({"verb": "look", **more}) is not None

    def sent(self) -> list[str]:
        waiting = sorted(self.outbox.waiting(1000, self.clock.now()), key=lambda each: each.seq)
        bodies = [each.message.body for each in waiting if each.message.topic == "audit"]
        return [line for body in bodies for line in codec.parse(AuditBody, body).lines]

    def findings(self) -> list[AuditFinding]:
        return check([entry(text) for text in self.sent()])


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Mirrored]:
    box = Mirrored(tmp_path)
    yield box
    box.outbox.close()


def test_every_line_is_sent_once_over_restarts_and_whoever_wrote_it(box: Mirrored) -> None:
    box.mirror.tick()
    assert box.sent() == []
    box.write(3)
    box.mirror.tick()
    box.mirror.tick()
    Audit(box.path).write({"verb": "record"})
    box.begin()
    box.mirror.tick()

    assert box.sent() == box.path.read_text().splitlines()
    assert box.findings() == []


def test_many_lines_go_in_messages_of_a_bounded_size(box: Mirrored) -> None:
    box.write(300, purpose="x" * 400)
    box.mirror.tick()

    assert box.sent() == box.path.read_text().splitlines()
    assert all(len(each.message.body) < 40_000 for each in box.outbox.waiting(1000, box.clock.now()))


def test_where_it_is_not_known_what_was_sent_all_is_sent_again_and_nothing_is_wrong(box: Mirrored) -> None:
    box.write(3)
    box.mirror.tick()
    box.path.with_name(SENT).write_text("no json")
    box.begin()
    box.mirror.tick()

    assert len(box.sent()) == 6
    assert box.findings() == []


def test_a_log_that_was_written_anew_is_told_and_sent_so_that_the_station_finds_it(box: Mirrored) -> None:
    box.write(5)
    box.mirror.tick()
    old = box.path.read_bytes().splitlines(keepends=True)
    box.path.write_bytes(b"".join(old[:2]))
    forger = Audit(box.path)
    for _ in range(4):
        forger.write({"verb": "ping"})
    with capture_logs() as lines:
        box.mirror.tick()
    assert [line["event"] for line in lines] == ["audit_log_replaced"]

    assert AuditFinding(AuditFault.REWRITTEN, 3, 3) in box.findings()


@pytest.mark.parametrize("left", [0, 2])
def test_a_log_that_was_cut_off_or_deleted_is_told(box: Mirrored, left: int) -> None:
    box.write(5)
    box.mirror.tick()
    box.path.write_bytes(b"".join(box.path.read_bytes().splitlines(keepends=True)[:left]))
    Audit(box.path).write({"verb": "ping"})
    with capture_logs() as lines:
        box.mirror.tick()

    assert [line["event"] for line in lines] == ["audit_log_replaced"]
    wanted = AuditFinding(AuditFault.ANEW, 1, 1) if left == 0 else AuditFinding(AuditFault.REWRITTEN, 3, 3)
    assert box.findings() == [wanted]


def test_a_disk_that_takes_nothing_is_asked_again(box: Mirrored, monkeypatch: pytest.MonkeyPatch) -> None:
    box.write(2)
    box.mirror.tick()
    box.write(2)
    with monkeypatch.context() as patch:
        patch.setattr("agent.workers.audit_mirror.lines_after", _fails)
        box.mirror.tick()
    box.mirror.tick()

    assert box.sent() == box.path.read_text().splitlines()


def _fails(_path: Path, _n: int) -> Iterator[object]:
    raise OSError(5, "Input/output error")
