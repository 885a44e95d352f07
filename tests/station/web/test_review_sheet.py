"""station.web.review_sheet; what a page makes of it is pages/test_review.py's"""

from __future__ import annotations

import pytest

from agent.language import translated
from station.review.states import REASON_WORDS, FalseReason, ReviewRefused, ReviewState
from station.web.review_sheet import state_words, step_of


@pytest.mark.parametrize("reason", FalseReason)
def test_a_false_alarm_is_one_button_with_its_reason(reason: FalseReason) -> None:
    assert step_of(f"false:{reason}", "", "") == (ReviewState.FALSE, reason)
    assert step_of("", "false", str(reason)) == (ReviewState.FALSE, reason)


@pytest.mark.parametrize("state", [each for each in ReviewState if each is not ReviewState.FALSE])
def test_everything_else_is_a_state(state: ReviewState) -> None:
    assert step_of(str(state), "", "") == step_of("", str(state), "") == (state, None)


@pytest.mark.parametrize("said", [("", "", ""), ("x", "", ""), ("false:x", "", ""), ("", "seen", "x")])
def test_what_is_no_step_is_refused(said: tuple[str, str, str]) -> None:
    with pytest.raises(ReviewRefused, match="it is not said"):
        step_of(*said)


def test_a_false_alarm_says_why_in_both_languages() -> None:
    words = state_words(ReviewState.FALSE, FalseReason.ANIMAL)

    assert str(words) == "false alarm: an animal"
    assert translated(words, "vi") == f"báo nhầm: {translated(REASON_WORDS[FalseReason.ANIMAL], 'vi')}"
    assert state_words(ReviewState.SEEN, None) == "seen"
