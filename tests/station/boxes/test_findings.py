"""station.boxes.findings"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from agent.health_findings import HEALTH_LATE_S
from agent.status.health import HealthSettings
from agent.wire import codec
from agent.wire.payloads import HealthPayload
from station.boxes import findings
from station.boxes.findings import BoxVerdict, JudgedBox, judged, sort_key
from station.boxes.standing import BoxGaps, BoxStanding, CameraStanding
from station.ingest.alarms import AlarmKind
from station.store.alarms import StandingAlarm
from tests.support.told_boxes import ToldBox

NOW_S = 1_795_860_000.0
NOW_MS = round(NOW_S * 1000)


def camera(
    state: str = "streaming", *, paused: bool = False, reason: str | None = None, since_ms: int = NOW_MS
) -> CameraStanding:
    return CameraStanding("north", "Cổng chợ", state, since_ms, reason, "rtsp", None, 4.8, paused)


def health(**more: Any) -> HealthPayload:
    return codec.parse(HealthPayload, ToldBox("hn-01", NOW_S).health(**more).raw)


WELL = BoxStanding(
    id=1, commune="hai-ninh", device="hn-01", title="Chợ", state="online", since_ms=NOW_MS, word_ms=NOW_MS,
    info=None, health=health(), health_age_ms=0, cameras=(camera(),),
)  # fmt: skip


def keys(standing: BoxStanding) -> list[tuple[str, str]]:
    return [(str(each.verdict), each.key) for each in judged(standing, NOW_MS).findings]


def alarm(kind: str) -> StandingAlarm:
    return StandingAlarm(kind, "hai-ninh/hn-01", 1, 2, 1, "x")


def test_no_box_may_report_so_seldom_that_it_would_be_called_silent_between_two_reports() -> None:
    with pytest.raises(ValidationError, match="interval_s"):
        HealthSettings(interval_s=HEALTH_LATE_S)


def test_a_box_that_is_well_has_nothing_to_be_told() -> None:
    assert keys(WELL) == []
    assert judged(WELL, NOW_MS).verdict is BoxVerdict.WELL


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"state": None}, ("broken", "never_heard")),
        ({"state": "offline"}, ("broken", "offline")),
        ({"state": "stopped"}, ("broken", "stopped")),
        ({"health": None, "health_age_ms": None}, ("look", "health_missing")),
        ({"health_age_ms": 301_000}, ("broken", "health_late")),
        ({"cameras": (), "health": health(cameras={})}, ("broken", "no_camera")),
        ({"cameras": (camera("lost"),)}, ("broken", "camera_lost")),
        ({"cameras": (camera("blind"),)}, ("broken", "camera_blind")),
        ({"cameras": (camera("disabled"),)}, ("broken", "camera_disabled")),
        ({"cameras": (camera("disabled", reason="starting"),)}, ("look", "camera_starting")),
        (
            {"cameras": (camera("disabled", reason="starting", since_ms=NOW_MS - 61_000),)},
            ("broken", "camera_starting"),
        ),
        ({"health": None, "health_age_ms": None, "since_ms": NOW_MS - 301_000}, ("broken", "health_late")),
        ({"cameras": (camera("a-newer-word"),)}, ("broken", "camera_unknown")),
        ({"cameras": (camera("disabled", paused=True),)}, ("look", "camera_paused")),
        ({"health": health(degraded=["storage_full"])}, ("broken", "degraded_storage_full")),
        ({"health": health(degraded=["busy"])}, ("look", "degraded_busy")),
        ({"health": health(degraded=["a_newer_word:north"])}, ("look", "degraded_other")),
        ({"health": health(cpu_temp_c=75.0)}, ("look", "warm")),
        ({"health": health(throttled={"under_voltage_since_boot": True})}, ("look", "under_voltage_once")),
        ({"health": health(outbox={"pending": 4, "oldest_s": 3601.0})}, ("look", "waiting")),
        ({"health": health(outbox={"dropped": {"image": 3}})}, ("look", "dropped")),
        ({"health": health(outbox={"quarantined": 1})}, ("look", "quarantined")),
        ({"alarms": (alarm("second_holder"),)}, ("broken", "alarm_second_holder")),
        ({"alarms": (alarm("quota"),)}, ("look", "alarm_quota")),
        ({"alarms": (alarm("a_newer_kind"),)}, ("look", "alarm_other")),
        ({"gaps": BoxGaps(missing=2)}, ("look", "gap_open")),
        ({"gaps": BoxGaps(gone=2)}, ("look", "gap_gone")),
    ],
)
def test_what_is_wrong_is_found(change: dict[str, Any], found: tuple[str, str]) -> None:
    assert keys(replace(WELL, **change)) == [found]


@pytest.mark.parametrize(
    ("days", "found"), [(31, []), (29, [("look", "certificate_ends")]), (3, [("broken", "certificate_ends")]),
                        (-2, [("broken", "certificate_over")])]
)  # fmt: skip
def test_a_certificate_is_told_in_time(days: int, found: list[tuple[str, str]]) -> None:
    ends = datetime.fromtimestamp(NOW_S, UTC) + timedelta(days=days, hours=1)
    stated = replace(WELL, health=WELL.health.model_copy(update={"certificate_ends": ends}))  # type: ignore[union-attr]

    assert keys(stated) == found


def test_of_a_box_that_is_away_nothing_else_is_told_but_what_stands_at_the_station() -> None:
    away = replace(
        WELL,
        state="offline",
        health=health(degraded=["busy"]),
        cameras=(camera("lost"),),
        gaps=BoxGaps(missing=1),
    )

    assert keys(away) == [("broken", "offline"), ("look", "gap_open")]


def test_of_a_box_that_is_silent_what_it_said_of_itself_and_its_cameras_is_told_no_more() -> None:
    silent = replace(WELL, health=health(degraded=["busy"]), health_age_ms=301_000, cameras=(camera("lost"),))

    assert keys(silent) == [("broken", "health_late")]


def test_until_when_it_is_known_how_a_box_stands_is_told_of_one_that_is_away_or_silent() -> None:
    away = replace(WELL, state="offline", word_ms=NOW_MS - 9_000)
    silent = replace(WELL, health_age_ms=301_000)
    never = replace(WELL, health=None, health_age_ms=None, since_ms=NOW_MS - 400_000, word_ms=NOW_MS - 390_000)

    until = [judged(each, NOW_MS).known_until_ms for each in (WELL, away, silent, never)]

    assert until == [None, NOW_MS - 9_000, NOW_MS - 301_000, NOW_MS - 390_000]
    assert judged(never, NOW_MS, reports=False).known_until_ms is None
    assert judged(WELL, NOW_MS, reports=False, station_away=True).known_until_ms == WELL.word_ms


def test_where_reports_of_boxes_do_not_come_that_none_is_here_is_no_finding() -> None:
    silent = replace(WELL, health=None, health_age_ms=None)

    assert [each.key for each in judged(silent, NOW_MS, reports=False).findings] == []
    lost = replace(silent, cameras=(camera("lost"),))
    assert [each.key for each in judged(lost, NOW_MS, reports=False).findings] == ["camera_lost"]
    away = replace(silent, state="offline")
    assert [each.key for each in judged(away, NOW_MS, reports=False).findings] == ["offline"]


def test_of_a_box_whose_station_is_away_nobody_says_that_it_is_well() -> None:
    found = judged(WELL, NOW_MS, reports=False, station_away=True)

    assert (found.verdict, [each.key for each in found.findings]) == (BoxVerdict.LOOK, ["station_away"])


def test_a_pause_of_a_camera_is_told_once_and_that_of_a_rule_too() -> None:
    paused = replace(
        WELL,
        cameras=(camera("disabled", paused=True),),
        health=health(degraded=["paused:north", "paused:north/line"]),
    )

    assert keys(paused) == [("look", "camera_paused"), ("look", "degraded_paused")]


def test_what_is_wrong_comes_first() -> None:
    away, warm = (
        replace(WELL, state="offline", title="B"),
        replace(WELL, health=health(cpu_temp_c=80.0), title="A"),
    )
    worse = replace(WELL, title="Z", cameras=(camera("lost"), camera("blind")))
    boxes: list[JudgedBox] = [judged(each, NOW_MS) for each in (WELL, warm, away, worse)]

    assert [each.standing.title for each in sorted(boxes, key=sort_key)] == ["Z", "B", "A", "Chợ"]
    assert [str(each.verdict) for each in sorted(boxes, key=sort_key)] == ["broken", "broken", "look", "well"]


def test_every_kind_of_alarm_about_a_box_is_known() -> None:
    of_the_station = {"pictures_missing", "second_station", "journal_away", "backup_due"}

    assert set(AlarmKind) - of_the_station >= set(findings.ALARMS) >= set(findings.ALARMS_NOW)


def test_since_when_it_is_so_is_said_where_somebody_knows() -> None:
    lost = replace(WELL, cameras=(camera("lost", since_ms=NOW_MS - 5_000),))
    silent = replace(WELL, health_age_ms=400_000)
    away = replace(WELL, state="offline", since_ms=NOW_MS - 7_000)
    hot = replace(WELL, health=health(degraded=["overheated"]), alarms=(alarm("overheated"),))
    full = replace(WELL, health=health(degraded=["storage_full"]))

    since = [judged(each, NOW_MS).findings[0].since_ms for each in (lost, silent, away, hot, full)]

    assert since == [NOW_MS - 5_000, NOW_MS - 400_000, NOW_MS - 7_000, 1, None]


def test_an_alarm_that_only_remembers_what_is_found_anyway_is_not_told_twice() -> None:
    hot = replace(WELL, health=health(degraded=["overheated"]), alarms=(alarm("overheated"),))

    assert keys(hot) == [("look", "degraded_overheated")]
    assert keys(replace(WELL, alarms=(alarm("box_silent"),))) == []
