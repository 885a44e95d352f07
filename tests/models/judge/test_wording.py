"""models.judge.wording"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.language import translated
from models.judge.decision import Decision, ModelVerdict
from models.judge.judging import ModelComparison
from models.judge.measure.bootstrap import Estimate
from models.judge.overlap import LIKE, NEIGHBOUR, Overlap, TrainedPicture
from models.judge.replays import ReplayedEvent
from models.judge.wording import cost_sentence, event_text, number, remarks, span, verdict_sentence


def decided(found: ModelComparison, verdict: ModelVerdict) -> ModelComparison:
    return replace(found, decision=Decision(verdict, ("car",), {"car": verdict}, {}))


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (ModelVerdict.BETTER, "poor is better than good: car rose"),
        (ModelVerdict.WORSE, "poor is worse than good, and refused: car fell"),
        (ModelVerdict.CANNOT_TELL, "Whether poor is better than good cannot be told"),
    ],
)
def test_the_verdict_is_one_sentence(refused: ModelComparison, verdict: ModelVerdict, said: str) -> None:
    sentence = verdict_sentence(decided(refused, verdict))

    assert sentence.startswith(said)
    assert translated(sentence, "vi") != sentence


def test_a_label_that_has_fallen_is_named_where_nothing_can_be_told(refused: ModelComparison) -> None:
    found = decided(refused, ModelVerdict.CANNOT_TELL)
    sentence = verdict_sentence(replace(found, decision=replace(found.decision, fallen=("person",))))

    assert "cannot be told: person fell" in sentence
    assert "person" in translated(sentence, "vi") != sentence


def test_what_was_left_out_and_what_may_not_be_passed_on_is_said(refused: ModelComparison) -> None:
    known = (TrainedPicture("a.jpg", "b.jpg", NEIGHBOUR), TrainedPicture("c.jpg", "d.jpg", LIKE))
    dataset = replace(refused.sets[0].dataset, incomplete=True)
    found = replace(
        refused,
        data=(refused.data[0].model_copy(update={"licence": ""}),),
        overlaps=(Overlap("set", 9, known, ("gate",)),),
        sets=(replace(refused.sets[0], dataset=dataset, unjudged=tuple("abcdefghij")),),
    )

    said = "\n".join(remarks(found))

    assert "2 of 9 pictures judge nothing" in said
    assert "1 × its neighbour in time, 1 × shows the same" in said
    assert "a.jpg, beside b.jpg" in said
    assert "trained on other pictures of gate" in said
    assert "lower bounds" in said
    assert "neither model tells a, b, c, d, e, f, g, h, …" in said
    assert "may not be passed on" in said
    assert "no licence is stated for set" in said


def test_nothing_is_said_of_a_clean_set_but_that_the_training_was_not_named(refused: ModelComparison) -> None:
    assert [each[:39] for each in remarks(refused)] == ["The pictures that the new model was tra"]
    assert "times as long" in cost_sentence(refused)


def test_figures_are_short_and_a_dash_where_nothing_is_known() -> None:
    assert number(0.494) == "49"
    assert number(np.nan) == "–"
    assert span(Estimate(0.04, -0.03, 0.12)) == "+4 [-3, +12]"
    assert span(Estimate(0.04, 0.003, 0.12)) == "+4 [+0.3, +12]"
    assert span(Estimate(-0.0, -0.0001, 0.0)) == "+0 [-0, +0]"
    assert span(Estimate(0.04, np.nan, np.nan)) == "+4"
    assert span(Estimate(np.nan, np.nan, np.nan)) == "–"


def test_an_event_is_told_with_its_moment_in_the_clip() -> None:
    event = ReplayedEvent(72.4, "line-1", "line_crossed", "motorcycle", "in", "info")

    assert event_text(event) == "1:12.4 line-1 motorcycle in"
