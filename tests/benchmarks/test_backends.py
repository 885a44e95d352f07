"""benchmarks.backends"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.types import Box, Detection
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from benchmarks.backends import BackendRun, compared, main, replayed
from tests.support.squares import write_clip, write_model

WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def run(*begins: tuple[str, float], scores: tuple[float, ...] = ()) -> BackendRun:
    found = [tuple(Detection("car", score, WHOLE) for score in scores)]
    return BackendRun([("road-users", "object", label, at_s) for label, at_s in begins], found, 1.0)


def test_an_event_matches_one_of_its_label_that_begins_about_then_and_each_only_once() -> None:
    one = run(("car", 1.0), ("car", 1.2), ("bus", 3.0), ("car", 9.0), scores=(0.5, 0.4))
    other = run(("car", 1.3), ("truck", 3.0), ("car", 9.6), scores=(0.51, 0.4))
    row = compared(one, other)
    assert (row["events"], row["matched"], row["apart s"]) == ("4 / 3", 1, 0.3)
    assert (row["alike"], row["score apart"]) == (1, "1.0e-02")


def test_crops_count_as_alike_until_something_is_found_in_one_only() -> None:
    assert compared(run(scores=(0.5,)), run(scores=()))["alike"] == 0


@pytest.mark.long
def test_a_replay_gives_the_begin_of_each_event(tmp_path: Path) -> None:
    clip, model = write_clip(tmp_path / "clip.mp4"), write_model(tmp_path)
    seen = replayed(clip, DetectorSettings(model=str(model)))
    begins = [(rule, label) for rule, _, label, _ in seen.begins]
    assert ("road-users", "car") in begins
    assert all(2.5 < at_s < 8 for _, _, _, at_s in seen.begins)
    assert compared(seen, replayed(clip, DetectorSettings(model=str(model))))["matched"] == len(begins)


def test_without_a_clip_or_a_detector_it_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="needs clips and one detector"):
        main([tmp_path / "clip.mp4"])
