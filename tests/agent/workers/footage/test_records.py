"""agent.workers.footage.records: lines of the audit log, and links as messages."""

from __future__ import annotations

import json
from pathlib import Path

from agent.clock import Trust
from agent.commands.audit import Audit, verify
from agent.evidence.retention.deletion import DeletedRange, Deletion
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire.payloads import RecordingBody
from agent.workers.footage.keeper import NewestLink
from agent.workers.footage.records import note_deletion, tell_link
from tests.conftest import SteppedClock

DELETION = Deletion("age", (DeletedRange("north", 3, 8, 1_770_000_000.0, 1_770_000_060.0, 6, 1234),))


def test_a_deletion_is_a_line_of_the_chain(tmp_path: Path, clock: SteppedClock) -> None:
    audit = Audit(tmp_path / "audit.log")

    assert note_deletion(audit, DELETION, clock, Trust("ntp"))
    assert note_deletion(audit, DELETION, clock, Trust("floor"))

    first, second = map(json.loads, (tmp_path / "audit.log").read_text().splitlines())
    assert (first["footage"], first["why"], first["trusted"], second["trusted"]) == (
        "deleted",
        "age",
        True,
        False,
    )
    assert first["ranges"] == [
        {
            "camera": "north",
            "from": "2026-02-02T02:40:00.000Z",
            "to": "2026-02-02T02:41:00.000Z",
            "segments": [3, 8],
            "count": 6,
            "bytes": 1234,
        }
    ]
    assert verify(tmp_path / "audit.log") is None


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path, clock: SteppedClock) -> None:
    (tmp_path / "audit.log").mkdir()
    assert not note_deletion(Audit(tmp_path / "audit.log"), DELETION, clock, Trust("ntp"))


def test_a_link_lies_in_the_outbox_for_the_station(tmp_path: Path, clock: SteppedClock) -> None:
    outbox = Outbox(tmp_path / "outbox.db", OutboxSettings(ballast_bytes=1 << 20), clock)
    newest = NewestLink("north", 7, "ab" * 32, 1_770_000_000.0, 1_770_000_010.0, None, "hevc", 2560, 1440)

    assert tell_link(outbox, newest, "age1xyz", clock, Trust("ntp", 3))

    (stored,) = outbox.waiting(5, clock.now())
    message = stored.message
    assert message.topic == "camera/north/recording"
    body = RecordingBody.model_validate_json(message.body)
    assert (body.number, body.link_sha256, body.codec, body.recipient) == (7, "ab" * 32, "hevc", "age1xyz")
    assert body.frame is not None
    assert (body.frame.width_px, body.clock.state, body.oldest) == (2560, "ntp", None)
    outbox.close()
    assert not tell_link(outbox, newest, "age1xyz", clock, Trust("ntp"))
