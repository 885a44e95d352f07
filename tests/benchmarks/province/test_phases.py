"""benchmarks.province.phases"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.province.phases import BESIDE, STRETCH, BatchSample, Phases, SeenBatches, Ways, in_order


def some(sizes: list[int], rates: list[float]) -> Phases:
    """Batches of these sizes, and ways of these rates; each says whose it is."""
    batches = tuple(BatchSample(size, size, 0.001 * size, 0.002 * size) for size in sizes)
    return Phases(
        (SeenBatches(1.0, batches),),
        (0.002,),
        (0.001,),
        tuple(Ways(rate, (rate,), (rate,)) for rate in rates),
        0.0,
    )


@given(st.lists(st.integers(1, 200), min_size=1, max_size=80), st.integers(1, 300), st.integers(0, 99))
def test_a_batch_that_is_drawn_is_of_that_size_or_one_of_the_nearest_beside_it(
    sizes: list[int], wanted: int, seed: int
) -> None:
    sizes.sort()
    drawn = some(sizes, [1.0]).batch(wanted, 1.0, Random(seed)).messages

    nearer = [each for each in sizes if wanted < each < drawn or drawn < each < wanted]
    assert drawn in sizes
    assert len(nearer) < BESIDE


def test_of_many_batches_of_one_size_each_is_drawn() -> None:
    seen = tuple(BatchSample(5, 5, 0.001, 0.001 * number) for number in range(200))
    phases, chance = replace(some([1], [1.0]), batches=(SeenBatches(1.0, seen),)), Random(1)

    drawn = {phases.batch(5, 1.0, chance).lasted_s for _ in range(4_000)}

    assert len(drawn) == 200


def test_a_batch_is_drawn_from_those_of_the_rates_beside_it_for_a_busy_program_does_more_at_once() -> None:
    seen = tuple(SeenBatches(rate, (BatchSample(5, 5, 0.001, rate),)) for rate in (100.0, 200.0, 500.0))
    phases, chance = replace(some([1], [1.0]), batches=seen), Random(1)

    drawn = [phases.batch(5, 275.0, chance).lasted_s for _ in range(4_000)]

    assert set(drawn) == {200.0, 500.0}
    assert drawn.count(500.0) / len(drawn) == pytest.approx(0.25, abs=0.03)
    assert phases.batch(5, 20.0, chance).lasted_s == 100.0
    assert phases.batch(5, 900.0, chance).lasted_s == 500.0


def test_the_ways_of_a_rate_between_two_are_drawn_from_both_the_nearer_the_more_often() -> None:
    phases, chance = some([1], [100.0, 200.0, 500.0]), Random(1)

    drawn = [phases.way(275.0, chance).rate for _ in range(4_000)]

    assert set(drawn) == {200.0, 500.0}
    assert drawn.count(500.0) / len(drawn) == pytest.approx(0.25, abs=0.03)
    assert phases.way(20.0, chance).rate == 100.0
    assert phases.way(900.0, chance).rate == 500.0


def test_ways_are_drawn_in_stretches_as_they_were_seen_for_what_delays_one_delays_the_next() -> None:
    seen = Ways(1.0, tuple(float(number) for number in range(1_000)), (0.5,))
    phases = replace(some([1], [1.0]), ways=(seen,))

    drawn = list(phases.ways_of(1.0, 10 * STRETCH - 3, Random(1)))

    there = [each for each, _ in drawn]
    follows = [(after - before) % 1_000 == 1 for before, after in pairwise(there)]
    assert len(drawn) == 10 * STRETCH - 3
    assert [at for at, each in enumerate(follows, 1) if not each] == [STRETCH * n for n in range(1, 10)]
    assert {back for _, back in drawn} == {0.5}


def test_what_is_sent_later_never_arrives_earlier() -> None:
    assert in_order([0.0, 0.1, 0.2, 0.5], [0.3, 0.05, 0.2, 0.01]) == pytest.approx([0.3, 0.3, 0.4, 0.51])


def test_phases_of_which_a_part_was_not_seen_are_refused() -> None:
    whole = some([1, 2], [1.0])

    for lack in ({"batches": (SeenBatches(1.0, ()),)}, {"quiet_s": ()}, {"attend_s": ()}):
        with pytest.raises(ValueError, match="a sample of each"):
            replace(whole, **lack)
    backwards = tuple(SeenBatches(rate, (BatchSample(5, 5, 0.001, 0.002),)) for rate in (2.0, 1.0))
    for lack in ({"batches": ()}, {"ways": ()}, {"batches": backwards}):
        with pytest.raises(ValueError, match="of the lowest rate first"):
            replace(whole, **lack)
    with pytest.raises(ValueError, match="the smallest first"):
        some([2, 1], [1.0])
