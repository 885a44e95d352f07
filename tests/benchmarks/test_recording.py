"""benchmarks.recording"""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from agent.errors import NgatuError
from benchmarks import recording
from benchmarks.recording import Spent, beside, rows_of, stream_of
from tests.support.squares import write_clip


def test_what_recording_costs_is_the_difference_of_two_boxes_in_the_same_seconds() -> None:
    spent = [
        Spent(20.0, 25.0, 27.0, 150.0, 190.0),
        Spent(10.0, 12.0, 30.0, 150.0, 220.0),
        Spent(20, 25, 28, 150, 180),
    ]

    *_, alone = rows_of("copied", spent)

    assert (alone["who"], alone["core_percent"], alone["ratio"]) == ("recording alone", 3.0, 0.15)
    assert (alone["bar"], alone["kept"]) == ("<= 5", True)
    assert (alone["mb"], alone["mb_bar"], alone["mb_kept"]) == (40.0, "<= 60", True)
    assert rows_of("masked", spent)[-1]["bar"] is None  # encoding is told, and no promise


def test_a_clip_becomes_a_camera_of_its_rate_and_size(tmp_path: Path) -> None:
    made = stream_of(write_clip(tmp_path / "road.mp4", seconds=4), tmp_path / "made.mp4", (320, 160), 500)

    with av.open(str(made)) as container:
        stream = container.streams.video[0]
        pictures = list(container.decode(stream))
        assert (stream.width, stream.height, stream.average_rate) == (320, 160, 25)
    assert len(pictures) == pytest.approx(40, abs=2)  # it had ten a second: none is made up
    keys = [round(float(each.time or 0), 2) for each in pictures if each.key_frame]
    assert keys[0] == 0


@pytest.mark.long
def test_everybody_watches_and_what_was_recorded_lies_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "SETTLE_S", 4.0)
    monkeypatch.setattr(recording, "WATCH_S", 6.0)
    clip = stream_of(write_clip(tmp_path / "road.mp4", seconds=4), tmp_path / "made.mp4", (320, 160), 500)

    spent = beside(tmp_path / "boxes", clip, "", "{mode: continuous}")

    assert spent.decode > 0
    assert spent.watching > spent.decode / 4
    assert spent.recording_mb > spent.watching_mb / 2 > 20
    with pytest.raises(NgatuError, match="recorded 0 bytes"):
        beside(tmp_path / "idle", clip, "", "{mode: 'off'}")
