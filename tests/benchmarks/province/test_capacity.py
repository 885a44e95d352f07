"""benchmarks.province.capacity"""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.province.capacity import most, sustained
from benchmarks.province.costs import ServiceTimes
from benchmarks.province.intake_loop import BATCH
from tests.benchmarks.province.test_intake_loop import fed


def test_a_flood_is_taken_in_full_batches_as_fast_as_a_server_of_batches_can(times: ServiceTimes) -> None:
    loop, batches, _ = fed(times, [(0.0, number % 11) for number in range(20_000)], 1_000.0)

    assert [len(batch) for batch in batches] == [BATCH] * (20_000 // BATCH)
    reading_s = 20_000 * times.read_s
    assert 20_000 / (max(loop.took_s) - reading_s) == pytest.approx(most(times), rel=0.05)


@pytest.mark.long
@pytest.mark.parametrize(("share", "grows"), [(0.8, False), (1.4, True)])
def test_below_what_it_sustains_the_queue_stays_short_and_above_it_grows(
    times: ServiceTimes, share: float, grows: bool
) -> None:
    rate, chance, moment_s = share * sustained(times), Random(2), 0.0
    arrivals = []
    while (moment_s := moment_s + chance.expovariate(rate)) < 8.0:
        arrivals.append((moment_s, chance.randrange(11)))

    loop, _, _ = fed(times, arrivals, 8.0)

    assert (loop.waiting > 5 * BATCH) is grows


def test_no_loop_sustains_more_than_full_batches_would_bring(times: ServiceTimes) -> None:
    assert 0.1 * most(times) < sustained(times) <= most(times)
