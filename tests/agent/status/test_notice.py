"""agent.status.notice"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.language import translated
from agent.status.device import DeviceSettings
from agent.status.notice import BLANK, NoticeSettings, RecordedFacts, lacking, notice

DEVICE = DeviceSettings(
    commune="hai-ninh", id="hai-ninh-03", place="Market", purpose="traffic safety", legal_basis="Decision 12"
)
SETTINGS = NoticeSettings(
    operator="Commune police",
    contact="0237 000 000",
    events_days=365,
    pictures_days=90,
    placed="pole, 2026-03-02",
)
FACTS = RecordedFacts(cameras=2, masked=1, blur="heads", footage_days=None)


def text(device: DeviceSettings, settings: NoticeSettings, facts: RecordedFacts, language: str) -> str:
    made = notice(device, settings, facts)
    return "\n".join(
        translated(part, language) for part in (made.title, *(each for row in made.rows for each in row))
    )


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_notice_says_in_both_languages_what_the_law_asks(language: str) -> None:
    said = text(DEVICE, SETTINGS, FACTS, language)

    for word in ("Commune police", "traffic safety", "Decision 12", "365", "90", "0237 000 000", "hai-ninh-03"):
        assert word in said
    assert BLANK not in said
    assert list(lacking(DEVICE, SETTINGS)) == []


def test_the_two_languages_are_two() -> None:
    assert "No video is kept" in text(DEVICE, SETTINGS, FACTS, "en")
    assert "Không lưu video" in text(DEVICE, SETTINGS, FACTS, "vi")


def test_it_promises_what_the_box_does_and_no_more() -> None:
    footage = RecordedFacts(cameras=2, masked=0, blur="none", footage_days=15.0, footage_cameras=1)
    with_video, without = text(DEVICE, SETTINGS, footage, "en"), text(DEVICE, SETTINGS, FACTS, "en")

    assert "video: at most 15 days" in with_video
    assert ("hidden from the start" in with_video, "unrecognisable" in with_video) == (False, False)
    assert ("hidden from the start" in without, "unrecognisable" in without) == (True, True)


@pytest.mark.parametrize(("language", "words"), [("en", "to improve the system"), ("vi", "cải thiện hệ thống")])
def test_frames_for_training_are_told_where_they_are_kept_and_only_there(language: str, words: str) -> None:
    kept = replace(FACTS, samples_days=14.0, samples_purpose="a better detector")

    assert words not in text(DEVICE, SETTINGS, FACTS, language)
    said = text(DEVICE, SETTINGS, kept, language)
    assert words in said and "14" in said and "a better detector" in said


@pytest.mark.parametrize(("language", "words"), [("en", "the colour of clothes"), ("vi", "màu áo và màu xe")])
def test_that_colours_are_told_stands_there_where_they_are(language: str, words: str) -> None:
    assert words not in text(DEVICE, SETTINGS, FACTS, language)
    assert words in text(DEVICE, SETTINGS, replace(FACTS, colours=True), language)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "the station may have them sent"), ("vi", "trạm có thể yêu cầu gửi")]
)
def test_frames_that_the_station_may_have_sent_are_told_as_such(language: str, words: str) -> None:
    """Once they are there, the days of the box end nothing."""
    kept = replace(FACTS, samples_days=14.0, samples_purpose="a better detector")

    assert words not in text(DEVICE, SETTINGS, kept, language)
    assert words in text(DEVICE, SETTINGS, replace(kept, samples_by_order=True), language)


def test_it_does_not_promise_that_nobody_keeps_what_is_looked_at_nor_that_every_head_is_found() -> None:
    said = text(DEVICE, SETTINGS, FACTS, "en")

    assert "is not kept by the system" not in said
    assert "by nobody but that officer" in said and "who looked and what for stays on record" in said
    assert "heads of people whom the system finds" in said and "not in video" in said


def test_in_the_role_of_enforcement_no_longest_time_is_promised_for_video() -> None:
    """Such a box deletes nothing that the station does not have."""
    footage = RecordedFacts(1, 0, "none", 15.0, 1, role="enforcement")
    said = text(DEVICE, SETTINGS, footage, "en")

    assert "at most 15 days" not in said
    assert "15 days, and longer until the station has it" in said
    for role in ("community", "enforcement"):
        facts = RecordedFacts(1, 0, "none", 15.0, 1, role=role)
        assert "handed over for a case, as long as the case" in text(DEVICE, SETTINGS, facts, "en")
        assert "video" in text(DEVICE, SETTINGS, facts, "vi") and "{" not in text(DEVICE, SETTINGS, facts, "vi")


def test_what_is_lacking_is_blank_and_named() -> None:
    bare, empty = DeviceSettings(commune="hai-ninh", id="hai-ninh-03"), NoticeSettings()
    named = [setting for setting, _ in lacking(bare, empty)]

    assert named == [
        "device.purpose", "device.legal_basis", "notice.operator", "notice.contact", "notice.events_days",
        "notice.pictures_days", "device.place", "notice.placed",
    ]  # fmt: skip
    assert text(bare, empty, FACTS, "en").count(BLANK) == 7
