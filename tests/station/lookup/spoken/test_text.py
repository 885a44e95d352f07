"""station.lookup.spoken.text"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.lookup.spoken.text import SpokenText, bare, phrase


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Đi ngược chiều", "di nguoc chieu"), ("XE MÁY", "xe may"), ("ở ngã tư Chợ", "o nga tu cho")],
)
def test_a_text_is_the_same_without_accents_and_capitals(text: str, plain: str) -> None:
    assert bare(text) == plain


@given(st.text())
def test_what_is_bare_has_a_letter_for_each_letter(text: str) -> None:
    assert len(bare(text)) == len(bare(bare(text)))


def test_what_is_taken_is_neither_found_again_nor_left() -> None:
    text = SpokenText("Xe máy, ngã tư chợ; xe lạ")

    assert text.take(phrase("xe may")) is not None
    assert text.take(phrase("xe may")) is None
    assert text.rest(frozenset(["ngã"])) == ["tư chợ", "xe lạ"]


def test_a_phrase_is_whole_words_and_the_longest_of_several() -> None:
    text = SpokenText("xe tải, xe tải nhỏ, xetải")
    found = text.take_all(phrase("xe tai", "xe tai nho"))

    assert [text.as_said(each) for each in found] == ["xe tải", "xe tải nhỏ"]


def test_only_what_counts_is_taken() -> None:
    text = SpokenText("3 rồi 9h")
    found = text.take_if(re.compile(r"(\d)(h?)"), lambda it: bool(it[2]))

    assert found is not None
    assert text.as_said(found) == "9h"
    assert text.rest(frozenset()) == ["3 rồi"]
