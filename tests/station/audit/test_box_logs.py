"""station.audit.box_logs"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from agent.wire import codec
from agent.wire.audit_log import AuditEntry, AuditFault, AuditFinding
from agent.wire.payloads import AuditBody
from station.audit.box_logs import BoxLog, finding_line, logs
from station.ingest.inbound import InboundMessage
from tests.agent.wire.test_audit_log import log_of
from tests.station.store.test_store import bytes_by
from tests.support.stores import Place

PLACE = {"stream": "s-1", "published_at": "2026-03-02T11:00:00Z"}


def lines_message(seq: int, lines: Sequence[AuditEntry]) -> InboundMessage:
    body = json.loads(codec.encode(AuditBody(lines=tuple(line.text for line in lines))))
    return bytes_by("audit", json.dumps({**PLACE, "seq": seq, **body}).encode())


def ack_message(seq: int, line: AuditEntry, digest: str = "") -> InboundMessage:
    result = {"audit": line.n, "audit_sha256": digest or line.sha256}
    body = {
        **PLACE,
        "seq": seq,
        "id": f"c-{seq}",
        "state": "done",
        "time": PLACE["published_at"],
        "result": result,
    }
    return bytes_by(f"ack/c-{seq}", json.dumps(body).encode())


def found(place: Place) -> BoxLog:
    (log,) = logs(place.engine)
    assert log.box == "hai-ninh/north-01"
    return log


@pytest.mark.long
def test_the_log_of_a_box_is_read_as_it_came_and_nothing_is_wrong(place: Place) -> None:
    lines = log_of(6)
    with closing(place.open()) as store:
        store.commit([lines_message(1, lines[:2]), ack_message(2, lines[1]), ack_message(3, lines[3])])
        store.commit([lines_message(4, lines[2:]), lines_message(5, lines[4:])])

        log = found(place)
        assert [line.text for line in log.entries] == [line.text for line in lines]
        assert log.findings == ()
        assert list(logs(place.engine, ["another"])) == []


@pytest.mark.long
def test_a_line_that_is_missing_and_one_that_was_rewritten_are_told(place: Place) -> None:
    lines = log_of(6)
    forged = log_of(3, prev=lines[3].sha256, n=5, officer="somebody else")
    with closing(place.open()) as store:
        store.commit(
            [lines_message(1, lines[:1]), lines_message(2, lines[2:]), ack_message(3, lines[3], "ab" * 32)]
        )
        store.commit([lines_message(4, forged)])

        assert set(found(place).findings) == {
            AuditFinding(AuditFault.MISSING, 2, 2),
            AuditFinding(AuditFault.REWRITTEN, 4, 4),
            AuditFinding(AuditFault.REWRITTEN, 5, 5),
        }


def test_a_line_whose_number_is_none_is_passed_over_and_missed(place: Place) -> None:
    """A line of one box, and `ngatu station audit` ended for all."""
    lines = log_of(4)
    endless = replace(lines[2], text=lines[2].text.replace('"n": 3', '"n": Infinity'))
    with closing(place.open()) as store:
        store.commit([lines_message(1, [*lines[:2], endless, lines[3]])])

        assert found(place).findings == (AuditFinding(AuditFault.MISSING, 3, 3),)


def test_what_is_wrong_is_said_in_a_line() -> None:
    assert finding_line("c/b", AuditFinding(AuditFault.MISSING, 2, 4)) == "c/b audit log: missing: 2-4"
    assert finding_line("c/b", AuditFinding(AuditFault.REWRITTEN, 7, 7)) == "c/b audit log: not what it was: 7"
    assert "began again at line 1" in finding_line("c/b", AuditFinding(AuditFault.ANEW, 1, 1))
