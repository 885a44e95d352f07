"""station.boxes.state_words"""

from __future__ import annotations

from typing import get_args

from agent.host.camera_stats import State
from agent.language import translated
from agent.wire.payloads import StatusPayload
from station.boxes.finding_words import words_of
from station.boxes.findings import BoxFinding, BoxVerdict
from station.boxes.state_words import (
    BOX_STATES,
    CAMERA_STATES,
    CLOCKS,
    box_words,
    camera_reason,
    paused_until_ms,
)
from station.lookup.timeline.blanks import BlankKind
from station.lookup.words import BLANKS
from station.shift.words import OUTAGES

PAUSED = "paused by Lan (lan) until 2026-11-28T11:00:00.000Z"


def test_every_state_of_the_wire_has_its_words() -> None:
    assert set(get_args(State)) <= set(CAMERA_STATES)
    assert set(get_args(StatusPayload.model_fields["state"].annotation)) | {None} == set(BOX_STATES)
    assert {"ntp", "rtc", "floor", "unknown"} == set(CLOCKS)


def test_a_box_that_is_silent_is_said_to_be_connected_all_the_same() -> None:
    assert [box_words("online", is_silent=each) for each in (False, True)] == [
        "connected", "connected, but silent",
    ]  # fmt: skip
    assert {box_words(each, is_silent=False) for each in (None, "odd")} == {"not known"}


def test_that_a_box_is_silent_away_or_off_is_said_in_one_word_each_wherever_it_is_said() -> None:
    for state, key, blank in (
        ("offline", "offline", BlankKind.OFFLINE),
        ("stopped", "stopped", BlankKind.STOPPED),
        ("silent", "health_late", None),
    ):
        said = box_words(state, is_silent=state == "silent")
        found = words_of(BoxFinding(BoxVerdict.BROKEN, key, {"minutes": 8})).what
        everywhere = [found, OUTAGES[state], *([BLANKS[blank]] if blank else [])]
        for language, core in (("en", said), ("vi", translated(said, "vi").removeprefix("đã "))):
            assert all(core in translated(each, language) for each in everywhere), (state, language)


def test_when_a_pause_ends_is_read_from_what_the_box_says() -> None:
    assert paused_until_ms(PAUSED) == 1_795_863_600_000
    assert [paused_until_ms(each) for each in (None, "", "covered", "paused by x until noon")] == [None] * 4


def test_why_a_camera_is_as_it_is_is_said_in_the_duty_room_s_words() -> None:
    assert camera_reason(PAUSED, "18:00:00") == "paused by Lan (lan) until 18:00:00"
    assert translated(camera_reason("covered", "") or "", "vi") == "bị che"
    assert camera_reason("no picture within 10 s", "") == "no picture for 10 s"
    assert camera_reason("no picture for more than 5 s", "") == "no picture for 5 s"
    assert camera_reason("starting", "") is None
    assert camera_reason("a\nb\x1b", "") == "the box says: “a b\ufffd”"
    assert camera_reason(None, "") is None
    assert camera_reason("", "") is None
