"""benchmarks.passers, benchmarks.motion"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.core.types import Box
from benchmarks import motion, nuisances
from benchmarks.passers import EVERY_S, STAY_S, Parade, Passage, Passer, cut_out

Grey = NDArray[np.float32]
STREET: Grey = np.tile(np.linspace(70, 150, 320, dtype=np.float32), (180, 1))


def passer(high: int = 24, wide: int = 40) -> Passer:
    luma = np.full((high, wide), 40, np.float32)
    luma[: high // 2] = 200
    return Passer(luma, np.ones_like(luma), wide / 320)


def clip_of_a_car(path: Path) -> Path:
    """A car that crosses the street once, and is long gone at the end."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for index in range(60):
            luma = STREET.astype(np.uint8)
            left = index * 8 - 40
            if 0 <= left <= 280:
                luma[100:112, left : left + 40] = 235
                luma[112:124, left : left + 40] = 20
            chroma = np.full((90, 320), 128, np.uint8)
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_car_is_cut_out_of_its_clip_as_large_as_it_is(tmp_path: Path) -> None:
    found = cut_out(clip_of_a_car(tmp_path / "car.mp4"))

    assert found
    for each in found:
        assert each.width == pytest.approx(40 / 320, abs=0.03)
        assert each.luma.shape == each.cover.shape
        assert each.luma[each.cover > 0.9].std() > 60


def test_who_passes_is_where_the_passage_says_and_nobody_is_there_in_between() -> None:
    parade = Parade([passer(), passer(60, 20)], STREET, seed=3)
    numbers = set()
    for step in range(int(parade.long_s * 4)):
        now, passage = parade.at(STREET, step / 4)
        since_s = step / 4 - EVERY_S
        if passage is None:
            assert now is STREET
            assert since_s < 0 or since_s % EVERY_S >= STAY_S
            continue
        numbers.add(passage.number)
        rows, columns = np.nonzero(now != STREET)
        assert rows.min() / 180 >= passage.box.top - 1e-6
        assert (rows.max() + 1) / 180 <= passage.box.bottom + 1e-6
        assert columns.min() / 320 >= passage.box.left - 1e-6
        assert (columns.max() + 1) / 320 <= passage.box.right + 1e-6
    assert numbers == {0, 1}


def test_who_comes_in_over_the_border_is_cut_by_it_at_first() -> None:
    parade = Parade([passer()], STREET, seed=1, enters=True)

    seen = [parade.at(STREET, EVERY_S + step / 10) for step in range(int(STAY_S * 10))]

    boxes = [passage.box for _, passage in seen if passage is not None]
    assert seen[0][1] is None
    assert boxes[0].left == 0.0 or boxes[0].right == 1.0
    assert boxes[0].right - boxes[0].left < boxes[-1].right - boxes[-1].left
    assert boxes[-1].right - boxes[-1].left == pytest.approx(40 / 320)


def test_a_region_shows_somebody_only_if_it_is_about_his_size() -> None:
    passage = Passage(0, Box(0.4, 0.4, 0.5, 0.5))
    assert motion.shown((Box(0.38, 0.4, 0.5, 0.52),), passage)
    assert not motion.shown((Box(0.0, 0.0, 1.0, 1.0),), passage)
    assert not motion.shown((Box(0.6, 0.4, 0.7, 0.5),), passage)


@pytest.mark.long
def test_each_nuisance_is_told_of_each_clip_and_of_all_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nuisances, "ALL", {"still": nuisances.still, "snow": nuisances.snow})
    clip = clip_of_a_car(tmp_path / "car.mp4")

    rows = motion.main([clip], alone_s=6.0)

    assert [(row["scene"], row["nuisance"]) for row in rows] == [
        ("car.mp4", "still"),
        ("car.mp4", "snow"),
        ("all clips", "still"),
        ("all clips", "snow"),
        ("all clips", motion.EVERY),
    ]
    assert all(row["events"] == 0 for row in rows)
    assert rows[0]["seen"] == rows[0]["passages"] == 6
    assert int(str(rows[0]["found"])) >= 5  # one goes a way so short that nobody can say that he goes
    assert rows[-1]["passages"] == rows[1]["passages"]  # the still view is no nuisance
