"""station.web.review_sheet; what a page makes of it is pages/test_review.py's"""

from __future__ import annotations

import pytest

from agent.language import translated
from station.review.states import REASON_WORDS, RIGHT_LABELS, FalseReason, ReviewRefused, ReviewState
from station.web.review_sheet import label_buttons, state_words, step_of


@pytest.mark.parametrize("reason", FalseReason)
def test_a_false_alarm_is_one_button_with_its_reason(reason: FalseReason) -> None:
    assert step_of(f"false:{reason}", "", "") == (ReviewState.FALSE, reason, None)
    assert step_of("", "false", str(reason)) == (ReviewState.FALSE, reason, None)


def test_what_it_is_instead_is_one_button_too() -> None:
    buttons = label_buttons("motorcycle")

    assert [each.value for each in buttons] == [
        f"false:wrong_label:{label}" for label in RIGHT_LABELS if label != "motorcycle"
    ]
    for each, label in zip(buttons, [one for one in RIGHT_LABELS if one != "motorcycle"], strict=True):
        assert step_of(each.value, "", "") == (ReviewState.FALSE, FalseReason.WRONG_LABEL, label)
        assert step_of("", "false", "wrong_label", label) == step_of(each.value, "", "")
    assert {each.letter for each in buttons} <= {each.letter for each in label_buttons("car")} | {"6"}
    assert label_buttons(None) == [], "of what has no road user nobody can say that it is another"


@pytest.mark.parametrize("state", [each for each in ReviewState if each is not ReviewState.FALSE])
def test_everything_else_is_a_state(state: ReviewState) -> None:
    assert step_of(str(state), "", "") == step_of("", str(state), "") == (state, None, None)


@pytest.mark.parametrize("said", [("", "", ""), ("x", "", ""), ("false:x", "", ""), ("", "seen", "x")])
def test_what_is_no_step_is_refused(said: tuple[str, str, str]) -> None:
    with pytest.raises(ReviewRefused, match="it is not said"):
        step_of(*said)


def test_a_false_alarm_says_why_in_both_languages() -> None:
    words = state_words(ReviewState.FALSE, FalseReason.ANIMAL)

    assert str(words) == "false alarm: an animal"
    assert translated(words, "vi") == f"báo nhầm: {translated(REASON_WORDS[FalseReason.ANIMAL], 'vi')}"
    assert state_words(ReviewState.SEEN, None) == "seen"
    wrong = state_words(ReviewState.FALSE, FalseReason.WRONG_LABEL, "none")
    assert str(wrong) == "false alarm: taken for something else; it is: no road user"
