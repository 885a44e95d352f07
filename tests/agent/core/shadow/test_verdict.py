"""agent.core.shadow.verdict"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.shadow.comparison import FoundObjects, ShadowComparison, ShadowFailure
from agent.core.shadow.histogram import TimeHistogram
from agent.core.shadow.settings import ShadowTrialSettings
from agent.core.shadow.verdict import MEASURED, ShadowOutcome, judged

SETTINGS = ShadowTrialSettings(for_s=600, give_up_s=6000, crops=400, objects=80)
FAST = TimeHistogram({40: 1000})
GOOD = ShadowComparison(
    watched_s=700,
    crops=500,
    labels={"car": FoundObjects(60, 50, 48), "person": FoundObjects(40, 30, 29)},
    rests=100,
    in_rests=12,
    old_ms=FAST,
    new_ms=FAST,
    old_mb=200,
    new_mb=260,
)


def slower(times: int) -> TimeHistogram:
    """Each tenth is a bucket: eight of them are more than twice as long."""
    return TimeHistogram({40 + times: 1000})


def test_a_model_that_works_passes_and_says_by_what() -> None:
    verdict = judged(GOOD, SETTINGS)

    assert verdict.outcome is ShadowOutcome.PASSED
    assert "500 crops in 12 min, 80 of 100 sure objects found" in verdict.words


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        ({"watched_s": 300.0}, "5 of 10 min"),
        ({"crops": 399}, "399 of 400 crops"),
        ({"labels": {"car": FoundObjects(79, 79, 79)}}, "79 of 80 objects"),
        ({"old_ms": TimeHistogram({40: MEASURED - 1})}, "29 of 30 times"),
    ],
)
def test_too_little_is_no_proof_and_the_trial_goes_on(lack: dict[str, object], words: str) -> None:
    verdict = judged(replace(GOOD, **lack), SETTINGS)  # type: ignore[arg-type]

    assert verdict.outcome is ShadowOutcome.CANNOT_TELL
    assert words in verdict.words


def test_a_quiet_day_ends_as_no_proof_and_is_taken_back() -> None:
    verdict = judged(replace(GOOD, watched_s=6000, labels={}), SETTINGS)

    assert verdict.outcome is ShadowOutcome.FAILED
    assert verdict.why[0] == "nobody can tell after 1.7 h"
    assert "0 of 80 objects" in verdict.words


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"labels": {"car": FoundObjects(100, 20, 20)}}, "found 20 of 100 objects"),
        (
            {"labels": {"car": FoundObjects(200, 190, 190), "bus": FoundObjects(40, 3, 3)}},
            "3 of 40 of the label bus",
        ),
        ({"labels": {"car": FoundObjects(100, 90, 10)}}, "called 10 the same"),
        ({"in_rests": 201}, "201 objects in 100 crops"),
        ({"new_ms": slower(9)}, "ms a crop (median)"),
        ({"new_ms": TimeHistogram({40: 900, 60: 100})}, "ms a crop (95th percentile)"),
        ({"new_mb": 501.0}, "needs 501 MB, the old one 200"),
        ({"failures": {ShadowFailure.NONSENSE: 6}, "why": "no number"}, "6 of 506 looks failed: no number"),
    ],
)
def test_each_way_to_break_fails_with_its_reason(fault: dict[str, object], words: str) -> None:
    verdict = judged(replace(GOOD, **fault), SETTINGS)  # type: ignore[arg-type]

    assert verdict.outcome is ShadowOutcome.FAILED
    assert words in verdict.words


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"broken": "no such file"}, "cannot work here: no such file"),
        ({"failures": {ShadowFailure.DIED: 2, ShadowFailure.LATE: 1}}, "ended or hung 3 times"),
        ({"old_mb": 100.0, "new_mb": 500.0}, "needs 500 MB"),
        ({"old_ms": FAST, "new_ms": slower(20)}, "ms a crop"),
    ],
)
def test_what_cannot_get_well_fails_at_once(fault: dict[str, object], words: str) -> None:
    verdict = judged(replace(ShadowComparison(watched_s=20.0), **fault), SETTINGS)  # type: ignore[arg-type]

    assert verdict.outcome is ShadowOutcome.FAILED
    assert words in verdict.words


@pytest.mark.parametrize(
    "slip",
    [
        {"failures": {ShadowFailure.DIED: 2}},
        {"failures": {ShadowFailure.ERROR: 5}},
        {"new_ms": slower(6)},
        {"new_mb": 499.0},
        {"rests": MEASURED - 1, "in_rests": 1000},
        {"labels": {"car": FoundObjects(100, 70, 36), "bus": FoundObjects(MEASURED - 1, 0, 0)}},
    ],
)
def test_what_may_happen_to_a_good_model_does_not_fail_it(slip: dict[str, object]) -> None:
    assert judged(replace(GOOD, **slip), SETTINGS).outcome is ShadowOutcome.PASSED  # type: ignore[arg-type]


counts = st.integers(0, 500)


@st.composite
def found(draw: st.DrawFn) -> FoundObjects:
    objects = draw(counts)
    some = draw(st.integers(0, objects))
    return FoundObjects(objects, some, draw(st.integers(0, some)))


comparisons = st.builds(
    ShadowComparison,
    watched_s=st.floats(0, 7000),
    crops=st.integers(0, 1000),
    labels=st.dictionaries(st.sampled_from(["car", "bus", "person"]), found()),
    rests=counts,
    in_rests=counts,
    failures=st.dictionaries(st.sampled_from(ShadowFailure), st.integers(0, 20)),
    old_ms=st.sampled_from([TimeHistogram(), FAST]),
    new_ms=st.sampled_from([TimeHistogram(), FAST, slower(5), slower(12)]),
    old_mb=st.floats(0, 1000),
    new_mb=st.floats(0, 1000),
)


@given(comparisons)
def test_every_verdict_has_a_reason(state: ShadowComparison) -> None:
    assert judged(state, SETTINGS).words


@given(comparisons)
def test_nothing_passes_before_its_time_and_without_its_crops(state: ShadowComparison) -> None:
    if judged(state, SETTINGS).outcome is ShadowOutcome.PASSED:
        assert state.watched_s >= SETTINGS.for_s
        assert state.crops >= SETTINGS.crops
        assert state.all.objects >= SETTINGS.objects


@given(comparisons, st.sampled_from(ShadowFailure), st.integers(1, 600))
def test_one_that_failed_is_not_saved_by_more_failures(
    state: ShadowComparison, how: ShadowFailure, more: int
) -> None:
    worse = replace(state, failures={**state.failures, how: state.failures.get(how, 0) + more})
    if judged(state, SETTINGS).outcome is ShadowOutcome.FAILED:
        assert judged(worse, SETTINGS).outcome is ShadowOutcome.FAILED


@given(comparisons)
def test_no_trial_goes_on_beyond_its_limit(state: ShadowComparison) -> None:
    over = replace(state, watched_s=SETTINGS.give_up_s)
    assert judged(over, SETTINGS).outcome is not ShadowOutcome.CANNOT_TELL
