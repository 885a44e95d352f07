"""agent.cameras.decode.wake.usual_sizes"""

from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.wake.usual_sizes import ENOUGH, KEPT, MOST_KINDS, Kind, Recent, UsualSizes

PLAIN: Kind = (1, 0)


def learned(sizes: dict[int | None, list[float]], key_bytes: float = 10_000) -> UsualSizes:
    usual = UsualSizes()
    usual.learn_key(20, key_bytes)
    for quantiser, each in sizes.items():
        for size in each:
            usual.learn(PLAIN, quantiser, size)
    usual.find()
    return usual


def test_each_quantiser_has_a_usual_size_of_its_own() -> None:
    usual = learned({20: [3000, 3100, 2900, 3050, 2950, 3000], 26: [20, 25, 22, 23, 24, 21]})
    coarse, fine = usual.of(PLAIN, 26), usual.of(PLAIN, 20)
    assert coarse is not None and fine is not None
    assert 20 <= coarse.middle <= 25
    assert 2900 <= fine.middle <= 3100


def test_a_quantiser_that_was_not_seen_is_compared_with_the_next_finer_one() -> None:
    usual = learned({20: [3000] * 6, 24: [400] * 6})
    between, coarser = usual.of(PLAIN, 22), usual.of(PLAIN, 30)
    assert between is not None and coarser is not None
    assert between.middle == pytest.approx(3000 * 2 ** (-2 / 6))
    assert coarser.middle == pytest.approx(400 / 2)
    assert usual.of(PLAIN, 19) is None


def test_what_was_not_seen_often_enough_is_not_known() -> None:
    usual = learned({26: [20] * (ENOUGH - 1)})
    assert usual.of(PLAIN, 26) is None
    assert usual.of((2, 0), 26) is None


def test_nothing_is_usual_before_the_first_key_picture() -> None:
    usual = UsualSizes()
    for _ in range(20):
        usual.learn(PLAIN, 26, 20)
    usual.find()
    assert usual.of(PLAIN, 26) is None
    assert usual.passer_bytes(26) == 0.0


def test_at_six_quantisers_more_a_passer_adds_half() -> None:
    usual = learned({})
    assert usual.passer_bytes(26) == pytest.approx(usual.passer_bytes(20) / 2)


def test_a_hundred_kinds_and_quantisers_are_kept_and_no_more_whatever_a_stream_sends() -> None:
    usual = learned({26: [20] * 50})
    for far in range(1, 9):
        for quantiser in range(52):
            for _ in range(ENOUGH):
                usual.learn((far, 1), quantiser, 50)
    usual.find()
    known = [usual.of((far, 1), quantiser) for far in range(1, 9) for quantiser in range(52)]
    exact = [each for each in known if each is not None and each.middle == 50]
    assert 0 < len(exact) <= MOST_KINDS
    assert usual.of(PLAIN, 26) is not None  # what came often stays


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 51), st.floats(0, 1e7), st.sampled_from([(1, 0), (2, 0), (2, 1)])),
        max_size=60,
    ),
    st.none() | st.integers(0, 51),
)
def test_whatever_was_learned_a_spread_is_never_nothing(
    packets: list[tuple[int | None, float, Kind]], asked: int | None
) -> None:
    usual = UsualSizes()
    usual.learn_key(asked, 1000.0)
    for quantiser, size, kind in packets:
        usual.learn(kind, quantiser, size)
    usual.find()
    for quantiser, _, kind in packets:
        found = usual.of(kind, quantiser)
        assert found is None or (found.spread >= 2.0 and found.middle >= 0.0)
    assert isfinite(usual.passer_bytes(asked))


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
