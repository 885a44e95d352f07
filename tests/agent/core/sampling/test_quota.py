"""agent.core.sampling.quota"""

from __future__ import annotations

import pytest

from agent.core.sampling.quota import WORTH, SampleKind, SampleQuota, hour_of_day, place
from agent.core.sampling.settings import SampleReason, SamplingSettings
from agent.core.types import Instant
from tests.support.sampled_frames import at

KIND = SampleKind(SampleReason.MISSED_MOTION, "1x1", 6)
OTHER = SampleKind(SampleReason.MIDDLE_SCORE, "2x1", 6)
SETTINGS = SamplingSettings(per_hour=60, per_day=100, per_place=2, min_gap_s=60)
FEW = SamplingSettings(per_hour=2, per_day=3)


def test_the_second_of_a_kind_is_worth_half() -> None:
    once = SampleQuota().kept(KIND, at(0))

    assert SampleQuota().worth(KIND) == WORTH[SampleReason.MISSED_MOTION]
    assert once.worth(KIND) == WORTH[SampleReason.MISSED_MOTION] / 2
    assert once.worth(OTHER) == WORTH[SampleReason.MIDDLE_SCORE]


def test_one_reason_rests_for_a_while_and_another_need_not() -> None:
    once = SampleQuota().kept(KIND, at(0))

    assert not once.allows(KIND, at(59), SETTINGS)
    assert once.allows(KIND, at(60), SETTINGS)
    assert once.allows(OTHER, at(30), SETTINGS)
    assert not once.allows(OTHER, at(29), SETTINGS), "a busy minute would have the whole hour"


def test_an_hour_and_a_day_have_their_most() -> None:
    quota = SampleQuota().kept(KIND, at(0)).kept(OTHER, at(1000))

    assert quota.full(at(3599), FEW)
    assert not quota.full(at(3601), FEW)
    full = quota.kept(KIND, at(4000))
    assert full.full(at(80_000), FEW)
    assert not full.allows(OTHER, at(80_000), FEW)
    assert not full.full(at(86_401), FEW)


def test_of_one_place_in_one_hour_of_the_day_little_is_kept_in_a_day() -> None:
    quota = SampleQuota().kept(KIND, at(0)).kept(KIND, at(100))

    assert not quota.allows(KIND, at(200), SETTINGS)
    assert quota.allows(SampleKind(KIND.reason, "0x0", 6), at(200), SETTINGS)
    assert quota.allows(SampleKind(KIND.reason, KIND.place, 7), at(200), SETTINGS)


def test_rare_scenes_leave_most_of_an_hour_to_other_reasons() -> None:
    settings, quota = SamplingSettings(per_hour=3, min_gap_s=1), SampleQuota()
    rare = SampleKind(SampleReason.RARE_SCENE, "night-hard", 6)
    quota = quota.kept(rare, at(0))

    assert not quota.allows(rare, at(700), settings)
    assert quota.allows(KIND, at(700), settings)


@pytest.mark.parametrize(
    ("x", "y", "word"), [(0.0, 0.0, "0x0"), (0.99, 0.5, "3x1"), (1.2, 1.0, "3x2"), (-0.3, -1, "0x0")]
)
def test_a_point_lies_in_a_part_of_the_view_also_beyond_its_border(x: float, y: float, word: str) -> None:
    assert place(x, y) == word


def test_the_hour_is_that_of_the_place() -> None:
    assert hour_of_day(at(0), 0) == 6
    assert hour_of_day(at(0), 7 * 3600) == 13
    assert hour_of_day(Instant(0.0, -3600.0), 0) == 23
