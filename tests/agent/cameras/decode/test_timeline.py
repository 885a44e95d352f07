"""agent.cameras.decode.timeline"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.decoded import Source
from agent.cameras.decode.timeline import GAP_S, Timeline


def test_missing_and_falling_time_stamps_still_give_increasing_time() -> None:
    timeline = Timeline(Source("north", "file", "", "", started=(10.0, 0.0)), interval_s=0.04)
    stamps = [timeline.recorded(t)[0] for t in (3.0, 3.04, None, 2.0, 2.04, 900.0, 900.5)]
    assert np.allclose(np.diff(stamps), [0.04, 0.04, 0.04, 0.04, 0.04, 0.5])
    assert stamps[0] == 10.0


def test_stamps_that_step_back_make_a_recording_no_longer() -> None:
    timeline = Timeline(Source("north", "file", "", "", started=(10.0, 0.0)), interval_s=0.04)
    # As an AVI has them whose pictures were written in the order of their decoding: 0 3 1 2 6 4 5 …
    order = [0, *(n for group in range(250) for n in (3 * group + 3, 3 * group + 1, 3 * group + 2))]
    stamps = [timeline.recorded(number * 0.04)[0] for number in order]
    assert np.all(np.diff(stamps) > 0)
    assert stamps[-1] - stamps[0] == pytest.approx(750 * 0.04, abs=0.1)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e4)), max_size=60))
def test_whatever_a_file_says_time_goes_on_and_no_step_is_longer_than_a_gap(times: list[float | None]) -> None:
    timeline = Timeline(Source("north", "file", "", "", started=(10.0, 0.0)), interval_s=0.04)
    steps = np.diff([10.0 - 0.04, *(timeline.recorded(each)[0] for each in times)])
    assert np.all(steps > 0)
    assert np.all(steps <= GAP_S + 0.04)


def test_pictures_that_arrive_at_once_still_have_increasing_time() -> None:
    timeline = Timeline(Source("north", "rtsp", "", ""), interval_s=0.04)
    stamps = [timeline.arrived((7.0, 0.0))[0] for _ in range(5)]
    assert np.all(np.diff(stamps) > 0)
