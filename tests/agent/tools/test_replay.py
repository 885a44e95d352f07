"""agent.tools.replay"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent.core.types import Box, Instant, Track
from agent.tools.replay import written
from tests.support.boxes import NGATU
from tests.support.squares import SQUARE_PX, write_clip, write_model


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_model(tmp_path)
    return write_clip(tmp_path / "road.mp4")


def replay(clip: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*NGATU, "replay", str(clip), "--model", str(clip.parent / "squares.onnx"), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.long
def test_two_replays_give_the_same_bytes(clip: Path) -> None:
    for run in ("a", "b"):
        folder = clip.parent / run
        folder.mkdir()
        done = replay(
            clip, f"--events={folder}/events.jsonl", f"--tracks={folder}/tracks.txt", f"--images={folder}/i"
        )
        assert done.returncode == 0, done.stderr

    files = sorted(
        path.relative_to(clip.parent / "a") for path in (clip.parent / "a").rglob("*") if path.is_file()
    )
    assert [path for path in files if path.suffix == ".jpg"]
    for path in files:
        assert (clip.parent / "a" / path).read_bytes() == (clip.parent / "b" / path).read_bytes()


@pytest.mark.long
def test_the_tracks_are_in_motchallenge_format_and_lie_on_the_square(clip: Path) -> None:
    tracks = clip.parent / "tracks.txt"
    done = replay(clip, f"--tracks={tracks}", "--label=car")

    rows = [[float(value) for value in line.split(",")] for line in tracks.read_text().splitlines()]
    assert done.returncode == 0, done.stderr
    assert len(rows) > 20
    assert {row[1] for row in rows} == {1.0}
    assert all(len(row) == 10 and row[7:] == [-1, -1, -1] for row in rows)
    for number, _, left, _, width, *_ in rows:
        truth = ((number - 1) / 10 - 3.0) * 130.0 - SQUARE_PX  # as write_clip moves it
        if 0 < truth < 512 - SQUARE_PX:  # whole in the picture
            assert left + width / 2 == pytest.approx(truth + SQUARE_PX / 2, abs=16)


@pytest.mark.parametrize(("unseen_s", "is_written"), [(0.0, True), (0.2, True), (0.204, True), (0.3, False)])
def test_a_track_is_written_for_two_frames_of_a_slow_camera_after_it_was_seen_though_its_clock_trembles(
    unseen_s: float, is_written: bool
) -> None:
    now, seen = Instant(10.0, 1e9), Instant(10.0 - unseen_s, 1e9 - unseen_s)
    box = Box(0.1, 0.1, 0.2, 0.2)
    track = Track("a", "person", 0.9, 0.9, box, (0.0, 0.0), Instant(1.0, 1e9), seen, True, True, False)

    assert bool(written([track], now)) is is_written
