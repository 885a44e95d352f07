"""station.boxes.finding_words"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agent.health_findings import HEALTH_LATE_S
from agent.language import translated
from fleet.report.words import ENGLISH
from station.boxes import finding_words, findings
from station.boxes.finding_words import VERDICTS, words_of
from station.boxes.findings import BoxFinding, BoxVerdict, judged
from station.store.alarms import StandingAlarm
from tests.station.boxes.test_findings import NOW_MS, WELL, camera, health

VALUES = {
    "minutes": 7, "camera": "Cổng chợ", "of": "north", "word": "odd", "celsius": 78, "pending": 3, "hours": 2,
    "number": 4, "days": 5, "kind": "odd",
}  # fmt: skip
KEYS = sorted(
    {
        *(f"degraded_{word}" for word in (*findings.DEGRADED, "other")),
        *(f"alarm_{kind}" for kind in (*findings.ALARMS, "other")),
        *(f"camera_{state}" for state in ("lost", "stalled", "blind", "disabled", "unknown", "paused")),
        *(key for key in ("never_heard", "offline", "stopped", "health_missing", "health_late", "no_camera")),
        *(
            key
            for key in (
                "under_voltage_once",
                "warm",
                "waiting",
                "dropped",
                "quarantined",
                "station_away",
                "gap_open",
                "gap_gone",
            )
        ),
        *("certificate_over", "certificate_ends"),
    }
)


@pytest.mark.parametrize("key", KEYS)
def test_each_finding_says_what_it_is_what_it_means_and_what_to_do_in_both_languages(key: str) -> None:
    said = words_of(BoxFinding(BoxVerdict.LOOK, key, VALUES))
    for text in (said.what, said.why, said.todo):
        vietnamese = translated(text, "vi")
        assert len(str(text)) > 10
        assert vietnamese != str(text)
        assert not re.search(r"[a-z]_[a-z]|\{|ngatu|MQTT|broker|outbox", vietnamese), vietnamese
    assert said.why[-1] == said.todo[-1] == "."


def test_what_a_box_calls_degraded_is_what_the_administrator_s_report_explains() -> None:
    explained = {key.removeprefix("degraded_") for key in ENGLISH if key.startswith("degraded_")}

    assert {*findings.DEGRADED, "other"} == explained


def test_whatever_is_found_has_words() -> None:
    worst = replace(
        WELL,
        cameras=(camera("lost"), camera("moved"), camera(paused=True)),
        health=health(degraded=["odd:x", "busy", "paused:a/b"], cpu_temp_c=90.0),
        alarms=tuple(StandingAlarm(kind, None, 1, 1, 1, "") for kind in ("quota", "odd", "backup_due")),
    )
    found = [words_of(each) for each in judged(worst, NOW_MS).findings]

    assert len(found) == 10
    assert found[0].verdict is BoxVerdict.BROKEN
    assert set(VERDICTS) == set(BoxVerdict)
    assert finding_words.words_of(BoxFinding(BoxVerdict.LOOK, "warm", VALUES)).what == "The box is warm: 78 °C"


def test_how_long_a_box_is_silent_is_said_in_units_that_somebody_can_imagine() -> None:
    silent = BoxFinding(key="health_late", verdict=BoxVerdict.BROKEN, values={"minutes": 5803})

    assert translated(words_of(silent).what, "vi") == "Hộp vẫn kết nối nhưng im lặng đã 4 ngày"
    assert f"more than {HEALTH_LATE_S // 60} minutes" in words_of(silent).why
