"""station.web.review_sheet; what a page makes of it is pages/test_review.py's"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from agent.language import translated
from station.review.states import REASON_WORDS, RIGHT_LABELS, FalseReason, ReviewRefused, ReviewState
from station.web.review_sheet import label_buttons, state_words, step_of
from tests.support.duty_screen import DutyScreen
from tests.support.stores import Place
from tests.support.told_events import born, event_at


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
    assert state_words(ReviewState.SEEN, None) == "being worked on"
    wrong = state_words(ReviewState.FALSE, FalseReason.WRONG_LABEL, "none")
    assert str(wrong) == "false alarm: taken for something else; it is: no road user"


def test_an_alert_of_a_box_that_took_another_s_name_reads_otherwise_on_every_page(
    screen: DutyScreen, stored: Place
) -> None:
    at = datetime.now(UTC) - timedelta(seconds=30)
    boxes = ("north-01", "east-02")
    with closing(stored.open()) as store:
        store.commit([born(each, "Ngã tư chợ", {"north": "Cổng"}, at) for each in boxes])
        store.commit([event_at(n, at, box=each, severity="alert") for n, each in enumerate(boxes, 1)])
    lan = screen.client(language="en")
    hour = timedelta(hours=1)
    since, until = (f"{each.astimezone(screen.console.zone):%Y-%m-%dT%H:%M}" for each in (at - hour, at + hour))
    asked, shift = f"?from={since}", f"?since={since}&until={until}"
    pages = (
        "/",
        "/review",
        "/boxes",
        "/boxes/east-02",
        f"/lookup{asked}",
        f"/lookup.csv{asked}",
        f"/shift{shift}",
    )
    for path in (*pages, f"/lookup.json{asked}", "/events/east-02/e-2", "/events/east-02/e-2/review"):
        assert "Ngã tư chợ (east-02)" in lan.get(path).text, path
    assert "Box east-02" in lan.get("/events/east-02/e-2/review").text
    assert "<dt>Box</dt><dd>east-02</dd>" in lan.get("/events/east-02/e-2").text
