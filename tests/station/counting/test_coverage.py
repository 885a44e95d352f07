"""station.counting.coverage"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from station.counting.coverage import SLACK_MS, Covered, covered_ms, judged, union

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


@given(SPANS)
def test_a_union_has_the_same_moments_in_order_and_apart(spans: list[tuple[int, int]]) -> None:
    found = union(spans)

    moments = {at for start, end in spans for at in range(start, end)}
    assert {at for start, end in found for at in range(start, end)} == moments
    borders = [at for span in found for at in span]
    assert borders == sorted(set(borders))


@given(SPANS, st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(sorted))
def test_what_is_covered_of_parts_adds_up_to_what_is_covered_of_the_whole(
    spans: list[tuple[int, int]], borders: list[int]
) -> None:
    found = union(spans)
    parts = sum(covered_ms(found, start, end) for start, end in pairwise(borders))

    assert parts == covered_ms(found, borders[0], borders[-1])


@given(st.integers(0, 10**8), st.integers(1, 10**8))
def test_only_what_is_not_covered_at_all_is_unknown(covered: int, length: int) -> None:
    covered = min(covered, length)

    assert (judged(covered, length) is Covered.UNKNOWN) == (covered == 0)
    assert (judged(covered, length) is Covered.WHOLE) == (covered > 0 and length - covered <= SLACK_MS)
