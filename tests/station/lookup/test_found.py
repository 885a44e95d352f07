"""station.lookup.found"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from agent.errors import NgatuError
from station.lookup.found import cursor_at, place_of

MOMENTS = some.integers(-(2**53), 2**53)
BOXES = some.integers(0, 2**31 - 1)
IDS = some.text().filter(lambda each: "\0" not in each)


@given(MOMENTS, BOXES, IDS)
def test_a_place_comes_back_out_of_its_text(began_ms: int, box_id: int, event_id: str) -> None:
    place = began_ms, box_id, event_id

    assert place_of(cursor_at(place)) == place


@given(some.text())
def test_any_other_text_is_a_place_or_refused(cursor: str) -> None:
    try:
        began_ms, box_id, event_id = place_of(cursor)
    except NgatuError as error:
        assert "cannot be found" in str(error)
    else:
        assert abs(began_ms) <= 2**53
        assert 0 <= box_id < 2**31
        assert cursor.endswith(event_id)


@pytest.mark.parametrize("cursor", ["", "1", "x~1~e", "1~2", f"{2**60}~1~e", "1~-1~e", "1~1~\0"])
def test_a_place_that_is_none_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(NgatuError, match="cannot be found"):
        place_of(cursor)
