"""agent.core.tamper.evidence"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.core.tamper import evidence as evidences
from agent.core.tamper.classify import Doubt, Observation, Symptom, TamperKind
from agent.core.tamper.evidence import TamperEvidence, Visibility
from agent.core.tamper.features import look
from agent.core.tamper.settings import TamperSettings
from agent.core.types import Frame, Instant

SETTINGS = TamperSettings()
LOOK_S = SETTINGS.look_every_s
COVERED, BUS = Symptom(TamperKind.COVERED), Symptom(TamperKind.COVERED, Doubt.PASSING)
LORRY, EVENING = Symptom(TamperKind.COVERED, Doubt.STANDING), Symptom(TamperKind.DARK, Doubt.SLOW)
NOTHING = np.zeros((8, 14), np.float32)


def at(second: float) -> Instant:
    return Instant(100 + second, 1_770_000_000 + second)


def frame(second: float, level: int = 100) -> Frame:
    luma = np.full((180, 320), level, np.uint8)
    chroma = np.full((90, 160), 128, np.uint8)
    return Frame(0, at(second), luma, chroma, chroma)


SEEN = Observation(look=look(frame(0)), steady=NOTHING, noise=NOTHING, rich=1.0, blank=False, change=None)


def seconds_until_told(symptom: Symptom, most_s: float = 120.0) -> float:
    """How long a symptom must go on, from the first look that shows it."""
    state = TamperEvidence(healthy=at(0))
    for n in range(1, int(most_s / LOOK_S)):
        state = evidences.weighed(state, symptom, at(n * LOOK_S), LOOK_S, SETTINGS)
        state = evidences.judged(state, SEEN, symptom, at(n * LOOK_S), SETTINGS)
        if state.view.fault is not None:
            assert state.view.fault is symptom.fault
            assert state.view.since == at(LOOK_S)
            return n * LOOK_S
    return float("inf")


@pytest.mark.parametrize(
    ("symptom", "seconds"),
    [(COVERED, SETTINGS.after_s), (BUS, SETTINGS.partly_after_s), (LORRY, 30.0), (EVENING, 60.0)],
)
def test_a_symptom_must_go_on_as_long_as_what_else_it_may_be_takes_to_pass(
    symptom: Symptom, seconds: float
) -> None:
    assert seconds_until_told(symptom) == pytest.approx(seconds, abs=LOOK_S)


def test_seconds_without_a_symptom_undo_what_spoke_for_a_fault() -> None:
    state = TamperEvidence(healthy=at(0))
    for n in range(1, 5):
        state = evidences.weighed(state, COVERED, at(n / 2), LOOK_S, SETTINGS)
    assert 0 < state.weight < 1
    for n in range(5, 12):
        state = evidences.weighed(state, None, at(n / 2), LOOK_S, SETTINGS)

    assert (state.weight, state.weight_partly, state.suspected) == (0.0, 0.0, None)


def test_one_look_after_a_gap_speaks_for_a_moment_only() -> None:
    state = evidences.weighed(TamperEvidence(healthy=at(0)), COVERED, at(25), 25.0, SETTINGS)

    assert state.weight == pytest.approx(1.0 / SETTINGS.after_s)


def known(fault: TamperKind) -> TamperEvidence:
    return TamperEvidence(healthy=at(0), weight=1.0, weight_partly=1.0, view=Visibility(fault, at(1)))


def test_a_fault_is_over_once_nothing_speaks_for_it_for_its_time() -> None:
    state = known(TamperKind.COVERED)
    for n in range(10, 20):
        state = evidences.judged(state, SEEN, None, at(n / 2), SETTINGS)
        if state.view.fault is None:
            break

    assert at(n / 2).since(at(5)) == SETTINGS.back_after_s
    assert state.healthy == at(n / 2)
    assert state.weight == 0


def test_a_blank_picture_ends_no_fault() -> None:
    state, blank = known(TamperKind.DARK), replace(SEEN, blank=True)
    for n in range(10, 400):
        state = evidences.judged(state, blank, None, at(n / 2), SETTINGS)

    assert state.view.fault is TamperKind.DARK


def test_what_is_uncovered_but_turned_away_becomes_moved() -> None:
    state, moved = known(TamperKind.COVERED), Symptom(TamperKind.MOVED)
    for n in range(10, 18):
        state = evidences.judged(state, SEEN, moved, at(n / 2), SETTINGS)

    assert state.view.fault is TamperKind.MOVED
    assert state.view.since == at(1)


def test_equal_pictures_are_frozen_after_their_time_and_seen_again_with_the_first_other_one() -> None:
    same, other = look(frame(0)), look(frame(0, 140))
    state = evidences.stillness(TamperEvidence(healthy=at(0)), same, same, at(0))
    early = evidences.judged(state, SEEN, None, at(SETTINGS.frozen_after_s - 1), SETTINGS)
    frozen = evidences.judged(state, SEEN, None, at(SETTINGS.frozen_after_s), SETTINGS)
    moving = evidences.stillness(frozen, same, other, at(20))
    back = evidences.judged(moving, SEEN, None, at(20), SETTINGS)

    assert (early.view.fault, frozen.view.fault, back.view.fault) == (None, TamperKind.FROZEN, None)
    assert frozen.view.since == at(0)


def test_a_stream_that_stood_still_by_itself_is_given_twice_its_own_time() -> None:
    same, other = look(frame(0)), look(frame(0, 140))
    state = evidences.stillness(TamperEvidence(healthy=at(0)), same, same, at(0))
    state = evidences.stillness(state, same, other, at(6))

    assert evidences.frozen_after_s(TamperEvidence(), SETTINGS) == SETTINGS.frozen_after_s
    assert evidences.frozen_after_s(state, SETTINGS) == 12


def test_only_what_follows_soon_upon_a_healthy_picture_is_sudden() -> None:
    assert evidences.sudden(TamperEvidence(healthy=at(0)), at(5))
    assert not evidences.sudden(TamperEvidence(healthy=at(0)), at(9))
    assert not evidences.sudden(TamperEvidence(), at(9))
    assert evidences.sudden(known(TamperKind.BLURRED), at(900))  # for one that is told goes on


def test_a_blur_comes_at_once_and_a_bank_of_fog_does_not() -> None:
    healthy = TamperEvidence(healthy=at(0))

    assert evidences.blurred_at_once(healthy, at(2))
    assert not evidences.blurred_at_once(healthy, at(5))
    assert evidences.blurred_at_once(replace(healthy, suspected=at(2)), at(5))
