"""models.dataset.split"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ModelError
from models.dataset.split import parted, split
from models.dataset.types import AnnotatedImage, Dataset


def pictures(counts: dict[str, int]) -> Dataset:
    images = [
        AnnotatedImage(Path(f"{camera}_{number}.jpg"), 10, 10, (), camera)
        for camera, count in counts.items()
        for number in range(count)
    ]
    return Dataset("some", tuple(images), ("car",))


@given(
    st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 30), min_size=2, max_size=6),
    st.floats(0.05, 0.9),
    st.integers(0, 50),
)
def test_no_camera_is_on_both_sides_and_none_is_lost(counts: dict[str, int], share: float, seed: int) -> None:
    dataset = pictures(counts)
    if len(dataset.images) < 3:
        return

    learned, held = split(dataset, share, seed)

    assert not set(learned.cameras) & set(held.cameras)
    assert learned.images and held.images
    assert len(learned.images) + len(held.images) == len(dataset.images)


@given(st.integers(3, 200), st.floats(0.05, 0.9), st.integers(0, 5))
def test_of_one_camera_neighbours_in_time_are_on_neither_side(count: int, share: float, seed: int) -> None:
    dataset = pictures({"a": count})

    learned, held = split(dataset, share, seed)

    assert learned.images and held.images
    places = {image: place for place, image in enumerate(dataset.images)}
    apart = min(abs(places[one] - places[other]) for one in learned.images for other in held.images)
    assert apart > 1


def test_too_few_pictures_are_told() -> None:
    with pytest.raises(ModelError, match="too few pictures"):
        split(pictures({"a": 2}), 0.2, 0)


def test_named_cameras_are_held_back_and_no_others() -> None:
    ((learned, held),) = parted([pictures({"a": 3, "b": 4, "c": 5})], ["b"], 0)

    assert (learned.cameras, held.cameras) == (("a", "c"), ("b",))


def test_without_a_name_about_a_fifth_of_each_set_is_held_back() -> None:
    pairs = parted([pictures({"a": 40, "b": 10}), pictures({"c": 100})], [], 0)

    assert [len(held.images) for _, held in pairs] == [10, 20]


@pytest.mark.parametrize(
    ("names", "what"), [(["d"], "there is no camera d"), (["a", "b"], "no camera is left")]
)
def test_cameras_that_cannot_be_held_back_are_told_with_those_that_are_there(
    names: list[str], what: str
) -> None:
    with pytest.raises(ModelError, match=what) as caught:
        parted([pictures({"a": 3, "b": 3})], names, 0)

    assert "a, b" in str(caught.value.hint)
