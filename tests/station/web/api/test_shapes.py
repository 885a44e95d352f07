"""station.web.api.shapes"""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from station.review.standing import NOBODY, Reviewer, ReviewStep
from station.review.states import ReviewState
from station.web.api.shapes import moment, perhaps, review_of, step_of


@given(st.integers(-(2**63), 2**63))
def test_every_moment_of_the_store_can_be_told(at_ms: int) -> None:
    assert 1970 <= moment(at_ms).year <= 2199


def test_a_moment_is_to_the_millisecond() -> None:
    assert moment(1_772_449_447_412) == datetime(2026, 3, 2, 11, 4, 7, 412_000, tzinfo=UTC)
    assert perhaps(None) is None


def test_who_took_the_last_step_is_told_and_nobody_is_null() -> None:
    step = ReviewStep(7, 1, "e-1", ReviewState.SEEN, None, "", Reviewer("lan", "Lan"), 5)

    assert (step_of(step).by, step_of(step).change_id) == ("Lan", 7)
    assert (review_of(NOBODY).by, review_of(NOBODY).changed) == (None, None)
