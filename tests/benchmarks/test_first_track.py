"""benchmarks.first_track"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.detectors import Detector, load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from benchmarks.clips import frames
from benchmarks.first_track import LIGHTS, Watched, first, from_nothing, main, taken, to_and_fro
from tests.support import squares

FPS, SPEED_PX_S = 25, 60.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds in which a square is in view from the first frame on."""
    return squares.write_clip(tmp_path_factory.mktemp("clip") / "square.mp4", 3.0, FPS, -2.0, SPEED_PX_S)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return squares.write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def detector(model: Path) -> Detector:
    return load_detector(DetectorSettings(model=str(model)))


def test_who_is_in_view_at_the_start_is_followed_within_a_second_on_a_slow_board_too(
    clip: Path, detector: Detector
) -> None:
    quick, slow = (first(Watched(), frames(clip), detector, call_s) for call_s in (0.0, 0.1))

    assert quick.after_s is not None
    assert slow.after_s is not None
    assert 0 < quick.after_s <= slow.after_s <= 1.0
    assert quick.label == "car"
    assert quick.pictures >= 2


def test_who_never_comes_is_nobody_after_a_while(tmp_path: Path, detector: Detector) -> None:
    empty = squares.write_clip(tmp_path / "empty.mp4", 1.5, FPS, 60.0, SPEED_PX_S)

    assert first(Watched(), frames(empty), detector).after_s is None


@pytest.mark.long
def test_a_row_has_a_figure_for_each_light_and_way(clip: Path, model: Path) -> None:
    (row,) = main([clip, model])

    assert (row["clip"], row["detector"]) == ("square", "squares")
    figures = {f"{light}, {way}" for light in LIGHTS for way in ("goes on", "from nothing")}
    assert figures < row.keys()
    assert row["start"] is not None
    assert row["lamp, goes on"] is not None


def test_frames_are_taken_at_most_ten_times_a_second(clip: Path, detector: Detector) -> None:
    watched, moments = Watched(), list[float]()
    for each in frames(clip):
        watched, outcome = taken(watched, each, detector, 0.0)
        if outcome:
            moments.append(each.at.mono_s)

    assert len(moments) <= 31
    assert all(after - before > 0.075 for before, after in pairwise(moments))


def test_a_short_clip_goes_to_and_fro_and_its_time_goes_on(clip: Path) -> None:
    whole, longer = list(frames(clip)), list(to_and_fro(clip, 8.0))

    assert len(longer) == 8 * FPS
    assert all(after.at.mono_s > before.at.mono_s for before, after in pairwise(longer))
    assert np.array_equal(longer[len(whole)].luma, whole[-2].luma)
    assert np.array_equal(longer[2 * len(whole) - 2].luma, whole[0].luma)


def test_with_the_clip_comes_who_was_not_in_the_view_before(clip: Path) -> None:
    empty, begins = from_nothing(clip)

    assert empty[-1].at.mono_s < begins[0].at.mono_s <= empty[-1].at.mono_s + 0.11
    changed = np.abs(empty[-1].luma.astype(int) - begins[0].luma) > 50
    assert 0.5 < changed.sum() / squares.SQUARE_PX**2 < 1.5


def test_lights_change_all_of_the_view_or_a_third_of_it(clip: Path) -> None:
    frame = next(frames(clip))
    road = frame.luma < 120

    lit = {name: light(frame).luma.astype(float) - 16 for name, light in LIGHTS.items()}

    was = frame.luma.astype(float) - 16
    assert np.allclose(lit["half"][road], was[road] * 0.5, atol=1)
    assert np.allclose(lit["bright"][road], was[road] * 1.8, atol=1)
    assert 0.28 < np.mean(lit["lamp"] > was * 1.6) < 0.38
    assert np.array_equal(lit["lamp"][0, :10], was[0, :10])


def test_without_a_detector_it_says_what_it_needs(clip: Path) -> None:
    with pytest.raises(NgatuError, match="needs clips and detectors"):
        main([clip])
