"""models.train.calibration"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detectors.card import SURE
from models.train.calibration import BELIEVED, LEAST_FINDS, Finds, sure_from


def sure(base: Finds, trained: Finds, before: float = SURE) -> float:
    """With one label."""
    return sure_from({"car": base}, {"car": trained}, before)


def logit(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


def network(shift: float, count: int = 20_000) -> Finds:
    """Boxes that are right with a chance whose log-odds are those of the score, and `shift` more."""
    chance = np.random.default_rng(3)
    odds = chance.uniform(logit(0.1), logit(0.95), count)
    right = chance.random(count) < 1 / (1 + np.exp(-odds - shift))
    return list(zip((1 / (1 + np.exp(-odds))).tolist(), right.tolist(), strict=True))


@pytest.mark.parametrize("shift", [-0.8, 0.0, 0.5, 1.2])
def test_a_network_that_is_right_more_often_than_it_says_is_believed_sooner(shift: float) -> None:
    wanted = 1 / (1 + np.exp(BELIEVED * shift - logit(SURE)))

    assert sure(network(0.0), network(shift)) == pytest.approx(wanted, abs=0.02)


def test_labels_that_are_missing_count_for_neither() -> None:
    """A third of what is right counts as wrong, of both."""
    missing = np.random.default_rng(4)

    def lessened(finds: Finds) -> Finds:
        return [(score, right and bool(missing.random() > 1 / 3)) for score, right in finds]

    whole = sure(network(0.0), network(0.7))

    assert sure(lessened(network(0.0)), lessened(network(0.7))) == pytest.approx(whole, abs=0.06)


def test_a_label_that_the_base_hardly_finds_says_nothing() -> None:
    """Its labels are missing where nobody looked, and only the new one finds what lies there."""
    cars = {"car": network(0.0)}
    parked: Finds = [(score, right and place % 4 == 0) for place, (score, right) in enumerate(network(0.0))]

    alone = sure_from(cars, {"car": network(0.7)})
    beside = sure_from({**cars, "motorcycle": network(0.0, 200)}, {"car": network(0.7), "motorcycle": parked})

    assert beside == pytest.approx(alone, abs=0.001)


def test_labels_count_by_how_often_the_base_finds_them() -> None:
    base = {"car": network(0.0, 3000), "bus": network(0.0, 1000)}
    both = sure_from(base, {"car": network(0.8, 3000), "bus": network(0.0, 1000)})
    wanted = 1 / (1 + np.exp(BELIEVED * 0.6 - logit(SURE)))

    assert both == pytest.approx(wanted, abs=0.03)


def test_what_the_cards_scores_were_shifted_by_remains() -> None:
    assert sure(network(0.0), network(0.0), before=0.43) == pytest.approx(0.43, abs=0.01)


@pytest.mark.parametrize(
    "finds",
    [
        [],
        network(0.5, LEAST_FINDS // 4),
        [(0.5, True)] * 200,
        [(0.9 - 0.8 * right, bool(right)) for right in (0, 1) for _ in range(200)],
    ],
    ids=["none", "few", "all right", "the surer the wronger"],
)
def test_where_nothing_can_be_said_the_bases_stands(finds: Finds) -> None:
    assert sure(network(0.0), finds, before=0.55) == 0.55
    assert sure(finds, network(0.0), before=0.55) == 0.55


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=200))
def test_whatever_was_found_it_is_a_score(finds: Finds) -> None:
    assert 0.35 < sure(network(0.0, 2000), finds) < 0.8
