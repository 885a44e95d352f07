"""agent.cameras.decode.wake.sizes"""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.wake.sizes import KNOWN, PacketSize, SizeJudge

FPS = 25.0
KEY_BYTES, BYTES = 20_000, 200


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
        for place, (size, shown) in enumerate(((400, 4), (140, 2), (50, 1), (52, 3))):
            moment_s = at_s + place / FPS
            key = group % 25 == 0 and place == 0
            bytes_of = KEY_BYTES if key else int(times * size * chance.uniform(0.9, 1.1))
            yield PacketSize(bytes_of, key, at_s + shown / FPS, moment_s)


def at_quantiser(quantiser: int, packets: Iterator[PacketSize]) -> Iterator[PacketSize]:
    return (PacketSize(each.size_bytes, each.is_key, each.shown_s, each.at_s, quantiser) for each in packets)


def most(judge: SizeJudge, packets: Iterator[PacketSize], calm: bool = True) -> float:
    return max(judge.came(each, calm) for each in packets)


@pytest.mark.parametrize("seed", range(4))
def test_a_still_view_is_usual(seed: int) -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, stream(10, seed=seed))
    assert judge.hearing > 1.0
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
    assert judge.hearing == 0.0


def test_the_noise_of_a_night_says_nothing() -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, stream(10, times=8.0))
    assert 0.0 < judge.hearing < 1.0


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


def kept_rate(
    seconds: float, start_s: float = 0.0, added: int = 0, known: bool = True, noise: float = 0.05
) -> Iterator[PacketSize]:
    """An encoder that keeps to a bit rate spends on noise what a still view leaves, by finer quantisers."""
    chance = random.Random(7)
    for n in range(int(seconds * FPS)):
        at_s = start_s + n / FPS
        turn = int(at_s * FPS) % 50
        quantiser = 27 - turn // 10
        usual = (25, 30, 120, 900, 3000)[turn // 10] * chance.uniform(1 - noise, 1 + noise)
        size = KEY_BYTES if turn == 0 else int(usual) + added
        yield PacketSize(size, turn == 0, at_s, at_s, quantiser if known else None)


def test_at_a_coarse_quantiser_a_passer_is_heard_whom_the_noise_of_finer_ones_would_hide() -> None:
    knowing, ignorant = SizeJudge(1 / FPS), SizeJudge(1 / FPS)
    most(knowing, kept_rate(20))
    most(ignorant, kept_rate(20, known=False))
    assert most(knowing, kept_rate(0.36, start_s=20.04, added=90)) >= 1.0
    assert most(ignorant, kept_rate(0.36, start_s=20.04, added=90, known=False)) < 1.0


def test_where_pictures_are_noise_it_says_that_a_passer_might_not_be_heard() -> None:
    noisy, still = SizeJudge(1 / FPS), SizeJudge(1 / FPS)
    most(noisy, kept_rate(20, noise=0.9))
    most(still, stream(20))
    assert noisy.hearing < 1.0 < still.hearing


def test_a_quantiser_that_was_never_seen_and_is_finer_than_all_says_nothing() -> None:
    judge = SizeJudge(1 / FPS)
    most(judge, at_quantiser(26, stream(10)))
    finer = stream(0.4, start_s=10.04, times=15, group=9999)
    assert most(judge, at_quantiser(20, finer)) < 1.0


sizes = st.lists(
    st.tuples(
        st.integers(0, 10**7),
        st.booleans(),
        st.floats(-1e4, 1e5),
        st.booleans(),
        st.none() | st.integers(0, 51),
    ),
    max_size=60,
)


@given(sizes, st.floats(1e-6, 10))
def test_no_sizes_and_no_times_are_too_wild(
    packets: list[tuple[int, bool, float, bool, int | None]], interval_s: float
) -> None:
    judge = SizeJudge(interval_s)
    for n, (size, key, shown_s, calm, quantiser) in enumerate(packets):
        beyond = judge.came(PacketSize(size, key, shown_s, n / FPS, quantiser), calm)
        assert isfinite(beyond) and isfinite(judge.hearing)
        assert beyond == 0.0 or n >= KNOWN
