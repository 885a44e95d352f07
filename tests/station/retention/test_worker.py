"""station.retention.worker"""

from __future__ import annotations

import json
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL

from station.access.audit_log import AuditLog, AuditQuery
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import read
from station.retention import worker
from station.retention.settings import RetentionSettings
from station.retention.worker import ClockDoubted, RetentionBusy, RetentionRun, RetentionWatch
from station.review.states import ReviewState
from station.store.blobs import removal_turn
from tests.station.ingest.test_receipts import BASE
from tests.support.aged_store import DAY_S, MINH, AgedStore
from tests.support.brokers import until
from tests.support.kept_events import event_now
from tests.support.stores import Place

LEFT = "select sha256 from blob_removal union all select sha256 from picture_removal"
"""What is still to be taken off the disk."""


def test_what_is_due_goes_and_its_numbers_stay_taken(aged: AgedStore) -> None:
    aged.event(1, 40, picture=b"old")
    aged.event(2, 3, picture=b"young")
    spans = aged.place.rows("select first, last from span order by first")

    aged.run(events=30)

    assert aged.events() == {"e-2"}
    assert len(aged.place.rows("select seq from message")) == 4
    assert aged.place.rows("select first, last from span order by first") == spans
    assert aged.files() == aged.rows_of_files()
    assert len(aged.files()) == 1
    assert aged.place.rows("select distinct event_id from event_feed") == [("e-2",)]
    assert aged.proven() == ([], 2)


def test_what_comes_again_after_it_was_deleted_brings_nothing_back(aged: AgedStore) -> None:
    """A box whose receipt was lost sends it again: the number is taken, and the file of the picture goes."""
    aged.event(1, 40, picture=b"old")
    aged.run(events=30)

    aged.keep(0, aged.picture(1, b"old"))

    assert aged.events() == set()
    assert aged.files() == set()
    assert aged.proven() == ([], 2)


@pytest.mark.long
def test_each_class_goes_by_its_own_days_and_a_class_without_stays(aged: AgedStore) -> None:
    aged.event(1, 40, picture=b"a")
    aged.event(2, 400, picture=b"b")
    aged.event(3, 400, severity="alert", picture=b"c")
    aged.review(3, ReviewState.FALSE)
    aged.count(1, 400)
    aged.snapshot(5, 400)

    aged.run(pictures=30, events=365)
    assert aged.events() == {"e-1", "e-3"}
    assert [row[0] for row in aged.place.rows("select event_id from picture order by event_id")] == ["", "e-3"]
    assert aged.place.rows("select count(*) from count_interval") == [(1,)]

    aged.run(alerts=90, counts=90, answers=90)
    assert aged.events() == {"e-1"}
    assert aged.place.rows("select count(*) from picture") == [(0,)]
    assert aged.place.rows("select count(*) from count_interval") == [(0,)]
    assert aged.place.rows("select kind from other_message") == []
    assert aged.files() == set()
    found, deleted = aged.proven()
    assert (found, deleted) == ([], 8)


def test_an_alert_stays_until_it_is_judged_and_what_was_confirmed_until_its_case_is_closed(
    aged: AgedStore,
) -> None:
    for number in (1, 2, 3, 4):
        aged.event(number, 100, severity="alert")
    aged.review(2, ReviewState.SEEN)
    aged.review(3, ReviewState.CONFIRMED)
    aged.review(4, ReviewState.FALSE)

    aged.run(alerts=30)
    assert aged.events() == {"e-1", "e-2", "e-3"}

    aged.holds.close(aged.key(3), MINH, "12/2026", "handed to the court")
    aged.run(alerts=30)
    assert aged.events() == {"e-1", "e-2"}


@pytest.mark.long
def test_an_event_that_a_supervisor_holds_stays_with_its_picture_until_he_lets_it_go(aged: AgedStore) -> None:
    aged.event(1, 100, picture=b"held")
    aged.event(2, 100)
    aged.holds.hold(aged.key(1), MINH, "12/2026", "collision")

    aged.run(pictures=10, events=30)
    assert aged.events() == {"e-1"}
    assert len(aged.files()) == 1

    aged.holds.release(aged.key(1), MINH, "the case is over")
    aged.run(pictures=10, events=30)
    assert aged.events() == set()
    assert aged.files() == set()


