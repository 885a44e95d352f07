"""station.review.states"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language import translated
from agent.printable import printable
from station.review.states import (
    FINAL,
    MAX_NOTE,
    NO_ROAD_USER,
    REASON_WORDS,
    RIGHT_LABELS,
    STATE_WORDS,
    FalseReason,
    ReviewRefused,
    ReviewState,
    clean_note,
    following,
    judge_step,
    reason_words,
)

STATES, REASONS = st.sampled_from(ReviewState), st.none() | st.sampled_from(FalseReason)


@given(STATES, STATES, REASONS)
def test_a_step_is_taken_or_refused_and_only_a_false_alarm_has_a_reason(
    before: ReviewState, after: ReviewState, reason: FalseReason | None
) -> None:
    may = after in following(before) and (after is ReviewState.FALSE) == (reason is not None)

    if may:
        judge_step(before, after, reason)
    else:
        with pytest.raises(ReviewRefused):
            judge_step(before, after, reason)


@given(STATES, REASONS, st.none() | st.sampled_from([*RIGHT_LABELS, "cow", ""]), st.sampled_from([None, "car"]))
def test_only_a_road_user_that_was_taken_for_something_else_has_a_right_label(
    after: ReviewState, reason: FalseReason | None, right_label: str | None, seen_as: str | None
) -> None:
    follows = after in following(ReviewState.NEW) and (after is ReviewState.FALSE) == (reason is not None)
    can_have = (
        reason is FalseReason.WRONG_LABEL and right_label in RIGHT_LABELS and seen_as == "car" != right_label
    )

    if follows and (right_label is None or can_have):
        judge_step(ReviewState.NEW, after, reason, right_label, seen_as)
    else:
        with pytest.raises(ReviewRefused):
            judge_step(ReviewState.NEW, after, reason, right_label, seen_as)


def test_a_right_label_stands_behind_the_reason() -> None:
    words = reason_words(FalseReason.WRONG_LABEL, NO_ROAD_USER)

    assert words == "taken for something else; it is: no road user"
    assert translated(words, "vi") == "nhận nhầm loại; đúng ra là: không phải người hay xe"
    assert reason_words(FalseReason.ANIMAL) == "an animal"
    assert reason_words("of a newer station") == "of a newer station"


@given(st.lists(STATES))
def test_whatever_was_made_of_an_event_it_can_be_judged_otherwise_and_opened_again(
    wanted: list[ReviewState],
) -> None:
    state = ReviewState.NEW
    for each in wanted:
        state = each if each in following(state) else state

        assert following(state) >= FINAL, "a judgement can always be given or corrected"
        assert (ReviewState.NEW in following(state)) == (state is not ReviewState.NEW)


def test_who_has_judged_does_not_go_back_to_seen_without_taking_it_back() -> None:
    for state in FINAL:
        with pytest.raises(ReviewRefused, match="cannot become") as refused:
            judge_step(state, ReviewState.SEEN, None)

        assert refused.value.hint == "take it back first"


def test_open_is_what_is_new_or_seen() -> None:
    assert [state for state in ReviewState if not state.is_final] == [ReviewState.NEW, ReviewState.SEEN]


def test_every_state_and_reason_has_words_in_both_languages() -> None:
    assert (set(STATE_WORDS), set(REASON_WORDS)) == (set(ReviewState), set(FalseReason))
    for words in (*STATE_WORDS.values(), *REASON_WORDS.values(), *RIGHT_LABELS.values()):
        assert translated(words, "vi") != translated(words, "en")


@given(st.text(max_size=MAX_NOTE))
def test_a_note_is_one_line_that_steers_nothing(said: str) -> None:
    note = clean_note(said)

    assert note == printable(note) == note.strip()


def test_a_note_that_is_too_long_is_refused() -> None:
    assert len(clean_note("a" * MAX_NOTE)) == MAX_NOTE
    with pytest.raises(ReviewRefused, match="1001 characters"):
        clean_note("a" * (MAX_NOTE + 1))
