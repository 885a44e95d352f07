"""benchmarks.scenes.left"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.scenes.left import LEARN_S, Street, left, score, story


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("bag", ["start", "end"]),
        ("cargo", ["start", "end"]),
        ("sitter", []),
        ("waiter", []),
        ("car", []),
        ("lamp", []),
        ("shadow", []),
        ("gone", []),
    ],
)
def test_in_pixels_only_what_nobody_stays_with_is_told_and_ends_when_it_is_taken(
    kind: str, expected: list[str]
) -> None:
    one = story(kind, LEARN_S + 2, (150, 135), np.random.default_rng(4), 60.0)
    street = Street(one.actors, seed=4)
    street.run(85.0)

    phases = [event.phase.value for event in street.events if event.phase.value != "update"]
    assert phases == expected
    found = score([one], street.events, 85.0)
    assert (found.reported, found.false, found.ended_in_time) == (len(expected) // 2, (), len(expected) // 2)


@pytest.mark.long
def test_the_same_seed_gives_the_same_figures() -> None:
    assert left(1.5, 3) == left(1.5, 3)