def test_what_a_new_message_made_young_again_stays(aged: AgedStore) -> None:
    aged.event(1, 40, phase="start", end_reason=None)
    aged.event(1, 2, revision=2)

    aged.run(events=30)

    assert aged.events() == {"e-1"}


def test_a_file_that_another_event_shows_too_stays(aged: AgedStore) -> None:
    aged.event(1, 40, picture=b"same")
    aged.event(2, 3, picture=b"same")

    aged.run(events=30)

    assert aged.events() == {"e-2"}
    assert len(aged.files()) == 1
    assert aged.proven() == ([], 2)


def test_the_same_event_under_a_second_number_is_told_as_deleted_too(aged: AgedStore) -> None:
    aged.event(1, 40)
    (body,) = aged.place.rows("select body from event_revision")
    again = json.loads(body[0]) | {"stream": "s-2", "seq": 7}
    aged.keep(40, read(f"{BASE}camera/north/event", json.dumps(again).encode(), {}))

    aged.run(events=30)

    assert aged.proven() == ([], 2)


def test_each_deletion_stands_in_a_record_and_in_the_consoles_log(aged: AgedStore) -> None:
    for number in range(1, 4):
        aged.event(number, 40, picture=b"p%d" % number)

    aged.run(pictures=20, events=30)

    rows = aged.place.rows("select kind, days, item_count, messages, is_noted from deletion order by id")
    assert [(*row[:4], bool(row[4])) for row in rows] == [
        ("pictures", 20, 3, 3, True),
        ("events", 30, 3, 3, True),
    ]
    assert aged.place.rows("select count(*) from deletion where ended_ms is null or size_bytes = 0") == [(0,)]
    log = AuditLog(aged.engine, aged.place.folder)
    entries = list(log.every(AuditQuery(verb="deleted")))
    assert [each.details["class"] for each in entries] == ["events", "pictures"]
    assert log.verify().broken is None


def test_a_run_that_finds_nothing_leaves_no_record(aged: AgedStore) -> None:
    aged.event(1, 3)

    assert aged.run(events=30).taken == {}
    assert aged.place.rows("select * from deletion") == []


def test_content_that_goes_without_a_record_stays_a_fault(aged: AgedStore) -> None:
    aged.event(1, 40)
    aged.event(2, 3)
    aged.run(events=30)
    aged.place.do("delete from event_revision")
    found, deleted = aged.proven()
    assert ([each.seq for each in found], deleted) == ([201], 1)

    aged.place.do("update message set deletion_id = 1")  # who forges the mark must forge the record, too
    found, deleted = aged.proven()
    assert ([each.seq for each in found], deleted) == ([101, 201], 0)


@pytest.mark.long
@pytest.mark.parametrize("at", range(6))
def test_a_run_that_is_cut_off_between_any_two_steps_is_ended_by_the_next(aged: AgedStore, at: int) -> None:
    """Rows and record are one step; files go after it, and a file that is left is removed at the next start."""
    for number in range(1, 4):
        aged.event(number, 40, picture=b"p%d" % number)
    aged.event(4, 1, picture=b"young")
    aged.count(1, 40)
    calls = []

    class Killed(BaseException):
        pass

    def kill(_: float) -> bool:
        calls.append(1)
        if len(calls) > at:
            raise Killed
        return False

    with suppress(Killed):
        aged.run(kill, pictures=20, events=30, counts=30)
    assert aged.rows_of_files() <= aged.files()
    assert aged.proven()[0] == []

    aged.run(pictures=20, events=30, counts=30)
    assert aged.events() == {"e-4"}
    assert aged.files() == aged.rows_of_files()
    assert aged.place.rows(LEFT) == []
    assert aged.place.rows("select count(*) from deletion where ended_ms is null") == [(0,)]
    assert aged.proven() == ([], 7)


