"""agent.core.shadow.comparison"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.shadow.comparison import (
    SURE,
    ComparedCrop,
    FoundObjects,
    ShadowComparison,
    ShadowFailure,
    compared,
    failed,
    measured,
    size_of,
)
from agent.core.types import Box, Detection

LABELS = ("person", "car", "motorcycle")
PLACES = tuple(Box(x / 4, y / 4, (x + 1) / 4, (y + 1) / 4) for x in range(4) for y in range(4))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Detection, ...]:
    """Objects at places that do not overlap."""
    places = draw(st.lists(st.sampled_from(PLACES), unique=True, max_size=6))
    return tuple(Detection(draw(st.sampled_from(LABELS)), draw(st.floats(0.1, 1.0)), place) for place in places)


crops = st.builds(
    ComparedCrop,
    old=scenes(),
    new=scenes(),
    rests=st.booleans(),
    ms=st.floats(0.1, 1e4),
    new_mb=st.floats(0, 1e4),
)


def folded(some: list[ComparedCrop]) -> ShadowComparison:
    state = ShadowComparison()
    for each in some:
        state = compared(state, each)
    return state


@given(st.lists(scenes(), max_size=8))
def test_a_model_that_sees_the_same_finds_all_and_nothing_more(seen: list[tuple[Detection, ...]]) -> None:
    state = folded([ComparedCrop(each, each, False, 1.0) for each in seen])
    sure = [one for each in seen for one in each if one.score >= SURE]

    assert (state.all.objects, state.all.found, state.all.same_label) == (len(sure),) * 3
    assert state.only_new == {}


@given(st.lists(scenes(), max_size=8))
def test_a_model_that_sees_nothing_finds_none_of_what_the_old_one_is_sure_of(
    seen: list[tuple[Detection, ...]],
) -> None:
    state = folded([ComparedCrop(each, (), False, 1.0) for each in seen])

    assert state.all.objects == sum(one.score >= SURE for each in seen for one in each)
    assert state.all.found == 0


@given(st.lists(crops, max_size=12))
def test_no_more_is_found_than_was_there_and_labels_and_sizes_count_the_same(some: list[ComparedCrop]) -> None:
    state = folded(some)

    for each in (*state.labels.values(), *state.sizes.values()):
        assert each.objects >= each.found >= each.same_label >= 0
    assert sum(each.objects for each in state.sizes.values()) == state.all.objects
    assert sum(each.found for each in state.sizes.values()) == state.all.found
    assert state.crops == state.new_ms.count == len(some)
    assert state.rests <= state.crops


@given(st.lists(crops, max_size=8), st.integers(0, 1000))
def test_the_order_of_the_crops_does_not_matter(some: list[ComparedCrop], seed: int) -> None:
    shuffled = random.Random(seed).sample(some, len(some))

    assert folded(shuffled) == folded(some)


@given(st.lists(crops, max_size=8), st.integers(0, 8))
def test_a_comparison_goes_on_where_it_was(some: list[ComparedCrop], where: int) -> None:
    state = folded(some[:where])
    for each in some[where:]:
        state = compared(state, each)

    assert state == folded(some)


@given(scenes(), scenes())
def test_what_only_one_of_them_sees_is_no_object_of_the_other(
    old: tuple[Detection, ...], new: tuple[Detection, ...]
) -> None:
    """At places that do not overlap, one object is one place."""
    state = folded([ComparedCrop(old, new, False, 1.0)])
    places = {each.box for each in old}

    assert sum(state.only_new.values()) == sum(each.score >= SURE and each.box not in places for each in new)


def test_an_object_that_is_called_otherwise_is_found_but_not_the_same() -> None:
    place = PLACES[5]
    state = folded(
        [ComparedCrop((Detection("car", 0.9, place),), (Detection("truck", 0.3, place),), False, 1.0)]
    )

    assert state.labels == {"car": FoundObjects(1, 1, 0)}


def test_a_rider_is_held_against_a_person_and_not_against_the_motorcycle_below() -> None:
    rider, ridden = Box(0.4, 0.2, 0.6, 0.7), Box(0.4, 0.3, 0.6, 0.8)
    both = (Detection("person", 0.8, rider), Detection("motorcycle", 0.8, ridden))
    shifted = (Detection("motorcycle", 0.8, Box(0.4, 0.26, 0.6, 0.76)), Detection("person", 0.8, rider))

    state = folded([ComparedCrop(both, shifted, False, 1.0)])

    assert state.labels == {"person": FoundObjects(1, 1, 1), "motorcycle": FoundObjects(1, 1, 1)}


def test_only_where_the_old_one_sees_nothing_and_nothing_moves_an_object_may_be_a_ghost() -> None:
    ghost = (Detection("car", 0.9, PLACES[0]),)
    weak = (Detection("car", 0.2, PLACES[7]),)
    state = folded(
        [
            ComparedCrop((), ghost, True, 1.0),
            ComparedCrop((), ghost, False, 1.0),
            ComparedCrop(weak, ghost, True, 1.0),
            ComparedCrop((), weak, True, 1.0),
        ]
    )

    assert (state.rests, state.in_rests) == (2, 1)
    assert state.only_new == {"car": 3}


@pytest.mark.parametrize(("side", "word"), [(0.05, "small"), (0.2, "medium"), (0.5, "large")])
def test_sizes_have_words(side: float, word: str) -> None:
    assert size_of(Box(0.1, 0.1, 0.1 + side, 0.1 + side)) == word


def test_failures_are_counted_by_their_kind_and_the_last_ones_words_are_kept() -> None:
    state = ShadowComparison()
    for how, why in (
        (ShadowFailure.DIED, "SIGSEGV"),
        (ShadowFailure.ERROR, "shape"),
        (ShadowFailure.DIED, "again"),
    ):
        state = failed(state, how, why)

    assert state.failures == {ShadowFailure.DIED: 2, ShadowFailure.ERROR: 1}
    assert (state.failed, state.why, state.crops) == (3, "again", 0)


def test_the_most_memory_of_each_is_kept() -> None:
    state = measured(measured(ShadowComparison(), 5.0, 200.0), 5.0, 180.0)
    for mb in (300.0, 350.0, 310.0):
        state = compared(state, ComparedCrop((), (), True, 9.0, mb))

    assert (state.old_mb, state.new_mb) == (200.0, 350.0)
    assert state.old_ms.count == 2
