"""station.lookup.spoken.ordinary"""

from __future__ import annotations

import pytest

from station.lookup.spoken.ordinary import is_ordinary


@pytest.mark.parametrize(
    "word", ["hai", "30", "tháng", "thang", "đêm", "chở", "cho", "xe", "do", "truck", "Người"]
)
def test_what_anybody_says_of_anything_is_ordinary(word: str) -> None:
    assert is_ordinary(word)


@pytest.mark.parametrize("word", ["hải", "chợ", "ninh", "tự", "cầu", "market"])
def test_with_its_accents_a_word_is_no_other_one(word: str) -> None:
    assert not is_ordinary(word)
