"""agent.printable"""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from agent.printable import printable, printable_lines, spreadsheet_cell

STEERING = ("Cc", "Zl", "Zp", "Cs")


@given(st.text(st.characters(), max_size=200))
def test_nothing_that_steers_a_terminal_is_left_and_what_is_shown_stays(text: str) -> None:
    shown = printable(text)

    assert not [each for each in shown if unicodedata.category(each) in STEERING]
    assert not [
        each for each in shown if unicodedata.bidirectional(each) in ("LRE", "RLE", "LRO", "RLO", "PDF")
    ]
    letters = [each for each in text if unicodedata.category(each)[0] in "LNPS"]
    assert [each for each in shown.replace("\ufffd", "") if unicodedata.category(each)[0] in "LNPS"] == [
        each for each in letters if each != "\ufffd"
    ]
    assert printable(shown) == shown


def test_what_terminals_take_for_orders_is_taken_out() -> None:
    for order in ("\x1b[31m", "\x1b]52;c;aGk=\x07", "\x9b31m", "\x1b]0;title\x1b\\", "\u202etxt.exe", "\x7f"):
        assert not set("\x1b\x9b\x07\u202e\x7f") & set(printable(f"a{order}b"))


def test_a_text_cannot_begin_a_line_of_its_own() -> None:
    assert printable("in\n2026-11-27 [info] all is well\r\u2028x") == "in 2026-11-27 [info] all is well x"


def test_a_traceback_keeps_its_lines_and_nothing_else() -> None:
    assert printable_lines("Traceback:\n\tx\x1b[2J\r") == "Traceback:\n    x\ufffd[2J\ufffd"


def test_vietnamese_stays_as_it_is() -> None:
    text = "Ngã tư Hải Ninh – xe máy ngược chiều 🏍"
    assert printable(text) == text


@given(st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    cell = spreadsheet_cell(text)

    assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    assert cell.removeprefix("'") in (printable(text), printable(text).removeprefix("'"))
