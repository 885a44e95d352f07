"""station.handover.letters"""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.handover.letters import LONGEST, shown

VIETNAMESE = "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ"


def test_every_letter_of_vietnamese_is_shown_as_it_is() -> None:
    assert shown(VIETNAMESE) == VIETNAMESE
    assert shown(VIETNAMESE.upper()) == VIETNAMESE.upper()


def test_letters_in_two_pieces_are_put_together() -> None:
    assert shown(unicodedata.normalize("NFD", "Biên bản bàn giao ca trực")) == "Biên bản bàn giao ca trực"


@pytest.mark.parametrize(
    "text", ["日", "😀", "\x1b", "\u202e", "\ud800", "\u00ad", "\u200b", "\ufffd", "\ue000"]
)
def test_what_has_no_letter_or_steers_is_a_box(text: str) -> None:
    assert shown(f"a{text}b") == "a□b"


def test_lines_become_one_and_a_long_one_ends() -> None:
    assert shown("một\r\n\thai\u00a0ba") == "một hai ba"
    assert len(shown("x" * 100_000)) == LONGEST


@given(st.text())
def test_whatever_comes_is_one_line_that_shows_itself_again(text: str) -> None:
    line = shown(text)

    assert shown(line) == line
    assert not set(line) & set("\n\r\t\x0b\x0c\x85\u2028\u2029\x1b\u202e")
