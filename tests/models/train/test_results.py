"""models.train.results"""

from __future__ import annotations

import pytest

from models.train.results import LEAST_KEPT, HeldBackPoint, Mixture, most_learned


def mixture(share: float, learned: float, kept: float | None) -> Mixture:
    return Mixture(share, HeldBackPoint(1, {"car": learned}, kept))


def test_each_label_counts_alike() -> None:
    assert HeldBackPoint(1, {"car": 0.2, "motorcycle": 0.6}).mean == pytest.approx(0.4)
    assert HeldBackPoint(1, {}).mean == 0.0


def test_of_those_that_remember_enough_the_one_that_learned_most_is_taken() -> None:
    tried = [
        mixture(0.4, 0.30, 0.97),
        mixture(0.6, 0.41, LEAST_KEPT),
        mixture(0.8, 0.40, 0.95),
        mixture(1.0, 0.60, LEAST_KEPT - 0.01),
    ]

    assert most_learned(tried).share == 0.6


def test_where_none_remembers_enough_the_one_that_kept_most_is_taken() -> None:
    assert most_learned([mixture(0.4, 0.3, 0.7), mixture(0.6, 0.5, 0.8), mixture(1.0, 0.9, 0.2)]).share == 0.6


def test_where_nothing_was_rehearsed_only_what_was_learned_counts() -> None:
    assert most_learned([mixture(0.4, 0.3, None), mixture(1.0, 0.4, None)]).share == 1.0
