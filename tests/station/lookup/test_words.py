"""station.lookup.words"""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from agent.core.types import EventKind
from agent.language import translated
from agent.wire.words import KINDS
from station.lookup import words
from station.lookup.cards import EventCard
from station.lookup.timeline.blanks import BlankKind, BlankTime

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
AT_MS = 1_795_762_200_000
"""13:50:00 on 2026-11-27 in Hanoi."""


def card(**fields: object) -> EventCard:
    values: dict[str, object] = {
        "box_id": 1, "event_id": "e-1", "revision": 1, "box": "north-01", "box_title": "ngã tư chợ",
        "camera": "north", "camera_title": "Ngã tư chợ, hướng bắc", "kind": "wrong_way", "label": "motorcycle",
        "riders": 2, "direction": None, "severity": "alert", "phase": "end", "end_reason": "left",
        "rule": "r-1", "rule_title": "r-1", "rule_kind": "wrong_way", "zones": (), "zone_titles": (),
        "detail": None, "track_id": None,
        "score_permille": 910, "began_ms": AT_MS, "latest_ms": AT_MS, "ended_ms": AT_MS, "received_ms": AT_MS,
        "late": False, "replayed": False, "clock": "ntp", "thumbnail": None, "scene": None,
    }  # fmt: skip
    return EventCard(**(values | fields))  # type: ignore[arg-type]


def both(text: str) -> tuple[str, str]:
    return translated(text, "vi"), translated(text, "en")


def test_an_event_is_said_as_an_officer_says_it() -> None:
    vietnamese, english = both(words.sentence(card(), HANOI))

    assert vietnamese == "Xe máy, 2 người, đi ngược chiều, Ngã tư chợ, hướng bắc, 13:50:00"
    assert english == "Motorcycle, 2 people, goes the wrong way, Ngã tư chợ, hướng bắc, 13:50:00"
    assert words.sentence(card(), HANOI, day=True).endswith("13:50:00 27/11/2026")


@pytest.mark.parametrize(
    ("fields", "vietnamese"),
    [
        ({"kind": "line_crossed", "direction": "in", "riders": 1}, "Xe máy, qua vạch, vào"),
        ({"kind": "zone_entered", "label": "car", "riders": 0}, "Ô tô, đi vào vùng"),
        ({"kind": "camera_blind", "label": None, "detail": "covered"}, "Camera không nhìn thấy, bị che"),
        ({"kind": "overheated", "label": None, "riders": 0}, "Quá nóng"),
    ],
)
def test_what_happened_begins_with_who_where_there_is_somebody(
    fields: dict[str, object], vietnamese: str
) -> None:
    assert translated(words.what_words(card(**fields)), "vi") == vietnamese


def test_where_it_was_names_box_and_camera_once() -> None:
    assert words.place_words(card()) == "Ngã tư chợ, hướng bắc"
    assert words.place_words(card(camera_title="bắc")) == "bắc, ngã tư chợ"
    assert both(words.place_words(card(camera="box"))) == (
        "ngã tư chợ, chính hộp đó",
        "ngã tư chợ, the box itself",
    )


@pytest.mark.parametrize("kind", [*EventKind, "of_tomorrow"])
def test_no_kind_shows_the_marks_that_programs_need(kind: str) -> None:
    assert "_" not in translated(words.kind_word(kind), "en")
    assert "_" not in translated(words.act_words(kind), "en")
    if kind in KINDS:
        assert translated(words.kind_word(kind), "vi") != translated(words.kind_word(kind), "en")


@pytest.mark.parametrize(
    ("say", "known"),
    [
        (words.label_word, "car"), (words.severity_word, "alert"), (words.phase_word, "end"),
        (words.end_reason_word, "clip_restarted"), (words.detail_word, "covered"), (words.clock_word, "ntp"),
        (words.rule_kind_word, "left_object"), (words.camera_state_word, "blind"), (words.direction_word, "in"),
    ],
)  # fmt: skip
def test_what_the_wire_says_has_words_in_both_languages(say: Callable[[str], str], known: str) -> None:
    vietnamese, english = both(say(known))

    assert vietnamese != english
    assert both(say("unheard")) == ("unheard", "unheard")


@pytest.mark.parametrize("kind", BlankKind)
def test_a_time_without_events_says_why_it_says_nothing(kind: BlankKind) -> None:
    detail = {BlankKind.GAP: "3", BlankKind.LESS: "overheated"}.get(kind, "lost")
    vietnamese, english = both(words.blank_words(BlankTime(kind, 0, 1, detail)))

    assert vietnamese != english
    assert "{" not in vietnamese + english
