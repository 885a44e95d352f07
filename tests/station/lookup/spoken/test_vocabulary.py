"""station.lookup.spoken.vocabulary"""

from __future__ import annotations

import pytest

from agent.wire.words import DIRECTIONS, KINDS, LABELS
from station.lookup.spoken import vocabulary
from station.lookup.spoken.text import bare
from station.review.states import ReviewState


def test_every_word_of_the_wire_can_be_said() -> None:
    assert vocabulary.kinds().keys() == KINDS.keys()
    assert vocabulary.labels().keys() == LABELS.keys()
    assert vocabulary.directions().keys() == DIRECTIONS.keys()
    assert set(vocabulary.REVIEWS) == set(ReviewState)


@pytest.mark.parametrize("text", ["màu đỏ", "mau den", "xanh lá", "red", "grey"])
def test_colours_are_known_to_be_colours(text: str) -> None:
    assert vocabulary.COLOURS.search(bare(text))


@pytest.mark.parametrize("text", ["đến", "tìm", "cho", "bored"])
def test_what_only_looks_like_a_colour_is_none(text: str) -> None:
    assert not vocabulary.COLOURS.search(bare(text))


def test_words_that_say_nothing_are_known_with_accents_and_without() -> None:
    assert {bare(word) for word in vocabulary.SILENT} <= vocabulary.SILENT
    assert "chở" in vocabulary.SILENT and "chợ" not in vocabulary.SILENT
