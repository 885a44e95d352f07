"""agent.cli.audit_words"""

from __future__ import annotations

from typing import Any

from agent.cli.audit_words import cells, last_lines
from agent.wire.audit_log import AuditEntry
from tests.agent.wire.test_audit_log import log_of


def lines(*fields: dict[str, Any]) -> list[AuditEntry]:
    return [log_of(1, n=number, **each)[0] for number, each in enumerate(fields, 1)]


def test_an_action_is_shown_once_as_it_ended() -> None:
    found = lines(
        {"verb": "look", "id": "a", "state": "accepted"}, {"verb": "ping", "id": "b", "state": "done"},
        {"verb": "look", "id": "a", "state": "done"}, {"verb": "record", "id": "c", "state": "begun"},
        {"verb": "look", "id": "a", "state": "repeated"},
    )  # fmt: skip

    assert [line.n for line in last_lines(found)] == [3, 4]
    assert [line.n for line in last_lines(found, every=True)] == [2, 3, 4]


def test_a_row_says_who_what_of_which_camera_and_what_for() -> None:
    args = {"camera": "north", "officer": "Lan", "purpose": "case 12"}
    (line,) = lines({"verb": "look", "id": "a", "state": "failed", "detail": "no picture", "args": args})

    assert cells(line)[1:] == ("Lan", "look", "north", "case 12", "failed: no picture")
    (odd,) = lines({"verb": "look", "time": "tomorrow", "state": "of a newer version"})
    assert (cells(odd)[0], cells(odd)[5]) == ("tomorrow", "of a newer version")
