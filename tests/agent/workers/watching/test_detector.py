"""agent.workers.watching.detector: one that fails says nothing, and is asked again ever more slowly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.errors import ModelError
from agent.host.supervise import CALM_S
from agent.workers.watching.detector import BACKOFF_S, REST_S, PatientDetector
from tests.conftest import SteppedClock
from tests.support.breakable_detector import BreakableDetector
from tests.support.squares import picture

BROKEN = ModelError("squares: the network failed", "is the graphics memory full?")
CROPS = [picture((40.0,)), picture(())]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[BreakableDetector]:
    made = BreakableDetector(tmp_path)
    yield made
    made.close()


def test_what_was_asked_and_answered_is_had_once_and_its_time_is_told(network: BreakableDetector) -> None:
    took_ms: list[float] = []
    patient = PatientDetector("road", network, SteppedClock(), took_ms.append)
    assert patient.answered() is None

    found = patient.look(CROPS)
    assert [len(each) for each in found] == [1, 0]
    assert patient.answered() == (CROPS, found)
    assert patient.answered() is None
    assert len(took_ms) == 1


def test_while_it_fails_nothing_is_found_and_it_is_told_once(network: BreakableDetector) -> None:
    clock, took_ms = SteppedClock(), list[float]()
    patient = PatientDetector("road", network, clock, took_ms.append)
    network.broken = BROKEN
    with capture_logs() as lines:
        for _ in range(1000):
            assert patient.look(CROPS) == [(), ()]
            assert patient.answered() is None
            clock.advance(0.1)
        assert patient.fails
        network.broken = None
        clock.advance(REST_S + BACKOFF_S[1])
        assert [len(each) for each in patient.look(CROPS)] == [1, 0]

    assert not patient.fails
    assert [line["event"] for line in lines] == ["lost", "back"]
    assert len(took_ms) == 1, "a call that failed has no time of its own"


def test_it_is_asked_again_after_a_second_at_the_soonest_and_ever_more_slowly(
    network: BreakableDetector,
) -> None:
    clock = SteppedClock()
    patient = PatientDetector("road", network, clock, lambda _: None)
    network.broken, asked_s = BROKEN, list[float]()
    for _ in range(6000):
        before = network.calls
        patient.look(CROPS)
        if network.calls > before:
            asked_s.append(clock.now().mono_s)
        clock.advance(0.1)

    waits_s = [later - earlier for earlier, later in pairwise(asked_s)]
    assert min(waits_s) >= REST_S
    assert max(waits_s) <= REST_S + BACKOFF_S[1] + 0.2
    assert len(asked_s) < 600 / 10, "in ten minutes not once in ten seconds"


def test_after_it_went_well_for_long_the_waits_begin_small_again(network: BreakableDetector) -> None:
    clock = SteppedClock()
    patient = PatientDetector("road", network, clock, lambda _: None)
    for _ in range(20):
        network.broken = BROKEN
        patient.look(CROPS)
        network.broken = None
        clock.advance(REST_S + 2 * BACKOFF_S[0])
        assert [len(each) for each in patient.look(CROPS)] == [1, 0]
        clock.advance(CALM_S + 1)
