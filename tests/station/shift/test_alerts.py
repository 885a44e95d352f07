"""station.shift.alerts"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from station.shift.alerts import MOST
from tests.station.shift.test_shift import AT, HOUR_MS, shift
from tests.support.duty_store import MINUTE_MS, add_alert, add_box, add_event, settle


def test_alerts_are_there_with_what_became_of_them(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        add_alert(connection, 1, 1, AT + MINUTE_MS)
        add_alert(connection, 1, 2, AT + 2 * MINUTE_MS, kind="wrong_way")
        add_event(connection, 1, 3, AT + 3 * MINUTE_MS)
        add_alert(connection, 1, 4, AT + 9 * HOUR_MS)
    settle(store, 1, 2, "false", AT + 5 * MINUTE_MS, "animal", "con chó")

    found = shift(store, tmp_path)

    first, second = found.alerts.listed
    assert (first.event_id, first.state, first.is_open, first.is_late) == ("e-1", "new", True, False)
    assert (first.box, first.camera, first.device) == ("Ngã tư Hải Ninh", "Hướng Bắc", "north-01")
    assert (second.state, second.reason, second.note, second.reviewer) == (
        "false", "animal", "con chó", "Nguyễn Thị Lan",
    )  # fmt: skip
    assert (found.alerts.number, found.alerts.open, found.events) == (2, 1, 3)


def test_an_alert_that_comes_late_is_in_the_shift_that_heard_of_it(store: Engine, tmp_path: Path) -> None:
    """No shift would hear of it otherwise: that in which it began is handed over."""
    with store.begin() as connection:
        add_alert(connection, 1, 1, AT - 3 * HOUR_MS, first_received_ms=AT + HOUR_MS)

    (found,) = shift(store, tmp_path).alerts.listed

    assert found.is_late
    assert found.began_ms < AT


def test_what_the_week_before_left_open_is_counted(store: Engine, tmp_path: Path) -> None:
    with store.begin() as connection:
        for number, ago_h in enumerate((1, 20, 100, 200), 1):
            add_alert(connection, 1, number, AT - ago_h * HOUR_MS)
    settle(store, 1, 2, "confirmed", AT)

    assert shift(store, tmp_path).alerts.open_before == 2


def test_a_box_that_invents_alerts_does_not_take_those_of_the_others_from_the_report(
    store: Engine, tmp_path: Path
) -> None:
    with store.begin() as connection:
        other = add_box(connection, "hai-ninh", "south-02", {})
        for number in range(MOST + 5):
            add_alert(connection, 1, number, AT + number)
        add_alert(connection, other, 9_000, AT + HOUR_MS)
        add_alert(connection, other, 9_001, AT - HOUR_MS, first_received_ms=AT + HOUR_MS)
    settle(store, other, 9_000, "confirmed", AT + HOUR_MS)

    found = shift(store, tmp_path).alerts

    assert (len(found.listed), found.number) == (MOST, MOST + 7)
    assert [each.event_id for each in found.listed if each.box_id == other] == ["e-9001", "e-9000"]
    shown = found.shown(200)
    assert [each.event_id for each in shown if each.box_id == other] == ["e-9001", "e-9000"]
    assert [each.is_open for each in shown] == [True] * 199 + [False]
    assert [each.began_ms for each in shown[:-1]] == sorted(each.began_ms for each in shown[:-1])
