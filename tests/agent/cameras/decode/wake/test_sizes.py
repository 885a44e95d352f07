"""agent.cameras.decode.wake.sizes"""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.wake.sizes import KEPT, KNOWN, PacketSize, Recent, SizeJudge

FPS = 25.0
KEY_BYTES, BYTES = 20_000, 1_500


def stream(
    seconds: float,
    group: int = 50,
    seed: int = 1,
    spread: float = 0.2,
    times: float = 1.0,
    start_s: float = 0.0,
) -> Iterator[PacketSize]:
    """Packets of a still view, whose sizes tremble."""
    chance = random.Random(seed)
    for n in range(int(seconds * FPS)):
        at_s = start_s + n / FPS
        if n % group == 0:
            yield PacketSize(KEY_BYTES, True, at_s, at_s)
        else:
            yield PacketSize(int(times * BYTES * chance.uniform(1 - spread, 1 + spread)), False, at_s, at_s)


def reordered(seconds: float, start_s: float = 0.0, times: float = 1.0) -> Iterator[PacketSize]:
    """The same with three pictures between two that are predicted from the past: each kind has its size."""
    chance = random.Random(3)
    for group in range(int(seconds * FPS) // 4):
        at_s = start_s + group * 4 / FPS
        for place, (size, shown) in enumerate(((4000, 4), (1400, 2), (500, 1), (520, 3))):
            moment_s = at_s + place / FPS
            key = group % 25 == 0 and place == 0
            bytes_of = KEY_BYTES if key else int(times * size * chance.uniform(0.9, 1.1))
            yield PacketSize(bytes_of, key, at_s + shown / FPS, moment_s)


def most(judge: SizeJudge, packets: Iterator[PacketSize], calm: bool = True) -> float:
    return max(judge.came(each, calm) for each in packets)


@pytest.mark.parametrize("seed", range(4))
def test_a_still_view_is_usual(seed: int) -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, stream(10, seed=seed))
    assert judge.knows
    beginnings = 0
    for second in range(60):
        if most(judge, stream(1, seed=100 * seed + second, start_s=10 + second)) >= 1.0:
            beginnings += 1
            judge.accept()
    assert beginnings <= 8  # each costs a second of decoding, and the sleeper learns from it


@pytest.mark.parametrize("times", [1.6, 2, 5])
def test_packets_that_grow_tell_it_within_a_third_of_a_second(times: float) -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, stream(10))
    assert most(judge, stream(0.33, start_s=10.04, times=times, group=9999)) >= 1.0


def test_each_kind_of_picture_is_compared_with_its_own_kind() -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, reordered(10))
    usual = most(judge, reordered(20, start_s=10))
    judge.accept()
    assert usual < 2.0
    assert most(judge, reordered(0.5, start_s=30, times=1.8)) >= 1.0


def test_nothing_is_said_before_what_is_usual_is_known() -> None:
    judge = SizeJudge(1 / FPS)
    assert most(judge, stream(0.5, group=9999)) == 0.0
    assert not judge.knows


def test_the_noise_of_a_night_says_nothing() -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, stream(10, times=8.0))
    assert judge.grainy
    assert not judge.knows


def test_what_was_nothing_is_usual_from_then_on() -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, stream(10))
    for second in range(12):
        most(judge, stream(1, start_s=10.04 + second, times=2.0, group=9999, seed=second))
        judge.accept()
    assert most(judge, stream(2, start_s=22.04, times=2.0, seed=50, group=9999)) < 2.0


def test_nothing_is_learned_while_something_moves() -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, stream(10))
    most(judge, stream(30, start_s=10, times=3.0), calm=False)
    judge.cut()
    assert most(judge, stream(0.4, start_s=50.04, times=2.0, group=9999)) >= 1.0


sizes = st.lists(
    st.tuples(st.integers(0, 10**7), st.booleans(), st.floats(-1e4, 1e5), st.booleans()), max_size=60
)


@given(sizes, st.floats(1e-6, 10))
def test_no_sizes_and_no_times_are_too_wild(
    packets: list[tuple[int, bool, float, bool]], interval_s: float
) -> None:
    judge = SizeJudge(interval_s)
    for n, (size, key, shown_s, calm) in enumerate(packets):
        beyond = judge.came(PacketSize(size, key, shown_s, n / FPS), calm)
        assert isfinite(beyond)
        assert beyond == 0.0 or n >= KNOWN


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=2 * KEPT), st.floats(0, 1))
def test_of_recent_values_the_latest_are_kept_and_quantiles_are_theirs(
    values: list[float], share: float
) -> None:
    recent = Recent()
    for each in values:
        recent.add(each)
    latest = sorted(values[-KEPT:])
    (found,) = recent.quantiles(share)
    assert found == latest[min(len(latest) - 1, int(share * len(latest)))]
    assert len(recent) == len(latest)
