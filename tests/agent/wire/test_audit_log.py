"""agent.wire.audit_log"""

from __future__ import annotations

import json
import time
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.wire.audit_log import FIRST, AuditEntry, AuditFault, AuditFinding, check, entry


def log_of(count: int, *, prev: str = FIRST, n: int = 1, **more: Any) -> list[AuditEntry]:
    """So many lines, each following on the last."""
    lines = []
    for number in range(n, n + count):
        text = json.dumps({"n": number, "prev": prev, "verb": "look", "id": f"id-{number}", **more})
        lines.append(entry(text))
        prev = lines[-1].sha256
    return lines


def acks(lines: list[AuditEntry]) -> list[tuple[int, str]]:
    return [(line.n, line.sha256) for line in lines]


def test_a_log_as_it_was_written_has_no_fault_also_where_lines_come_twice_or_it_begins_in_the_middle() -> None:
    lines = log_of(20)

    assert check(lines, acks(lines)) == []
    assert check([*lines, *lines[5:]], acks(lines)) == []
    assert check(lines[7:], acks(lines)) == [], "what was before is not on this station"
    assert check(lines[:15], acks(lines)) == [], "the newest may be on its way"
    assert check([], acks(lines)) == []


@given(st.integers(2, 30), st.data())
def test_any_line_that_is_taken_out_is_missed(count: int, data: st.DataObject) -> None:
    lines = log_of(count + 2)
    first = data.draw(st.integers(2, count))
    last = data.draw(st.integers(first, count))
    left = [line for line in lines if not first <= line.n <= last]

    assert AuditFinding(AuditFault.MISSING, first, last) in check(left)


@given(st.integers(3, 30), st.data())
def test_a_log_that_was_written_anew_from_some_line_on_is_found_there(count: int, data: st.DataObject) -> None:
    """Who has the box can make a chain that is whole in itself; the station knows the old one."""
    lines = log_of(count)
    at = data.draw(st.integers(2, count - 1))
    forged = log_of(count - at + 2, prev=lines[at - 2].sha256, n=at, officer="somebody else")

    assert AuditFinding(AuditFault.REWRITTEN, at, at) in check([*lines, *forged])
    assert AuditFinding(AuditFault.REWRITTEN, at, at) in check([*lines[: at - 1], *forged], acks(lines))
    found = check([*lines, *forged[-1:]])
    assert found == [AuditFinding(AuditFault.REWRITTEN, count, count)], "where only what is new is sent"


def test_a_log_that_begins_again_is_told_and_its_lines_accuse_nobody() -> None:
    before, after = log_of(5), log_of(8, card="new")

    assert check([*before, *after], acks(before)) == [AuditFinding(AuditFault.ANEW, 1, 1)]


def test_an_ack_without_its_line_is_missed_once_later_lines_are_there() -> None:
    lines = log_of(5)
    alien = [(3, sha256(b"another").hexdigest())]

    assert check(lines, alien) == [AuditFinding(AuditFault.REWRITTEN, 3, 3)]
    assert check([lines[0], lines[1], *log_of(2, prev="ab" * 32, n=5)], acks(lines)[2:3]) == [
        AuditFinding(AuditFault.MISSING, 3, 3), AuditFinding(AuditFault.MISSING, 3, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "n", ["Infinity", "-Infinity", "NaN", "1e9", "1.5", "true", "0", "-1", "9007199254740992"]
)
def test_a_line_whose_number_is_none_is_no_line(n: str) -> None:
    """It ended the audit of all boxes."""
    with pytest.raises(WireError, match="no line of an audit log"):
        entry(f'{{"n": {n}, "prev": ""}}')


def test_a_log_that_is_all_holes_is_read_in_the_time_of_its_length() -> None:
    """A box that sends every other line only; each was held against all before it."""
    lines = log_of(40_000)[::2]
    began_s = time.process_time()

    found = check(lines)

    assert len(found) == len(lines) - 1
    assert {(each.fault, each.last - each.first) for each in found} == {(AuditFault.MISSING, 0)}
    assert time.process_time() - began_s < 3


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"n": "x", "prev": ""}', "[" * 5000, '{"n": 1}'])
def test_what_is_no_line_is_an_error_in_words(text: str) -> None:
    with pytest.raises(WireError, match="no line of an audit log"):
        entry(text)


def test_a_line_says_who_and_what_in_words_that_steer_nothing() -> None:
    args = {"officer": "Lan\x1b[31m", "camera": "north", "seconds": 3}
    (line,) = log_of(1, issuer="station", args=args)

    assert (line.who, line.word("camera"), line.word("seconds")) == ("Lan\ufffd[31m", "north", "3")
    assert (line.word("purpose"), line.action) == ("", ("look", "id-1"))
    (plain,) = log_of(1, issuer="station", args=None)
    assert plain.who == "station"
