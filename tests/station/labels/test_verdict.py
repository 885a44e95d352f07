"""station.labels.verdict"""

from __future__ import annotations

import pytest

from agent.language import translated
from station.labels.verdict import WHY_NOT, LabelVerdict, verdict_of
from station.review.states import FalseReason, ReviewState

CAR = "car"


def test_what_is_confirmed_is_there_with_the_label_it_had() -> None:
    assert verdict_of(ReviewState.CONFIRMED, None, None, CAR) == LabelVerdict(CAR, is_there=True)


@pytest.mark.parametrize("reason", ["shadow_or_light", "rain_or_insects", "animal", "foliage"])
def test_what_was_no_road_user_is_ruled_out(reason: str) -> None:
    assert verdict_of(ReviewState.FALSE, FalseReason(reason), None, CAR) == LabelVerdict(CAR, is_there=False)


def test_what_was_taken_for_something_else_is_what_the_officer_says() -> None:
    def said(right_label: str | None) -> LabelVerdict | None:
        return verdict_of(ReviewState.FALSE, FalseReason.WRONG_LABEL, right_label, CAR)

    assert said("bus") == LabelVerdict("bus", is_there=True)
    assert said("none") == LabelVerdict(CAR, is_there=False)
    assert said(None) is None, "something is there, and nobody knows what"


@pytest.mark.parametrize("reason", ["parked_vehicle", "normal_traffic", "camera_fault", "other"])
def test_a_rule_that_was_wrong_says_nothing_against_the_detector(reason: str) -> None:
    assert verdict_of(ReviewState.FALSE, FalseReason(reason), None, CAR) is None


@pytest.mark.parametrize("state", [ReviewState.NEW, ReviewState.SEEN, ReviewState.PASSED_ON])
def test_what_nobody_has_judged_says_nothing(state: ReviewState) -> None:
    assert verdict_of(state, None, None, CAR) is None


def test_why_something_is_left_out_has_words_in_both_languages() -> None:
    assert all(translated(words, "vi") != translated(words, "en") for words in WHY_NOT.values())
