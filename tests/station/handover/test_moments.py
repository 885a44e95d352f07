"""station.handover.moments"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.language import translated
from station.handover.moments import in_local_words, lasted, said, size, span

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
AT = datetime(2026, 11, 27, 7, 3, 22, 600_000, tzinfo=UTC)


def test_a_moment_is_told_in_local_time() -> None:
    assert said(AT, HERE) == "14:03:22, 27/11/2026"


def test_a_range_tells_its_day_once_unless_it_has_two() -> None:
    assert span(AT, AT + timedelta(minutes=2), HERE) == "14:03:22 – 14:05:22, 27/11/2026"
    assert span(AT, AT + timedelta(hours=10), HERE) == "14:03:22, 27/11/2026 – 00:03:22, 28/11/2026"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (120, "2 min"),
        (7_200, "2 h"),
        (150, "2 min 30 s"),
        (7_260, "2 h 1 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, words: str) -> None:
    assert lasted(seconds) == words


@pytest.mark.parametrize(("number", "words"), [(12, "12 bytes"), (1_500, "1.5 kB"), (2_340_000_000, "2.3 GB")])
def test_a_size_is_told_in_its_largest_unit(number: int, words: str) -> None:
    assert size(number) == words
    assert translated(size(number), "vi") == words.replace(".", ",").replace("bytes", "byte")


def test_moments_for_programs_within_a_text_are_told_for_people() -> None:
    text = "heard of it at 2026-11-27T07:03:22+00:00, until 2026-11-27T07:03:22.5Z, not 2026-99-99T00:00:00Z"

    assert in_local_words(text, HERE) == (
        "heard of it at 14:03:22, 27/11/2026, until 14:03:22, 27/11/2026, not 2026-99-99T00:00:00Z"
    )
