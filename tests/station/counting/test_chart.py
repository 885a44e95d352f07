"""station.counting.chart"""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.counting.buckets import Step, buckets
from station.counting.chart import NARROW, WIDE, ChartSize, chart_of
from station.counting.series import CountCell, Series
from station.counting.table import By, table_of
from tests.station.counting.counts import VIETNAM

DAY = date(2026, 11, 27)
HOUR_MS = 3_600_000
SVG = "{http://www.w3.org/2000/svg}"


def drawn(*hours: dict[tuple[str, str], int] | None, covered: int = HOUR_MS, size: ChartSize = WIDE) -> str:
    found = buckets(DAY, date(2026, 11, 29), Step.HOUR, VIETNAM)
    cells = tuple(CountCell(found[at], 0 if each is None else covered, each) for at, each in enumerate(hours))
    return chart_of(table_of(Series((), Step.HOUR, cells), By.LABEL), "Cars by hour", size, "en")


def bars(svg: str) -> dict[str, list[float]]:
    """Fill -> the heights of what has it, legends and the frame apart."""
    found: dict[str, list[float]] = {}
    for each in ElementTree.fromstring(svg).iter(f"{SVG}rect"):
        if each.get("rx") == "0":
            found.setdefault(each.get("fill", ""), []).append(round(float(each.get("height", "0")), 2))
    return found


def test_nothing_in_it_runs_styles_or_points_anywhere() -> None:
    svg = drawn({("car", "in"): 2}, None, {("<script>alert(1)</script>", "in"): 1})

    assert not re.search(r"<script|<style|style=|class=|href|http(?!://www\.w3\.org/2000/svg)|on[a-z]+=", svg)
    names = {each.tag.removeprefix(SVG) for each in ElementTree.fromstring(svg).iter()}
    assert names <= {"svg", "g", "rect", "path", "text", "title", "pattern"}
    assert re.findall(r"url\(.*?\)", svg) and set(re.findall(r"url\((.*?)\)", svg)) == {"#not-counted-1080"}


def test_what_was_not_counted_is_hatched_to_the_top_and_nothing_is_not() -> None:
    found = bars(drawn({("car", "in"): 8}, None, {}))

    (gap,) = (height for height in found["url(#not-counted-1080)"] if height)
    assert sorted(set(found["#0072b2"])) == [0, gap], "eight is the top of the axis"


def test_what_was_counted_in_part_has_a_hatch_above_it() -> None:
    found = bars(drawn({("car", "in"): 2}, {("car", "in"): 8}, covered=HOUR_MS * 3 // 4))

    low, high = sorted(found["#0072b2"])
    assert sorted(found["url(#not-counted-1080)"]) == [0, pytest.approx(high / 4, abs=0.02)]
    assert low == pytest.approx(high / 4, abs=0.02)


def test_without_gaps_there_is_no_hatch_and_without_counts_nothing_but_one() -> None:
    assert "#not-counted" not in "".join(bars(drawn({("car", "in"): 8}, {})))
    assert set(bars(drawn(None, None))) == {"url(#not-counted-1080)"}
    assert "<svg" in drawn()


def test_its_words_are_of_the_language_and_its_name_is_told_to_whoever_cannot_see_it() -> None:
    svg = drawn({("car", "in"): 2, ("bus", "in"): 1}, None)
    tree = ElementTree.fromstring(svg)

    texts = {each.text for each in tree.iter(f"{SVG}text")}
    assert {"car", "bus", "not counted", "00:00"} <= texts
    assert (tree.get("role"), tree[0].text) == ("img", "Cars by hour")
    found = table_of(Series((), Step.HOUR, ()), By.LABEL)
    assert "không đếm" in chart_of(found, "x", NARROW, "vi")


def test_labels_of_several_days_are_their_days() -> None:
    texts = [each.text for each in ElementTree.fromstring(drawn(*[{("car", "in"): 1}] * 72)).iter(f"{SVG}text")]

    assert [text for text in texts if text and "/" in text] == ["27/11", "28/11", "29/11"]


@pytest.mark.long
@given(st.lists(st.none() | st.integers(0, 10**7), max_size=72), st.sampled_from([WIDE, NARROW]))
def test_whatever_was_counted_the_picture_is_whole(hours: list[int | None], size: ChartSize) -> None:
    given_hours = [None if number is None else {("car", "in"): number} for number in hours]
    tree = ElementTree.fromstring(drawn(*given_hours, size=size))

    assert tree.get("viewBox") == f"0 0 {size.width} {size.height}"
    for each in tree.iter(f"{SVG}rect"):
        assert each.get("fill"), "or it would be black"
        assert float(each.get("height", "0")) >= 0
