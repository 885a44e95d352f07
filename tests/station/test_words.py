"""station.words"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pytest

from station import words
from station.audit.proof import StoreFault
from station.ingest.alarms import AlarmKind
from station.store.gaps import GapState


@pytest.mark.parametrize(
    ("named", "there_are"),
    [(words.GAP_STATES, GapState), (words.ALARMS, AlarmKind), (words.FAULTS, StoreFault)],
)
def test_every_word_of_the_store_is_named_and_english_as_it_stands_there(
    named: Mapping[str, str], there_are: type[StrEnum]
) -> None:
    assert dict(named) == {each.value: each.value for each in there_are}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"), (89, "89 s"), (90, "2 min"), (5_400, "90 min"), (5_460, "1 h 31 min"),
        (172_799, "47 h 59 min"), (5_803 * 60, "4 days"),
    ],
)  # fmt: skip
def test_a_duration_is_said_in_minutes_up_to_ninety_then_in_hours_then_in_days(
    seconds: float, said: str
) -> None:
    assert words.how_long(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.24, "0.2 s"), (4, "4.0 s"), (89.94, "89.9 s"), (89.96, "2 min"), (400, "7 min"), (-3, "0 s")],
)
def test_what_lasted_a_moment_is_told_with_tenths(seconds: float, said: str) -> None:
    assert words.how_long_it_lasted(seconds) == said