@pytest.mark.long
def test_a_file_whose_row_went_is_removed_at_the_next_start_and_one_that_came_again_stays(
    aged: AgedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between the transaction and the removal of the file."""
    aged.event(1, 40, picture=b"one")
    aged.event(2, 40, picture=b"two")
    with removal_turn(aged.place.folder, shared=True):  # so long no file goes
        assert aged.run(events=30).left
    assert aged.rows_of_files() == set()
    assert len(aged.files()) == 2
    assert len(aged.place.rows(LEFT)) == 2

    aged.event(3, 1, picture=b"two")
    one = RetentionRun(aged.place.url, aged.place.folder)
    one.finish_left()
    one.close()

    assert aged.files() == aged.rows_of_files()
    assert len(aged.files()) == 1
    assert aged.place.rows(LEFT) == []


def test_nothing_goes_while_the_boxes_clocks_speak_against_the_stations(aged: AgedStore) -> None:
    """Somebody set the station's clock a year ahead: all would be old."""
    aged.event(1, 3)
    aged.now_s += 365 * 86_400
    aged.keep(0, event_now(2))

    with pytest.raises(ClockDoubted):
        aged.run(events=30)
    assert aged.events() == {"e-1", "e-2"}


def test_one_box_that_dates_wrongly_stops_nothing_and_has_an_alarm_of_its_own(aged_file: AgedStore) -> None:
    aged_file.event(1, 40)
    aged_file.keep(0, event_now(2))
    old = (event_now(n, ago_s=2 * DAY_S, device="hostile-01", severity="info") for n in range(1, 202))
    aged_file.keep(0, *old)
    alarms = Alarms()
    days, place = RetentionSettings(events=30), aged_file.place
    watch = RetentionWatch(days, place.url, place.folder)

    assert watch.once() is True
    watch.tell(alarms)
    watch.tell(alarms)
    watch.close()

    mine = "select event_id from event join box on box.id = box_id where device = 'north-01'"
    assert place.rows(mine) == [("e-2",)]
    assert alarms.heard[0][:2] == ("raised", AlarmKind.CLOCK_APART)
    assert alarms.boxes[:1] == [("hai-ninh", "hostile-01")]
    assert [each[:2] for each in alarms.heard[1:]] == [("closed", AlarmKind.RETENTION_FAILED)]


def test_two_runs_at_a_time_do_not_meet(aged: AgedStore) -> None:
    aged.event(1, 40)
    inside, met = threading.Event(), []

    def pause(_: float) -> bool:
        if not inside.is_set():
            inside.set()
            with pytest.raises(RetentionBusy):
                aged.run(events=30)
            met.append(1)
        return False

    aged.run(pause, events=30)
    assert met == [1]


class Alarms:
    """Which alarms were raised and closed, in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, AlarmKind, str]] = []
        self.boxes: list[object] = []

    def raise_alarm(self, kind: AlarmKind, of_box: object, detail: str, count: int = 1) -> None:
        self.boxes.append(of_box)
        self.heard.append(("raised", kind, detail))

    def close_alarm(self, kind: AlarmKind, of_box: object) -> None:
        self.heard.append(("closed", kind, ""))


def test_a_run_that_fails_is_an_alarm_and_the_next_good_one_ends_it(aged_file: AgedStore) -> None:
    aged_file.event(1, 40, picture=b"p")
    alarms, watch = (
        Alarms(),
        RetentionWatch(RetentionSettings(events=30), aged_file.place.url, aged_file.place.folder),
    )
    aged_file.place.do("alter table deletion rename to elsewhere")
    assert watch.once() is False
    watch.tell(alarms)
    watch.tell(alarms)
    aged_file.place.do("alter table elsewhere rename to deletion")
    assert watch.once() is True
    watch.tell(alarms)
    watch.close()

    assert [each[:2] for each in alarms.heard] == [
        ("raised", AlarmKind.RETENTION_FAILED),
        ("closed", AlarmKind.RETENTION_FAILED),
    ]
    assert "deletion" in alarms.heard[0][2]
    assert aged_file.events() == set()


def test_without_days_only_what_is_left_is_done(aged_file: AgedStore) -> None:
    aged_file.event(1, 4000)
    watch = RetentionWatch(None, aged_file.place.url, aged_file.place.folder)
    assert watch.once() is True
    watch.close()
    assert aged_file.events() == {"e-1"}


def test_what_was_deleted_is_overwritten_in_the_file(aged_file: AgedStore) -> None:
    aged_file.event(1, 40, object={"label": "zebra-crossing-witness"})
    aged_file.run(events=30)
    aged_file.close()
    data = (aged_file.place.folder / "station.db").read_bytes()
    assert b"zebra-crossing-witness" not in data


AGES = st.sampled_from([1, 9, 11, 29, 31, 400])
ONE = st.fixed_dictionaries(
    {
        "days": AGES,
        "severity": st.sampled_from(["info", "alert"]),
        "picture": st.sampled_from([None, b"a", b"b", b"c"]),
        "review": st.sampled_from([None, *(each for each in ReviewState if each is not ReviewState.NEW)]),
        "hold": st.sampled_from(["none", "held", "released", "closed"]),
    }
)
DAYS = st.fixed_dictionaries(
    {
        "pictures": st.sampled_from([None, 10]),
        "events": st.sampled_from([None, 10, 30]),
        "alerts": st.sampled_from([None, 10, 30]),
    }
)


def _filled(folder: Path, events: list[dict[str, Any]]) -> AgedStore:
    aged = AgedStore(Place(URL.create("sqlite", database=str(folder / "station.db")), folder))
    for number, one in enumerate(events, 1):
        aged.event(number, one["days"], severity=one["severity"], picture=one["picture"])
        if one["review"] is not None:
            aged.review(number, one["review"])
        if one["hold"] in ("held", "released"):
            aged.holds.hold(aged.key(number), MINH, "1/2026", "a case")
        if one["hold"] == "released":
            aged.holds.release(aged.key(number), MINH, "over")
        if one["hold"] == "closed" and aged.holds.standing(aged.key(number)).may_close:
            aged.holds.close(aged.key(number), MINH, "1/2026", "over")
    return aged


def _is_held(one: dict[str, Any]) -> bool:
    """As the documents say it."""
    judged = one["review"] in (ReviewState.CONFIRMED, ReviewState.PASSED_ON)
    is_open = one["review"] is ReviewState.SEEN or (one["severity"] == "alert" and one["review"] is None)
    return one["hold"] == "held" or is_open or (judged and one["hold"] != "closed")


@pytest.mark.long
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(ONE, max_size=6), days=DAYS)
def test_nothing_held_or_young_ever_goes_and_all_else_that_is_due_does(
    events: list[dict[str, Any]], days: dict[str, int | None]
) -> None:
    if days["pictures"] and days["events"] and days["pictures"] > days["events"]:
        days["pictures"] = None
    with tempfile.TemporaryDirectory() as name:
        aged = _filled(Path(name), events)
        try:
            aged.run(**{kept: each for kept, each in days.items() if each})
            stays, pictured = set(), set()
            for number, one in enumerate(events, 1):
                of = days["alerts" if one["severity"] == "alert" else "events"]
                if _is_held(one) or of is None or one["days"] < of:
                    stays.add(f"e-{number}")
                    of = days["pictures"] if one["severity"] == "info" else None
                    if one["picture"] and (_is_held(one) or of is None or one["days"] < of):
                        pictured.add(f"e-{number}")
            assert aged.events() == stays
            assert {row[0] for row in aged.place.rows("select event_id from picture")} == pictured
            assert aged.files() == aged.rows_of_files()
            assert aged.proven()[0] == []
        finally:
            aged.close()
            aged.place.close()


def test_the_thread_runs_by_itself_and_ends_when_it_is_told(aged_file: AgedStore) -> None:
    aged_file.event(1, 40, picture=b"p")
    watch = RetentionWatch(
        RetentionSettings(events=30), aged_file.place.url, aged_file.place.folder, first_s=0.0
    )
    watch.start()
    until(lambda: aged_file.events() == set() and aged_file.files() == set())
    watch.close()
    assert not any(thread.name == "retention" for thread in threading.enumerate())


def test_of_a_store_that_is_damaged_nothing_is_deleted_and_of_one_that_is_looked_at_nothing_yet(
    aged_file: AgedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SOUND_S", 0.01)
    aged_file.event(1, 40)
    sound: list[bool | None] = [None] * 3 + [False]
    asked: list[bool | None] = []

    def is_sound() -> bool | None:
        asked.append(sound.pop(0) if len(sound) > 1 else sound[0])
        return asked[-1]

    alarms = Alarms()
    watch = RetentionWatch(
        RetentionSettings(events=30), aged_file.place.url, aged_file.place.folder, is_sound, first_s=0.0
    )
    watch.start()
    until(lambda: watch.tell(alarms) or alarms.heard)
    watch.close()

    assert asked[:4] == [None, None, None, False]
    assert [each[:2] for each in alarms.heard] == [("raised", AlarmKind.RETENTION_FAILED)]
    assert aged_file.events() == {"e-1"}
