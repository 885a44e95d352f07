"""benchmarks.replay"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.core.geometry import iou
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from benchmarks import mot, replay
from tests.support import squares

FPS, STILL_S, SPEED_PX_S, FRAMES = 10, 1.0, 130.0, 50


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return squares.write_clip(
        tmp_path_factory.mktemp("clip") / "square.mp4", FRAMES / FPS, FPS, STILL_S, SPEED_PX_S
    )


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> mot.Sequence:
    folder = tmp_path_factory.mktemp("truth")
    (folder / "gt").mkdir()
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname=square\nframeRate={FPS}\nseqLength={FRAMES}\nimWidth=512\nimHeight=256\n"
    )
    side = squares.SQUARE_PX
    lefts = {n: (n / FPS - STILL_S) * SPEED_PX_S - side for n in range(FRAMES)}
    rows = [f"{n + 1},1,{left:.1f},110,{side},{side},1,1,1,1\n" for n, left in lefts.items() if left > 0]
    (folder / "gt/gt.txt").write_text("".join(rows))
    return mot.read(folder)


def test_a_replay_follows_the_one_square_of_the_truth_under_one_id(
    clip: Path, truth: mot.Sequence, tmp_path: Path
) -> None:
    detector = load_detector(DetectorSettings(model=str(squares.write_model(tmp_path))))

    seen = replay.replayed(clip, truth, detector, draw=0, labels=frozenset({"car"}))

    met = [n for n in range(FRAMES) if len(truth.truth_boxes[n]) and len(seen.output[n][1])]
    assert len(met) > 20
    assert all(iou(truth.truth_boxes[n], seen.output[n][1]).max() > 0.5 for n in met)
    assert {int(name) for ids, _ in seen.output for name in ids} == {1}
    assert 0 < seen.pictures < 1


def test_only_the_labels_that_the_truth_judges_are_shown(
    clip: Path, truth: mot.Sequence, tmp_path: Path
) -> None:
    detector = load_detector(DetectorSettings(model=str(squares.write_model(tmp_path))))

    seen = replay.replayed(clip, truth, detector, draw=0)

    assert not any(len(ids) for ids, _ in seen.output)


def test_a_draw_trembles_and_starts_late_but_its_time_never_turns_back(clip: Path) -> None:
    itself, drawn = list(replay.watched(clip, 0, FRAMES)), list(replay.watched(clip, 2, FRAMES))

    assert (itself[0].index, drawn[0].index) == (0, 2)
    shifts = [each.at.mono_s - other.at.mono_s for each, other in zip(drawn, itself[2:], strict=True)]
    assert 0.001 < np.std(shifts) < 0.01
    assert all(one.at.mono_s < other.at.mono_s for one, other in pairwise(drawn))


def test_the_same_draw_is_the_same_twice(clip: Path) -> None:
    first, second = ([each.at for each in replay.watched(clip, 3, FRAMES)] for _ in range(2))

    assert first == second


def test_a_clip_without_its_truth_is_refused(clip: Path) -> None:
    with pytest.raises(NgatuError, match="needs a clip, the folder of its truth"):
        replay.main([clip])
