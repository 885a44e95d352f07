"""agent.cameras.decode.recorder"""

from __future__ import annotations

import errno
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from agent.cameras.decode.decoded import Source
from agent.cameras.decode.recorder import record
from agent.cameras.decode.stream import Stream


def stream(clip: Path) -> Stream:
    source = Source("north", "file", f"file:{clip}", str(clip), pace="fast", max_fps=120)
    return Stream(source, lambda: (0.0, 0.0))


def pictures(path: Path) -> list[float]:
    with av.open(str(path)) as video:
        return [float(frame.time) for frame in video.decode(video=0)]


@pytest.mark.parametrize("kind", ["mp4", "matroska"])
def test_every_packet_is_copied_and_keeps_its_time(
    kind: str, tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    path = tmp_path / "copy"
    with path.open("w+b") as file:
        written_s = record(stream(numbered_clip(50)), file, kind, 60, threading.Event(), lambda _m: None)

    assert written_s == pytest.approx(49 / 25, abs=0.05)
    times = pictures(path)
    assert [time - times[0] for time in times] == pytest.approx([n / 25 for n in range(50)], abs=0.002)


def test_it_ends_when_enough_is_there_or_it_is_told_to(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    stop = threading.Event()
    stop.set()
    for event, seconds in ((threading.Event(), 1.0), (stop, 0.0)):
        with (tmp_path / "copy.mp4").open("w+b") as file:
            written_s = record(stream(numbered_clip(100)), file, "mp4", 1.0, event, lambda _m: None)
        assert written_s == pytest.approx(seconds, abs=0.05)
        assert pictures(tmp_path / "copy.mp4")


def test_raw_pictures_are_no_packets_to_copy(tmp_path: Path, numbered_clip: Callable[..., Path]) -> None:
    clip = numbered_clip(3, codec="rawvideo", name="raw.nut")
    with (tmp_path / "copy.mp4").open("w+b") as file:
        assert record(stream(clip), file, "mp4", 1.0, threading.Event(), lambda _m: None) is None
        assert file.tell() == 0


class FullDisk(io.BytesIO):
    def write(self, _data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_in_the_words_of_the_system(numbered_clip: Callable[..., Path]) -> None:
    with pytest.raises(OSError, match="No space left on device"):
        record(stream(numbered_clip(50)), FullDisk(), "mp4", 60, threading.Event(), lambda _m: None)
