"""tests.acceptance.fleet.printed: a walk that takes everything for shown proves nothing"""

from __future__ import annotations

import pytest

from tests.acceptance.fleet.printed import Like, begins, difference, screen
from tests.acceptance.fleet.walk import Walked, changed_lines_found, in_place

SHOWN = (
    "┏━━━━━━┳━━━━━━━┓",
    "│ disk │ 81.1 GB free, sha256 86278bba8090 │ ok │",
    "01a2104d-099d-7eef-8c91-b027ce58d547: done in 0.3 s, 25 pictures/s, 160 ms a call, 49 %",
    "2026-11-25T01:23:34.860319Z [info     ] stopped     after_s=0.1",
    "11-25 01:23  2026-11-25 01:23:38  1 camera(s), 0 lost",
)
PRINTED = [
    "┏━━━┳━━┓",
    "│ disk     │ 7 GB free, sha256 0d246aa8ce76    │ ok      │",
    "01a21dc9-7b3a-7261-9bb1-416dc3d59dac: done in 12 s, 9.5 pictures/s, 7.5 ms a call, 9 %",
    "2027-01-01T00:00:00.5Z [info     ] stopped   after_s=13",
    "01-01 00:00  2027-01-01 00:00:00  1 camera(s), 0 lost",
]


def test_times_sizes_ids_and_widths_differ_and_are_the_same() -> None:
    assert difference(SHOWN, PRINTED, Like()) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [("ok", "failed"), ("1 camera", "2 camera"), ("0 lost", "3 lost"), ("done", "refused"), ("free", "")],
)
def test_a_word_or_a_number_that_differs_is_told_with_both(old: str, new: str) -> None:
    shown = tuple(line.replace(old, new) for line in SHOWN)

    assert "the page shows" in str(difference(shown, PRINTED, Like()))


def test_a_line_too_many_or_too_few_is_told() -> None:
    assert difference(SHOWN[:-1], PRINTED, Like()) is not None
    assert difference(SHOWN, PRINTED[:-1], Like()) is not None
    assert difference(SHOWN, [*PRINTED[:2], "a warning", *PRINTED[2:]], Like()) is not None


def test_dots_stand_for_words_and_for_lines() -> None:
    assert difference(("…", "b … d", "…"), ["x", "b c d", "y"], Like()) is None
    assert difference(("b … d",), ["b c e"], Like()) is not None
    assert difference(("…", "b"), ["x", "b", "y"], Like()) is not None


def test_amounts_are_none_or_some_where_a_page_says_so() -> None:
    assert difference(("21 events, 0 lost",), ["7 events, 0 lost"], Like(counts=True)) is None
    assert difference(("21 events, 0 lost",), ["7 events, 3 lost"], Like(counts=True)) is not None
    assert difference(("21 events, 0 lost",), ["0 events, 0 lost"], Like(counts=True)) is not None
    assert difference(("21 events, 0 lost",), ["7 events, 0 lost"], Like()) is not None


def test_lines_in_any_order_are_all_there_and_no_others() -> None:
    assert difference(("b", "a"), ["a", "b"], Like(any_order=True)) is None
    assert difference(("b", "a"), ["a", "a"], Like(any_order=True)) is not None
    assert difference(("b", "a"), ["a", "b", "c"], Like(any_order=True)) is not None
    assert difference(("b", "a"), ["a", "b"], Like()) is not None


def test_a_program_that_runs_on_has_begun_as_shown_or_not() -> None:
    assert begins(("a",), ["a", "b"], Like())
    assert not begins(("a", "b"), ["a"], Like())


def test_a_screen_shows_what_is_there_after_all_was_overwritten() -> None:
    assert screen("1 %\r100 %\r\n\x1b[1;32mdone\x1b[0m\r\n") == ["100 %", "done"]
    assert screen("old\r\nrow\r\n\x1b[2A\x1b[2Knew\r\n\x1b[2Krow 2\r\n\r\n") == ["new", "row 2"]


def test_a_change_of_any_shown_line_is_found() -> None:
    runs_on = (("…", "it waits"), ["first", "it waits", "more"], Like(), True)
    amounts = (("21 events", "7"), ["3 events", "8"], Like(counts=True), False)

    assert changed_lines_found([Walked("page.md", judged=[(SHOWN, PRINTED, Like(), False), runs_on])]) == (5, 5)
    assert changed_lines_found([Walked("page.md", judged=[amounts])]) == (1, 1)


def test_a_part_of_a_file_takes_the_place_of_its_part() -> None:
    assert in_place("a: 1\nb:\n  - x\nc: 3\n", "b:\n  - y\n") == "a: 1\nb:\n  - y\nc: 3\n"
