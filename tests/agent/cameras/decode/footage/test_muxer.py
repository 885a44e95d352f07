"""agent.cameras.decode.footage.muxer: whole boxes, cut at key pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from agent.cameras.decode.footage.muxer import LEAST_S, MOST_S, FragmentMuxer
from tests.support.taps import Caught, played


@pytest.fixture
def clip(tmp_path: Path) -> Callable[[int], Path]:
    """A clip with a key picture every so many."""

    def make(every: int) -> Path:
        path = tmp_path / "clip.mkv"
        with av.open(path, "w") as out:
            stream = out.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.codec_context.gop_size = every
            stream.codec_context.options = {"sc_threshold": "0"}
            for number in range(300):
                frame = av.VideoFrame(64, 48, "yuv420p")
                frame.pts = number
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        return path

    return make


@pytest.mark.parametrize(
    ("every", "least_s", "most_s"),
    [(5, LEAST_S, LEAST_S + 0.3), (50, 2.0, 2.1), (250, 1.9, MOST_S + 0.1)],
)
def test_fragments_are_cut_at_key_pictures_neither_too_short_nor_too_long(
    clip: Callable[[int], Path], every: int, least_s: float, most_s: float
) -> None:
    caught = Caught()
    with av.open(clip(every)) as container:
        video = container.streams.video[0]
        facts: dict[str, Any] = {"run": 1, "codec": "h264", "width_px": 64, "height_px": 48}
        muxer = FragmentMuxer(lambda out: out.add_stream_from_template(video), facts, caught.tell, caught.give)
        for number, packet in enumerate(packet for packet in container.demux(video) if packet.size):
            muxer.mux(packet, number / 25, live=False)
        muxer.close(12.0)

    lasted = [head["end_s"] - head["start_s"] for head in caught.media]
    assert all(least_s - 0.01 <= each <= most_s for each in lasted[1:-1])
    assert sum(lasted) == pytest.approx(12.0)
    if every <= 100:
        assert all(head["key"] for head in caught.media)
    (file,) = caught.runs
    assert len(played(file)) == 300
