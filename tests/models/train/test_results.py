"""models.train.results"""

from __future__ import annotations

import pytest

from models.train.results import HeldBackPoint


def test_what_was_learned_and_what_was_kept_count_alike() -> None:
    point = HeldBackPoint(1, {"car": 0.2, "motorcycle": 0.6}, kept=0.8)

    assert point.mean == pytest.approx(0.4)
    assert point.worth == pytest.approx(0.6)


def test_where_nothing_was_rehearsed_only_what_was_learned_counts() -> None:
    assert HeldBackPoint(1, {"car": 0.5}).worth == 0.5
    assert HeldBackPoint(1, {}).worth == 0.0
