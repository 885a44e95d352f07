"""station.shift.shift"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from station.access.audit_entry import Actor, AuditVerb
from station.access.audit_log import AuditLog
from station.footage.folder import FOOTAGE, FootageFolder, FootageRequest
from station.shift.shift import MOST_NUMBERS, USUAL_LINES, Shift, read_shift
from station.shift.times import ShiftRange
from tests.support.duty_store import (
    MINUTE_MS,
    add_alarm,
    add_box,
    add_count,
    add_gap,
)

BEGAN = datetime(2026, 11, 26, 23, 0, tzinfo=UTC)
RANGE = ShiftRange(BEGAN, BEGAN + timedelta(hours=8))
AT = RANGE.start_ms
HOUR_MS = 60 * MINUTE_MS


def shift(store: Engine, folder: Path) -> Shift:
    return read_shift(store, FootageFolder(folder / FOOTAGE), RANGE)


def test_a_quiet_shift_says_nothing(store: Engine, tmp_path: Path) -> None:
    found = shift(store, tmp_path)

    assert (found.alerts.listed, found.alerts.number, found.events) == ((), 0, 0)
    assert not (
        found.outages or found.requests or found.counts or found.missing or found.alarms or found.people
    )


def test_counts_are_summed_and_say_how_much_was_counted(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        for number in range(16):
            start_ms = AT + number * 15 * MINUTE_MS
            add_count(connection, 1, number, start_ms, {"car": {"in": 2, "out": 1}, "bus": {"in": number % 2}})
        add_count(connection, 1, 99, AT + 8 * HOUR_MS, {"car": {"in": 1000}})

    (line,) = shift(store, tmp_path).counts

    assert line.numbers == {("car", "in"): 32, ("car", "out"): 16, ("bus", "in"): 8}
    assert (line.total, line.counted_ms) == (56, 4 * HOUR_MS)
    assert (line.box, line.camera, line.rule) == ("Ngã tư Hải Ninh", "Hướng Bắc", "vach-dung")


def test_a_line_is_called_by_its_title(store: Engine, tmp_path: Path) -> None:
    rules = [{"id": "vach-dung", "kind": "line", "name": "Vạch dừng"}]
    info = {"cameras": [{"id": "north", "name": "Hướng Bắc", "rules": rules}]}
    with store.begin() as connection:
        titled = add_box(connection, "hai-ninh", "titled-02", info)
        add_count(connection, titled, 1, AT, {"car": {"in": 2}})

    assert [line.rule for line in shift(store, tmp_path).counts] == ["Vạch dừng"]


def test_of_a_box_that_counts_without_end_only_so_much_is_summed_and_other_boxes_are_whole(
    store: Engine, tmp_path: Path
) -> None:
    """A store may be older than the bound of an interval."""
    endless = {f"kind-{at}": {"in": 1} for at in range(5_000)}
    sent = MOST_NUMBERS // len(endless) + 20
    with store.begin() as connection:
        hostile = add_box(connection, "hai-ninh", "hostile-01")
        for number in range(sent):
            add_count(connection, hostile, number, AT + number * 1_000, endless)
        for number in range(16):
            add_count(connection, 1, number, AT + (4 * 60 + number * 15) * MINUTE_MS, {"car": {"in": 2}})

    honest, hostile_line = sorted(shift(store, tmp_path).counts, key=lambda line: line.total)

    assert (honest.total, honest.counted_ms) == (32, 4 * HOUR_MS)
    assert hostile_line.total == MOST_NUMBERS
    assert hostile_line.counted_ms == (sent - 20) * 15 * MINUTE_MS


def test_a_box_that_sends_intervals_without_end_does_not_take_the_place_of_those_of_others(
    store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.shift.shift.MOST_INTERVALS", 20)
    with store.begin() as connection:
        hostile = add_box(connection, "hai-ninh", "hostile-01")
        for number in range(100):
            add_count(connection, hostile, number, AT + number * 1_000, {})
        for number in range(16):
            add_count(connection, 1, number, AT + (4 * 60 + number * 15) * MINUTE_MS, {"car": {"in": 2}})

    counts = {line.total: line.counted_ms for line in shift(store, tmp_path).counts}

    assert counts == {32: 4 * HOUR_MS, 0: 20 * 15 * MINUTE_MS}


def test_a_box_that_invents_lines_does_not_stand_before_the_lines_of_others(
    store: Engine, tmp_path: Path
) -> None:
    with store.begin() as connection:
        hostile = add_box(connection, "hai-ninh", "a-01", {"location": {"description": "0 A"}})
        for number in range(USUAL_LINES + 1):
            add_count(connection, hostile, number, AT, {"car": {"in": 1}}, rule=f"line-{number:02}")
        add_count(connection, 1, 1, AT, {"car": {"in": 2}})

    counts = shift(store, tmp_path).counts

    assert (counts[0].rule, counts[1].rule, counts[-1].rule) == ("vach-dung", "line-00", f"line-{USUAL_LINES}")
    assert counts[1].box < counts[0].box, "by its name it would be the first"


def test_missing_numbers_that_a_hostile_box_made_large_leave_the_shift_as_it_is(
    store: Engine, tmp_path: Path
) -> None:
    """Their sum leaves 64 bits, at which SQLite ends a query."""
    with store.begin() as connection:
        for number in range(1_100):
            add_gap(connection, 1, "open", 2**53 - 2, AT + number)

    (missing,) = shift(store, tmp_path).missing

    assert missing.gaps == 1_100
    assert missing.missing == pytest.approx(1_100 * 2**53)


def test_missing_messages_and_alarms_are_those_of_the_shift(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        add_gap(connection, 1, "gone", 3, AT + HOUR_MS)
        add_gap(connection, 1, "open", 2, AT - 50 * HOUR_MS)
        add_gap(connection, 1, "filled", 0, AT + HOUR_MS)
        add_gap(connection, 1, "gone", 7, AT - HOUR_MS)
        add_alarm(connection, None, "backup_due", AT - HOUR_MS, None)
        add_alarm(connection, 1, "quota", AT - 2 * HOUR_MS, AT - HOUR_MS)
        add_alarm(connection, 1, "second_holder", AT - 2 * HOUR_MS, AT + HOUR_MS)

    found = shift(store, tmp_path)

    assert [(each.state, each.missing, each.gaps) for each in found.missing] == [
        ("filled", 5, 1), ("gone", 3, 1), ("open", 2, 1),
    ]  # fmt: skip
    assert [(each.kind, each.box) for each in found.alarms] == [
        ("second_holder", "Ngã tư Hải Ninh"), ("backup_due", ""),
    ]  # fmt: skip
    assert found.alarms[0].meaning == "two boxes speak with one identity: a card was copied"


def test_requests_are_those_of_the_shift_and_those_still_under_way(store: Engine, tmp_path: Path) -> None:
    folders = FootageFolder(tmp_path / FOOTAGE)
    for number, (hours, stage) in enumerate(
        ((1, "complete"), (-90, "sending"), (-90, "refused"), (9, "asked"))
    ):
        request = FootageRequest(
            id=f"q-{number}", commune="hai-ninh", device="north-01", camera="north", from_time=BEGAN,
            to_time=BEGAN, case_number="12", purpose="x", officer="A", issuer="a",
            asked_at=BEGAN + timedelta(hours=hours),
        )  # fmt: skip
        folders.new(request, None).tell(stage=stage)

    found = shift(store, tmp_path).requests

    assert [(each.request.id, each.is_new) for each in found] == [("q-1", False), ("q-0", True)]
    assert (found[0].box, found[0].camera) == ("Ngã tư Hải Ninh", "Hướng Bắc")


def test_people_are_those_of_the_audit_log(store: Engine, tmp_path: Path) -> None:
    at_s = [AT / 1000 + 60]
    log = AuditLog(store, tmp_path, now=lambda: at_s[0])
    lan, nobody = Actor("lan", "Nguyễn Thị Lan", "officer", ""), Actor("", "", "", "10.0.0.9")
    log.note(lan, AuditVerb.LOG_IN)
    log.note(nobody, AuditVerb.LOG_IN_FAILED)
    at_s[0] += 600
    for _ in range(3):
        log.note(lan, AuditVerb.REVIEW)
    at_s[0] += 9 * 3600
    log.note(lan, AuditVerb.LOG_OUT)

    (person,) = shift(store, tmp_path).people

    assert (person.name, person.acts) == ("Nguyễn Thị Lan", {"log_in": 1, "review": 3})
    assert (person.first_ms - AT, person.last_ms - AT) == (MINUTE_MS, 11 * MINUTE_MS)
