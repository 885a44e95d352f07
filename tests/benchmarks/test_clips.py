"""benchmarks.clips"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from agent.errors import NgatuError
from benchmarks.clips import frames, still_view


def test_a_clip_with_odd_sides_is_made_even(tmp_path: Path) -> None:
    with av.open(tmp_path / "odd.avi", "w") as out:
        stream = out.add_stream("mjpeg", rate=5)
        stream.width, stream.height, stream.pix_fmt = 65, 49, "yuvj444p"
        for _ in range(3):
            picture = av.VideoFrame.from_ndarray(np.full((49, 65, 3), 90, np.uint8), format="rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode())

    every = list(frames(tmp_path / "odd.avi"))

    assert [(each.luma.shape, each.u.shape) for each in every] == [((48, 64), (24, 32))] * 3


@pytest.mark.parametrize("content", [b"", b"no clip at all"])
def test_what_is_no_clip_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "road.mp4").write_bytes(content)

    with pytest.raises(NgatuError, match=r"road.mp4: no clip") as caught:
        still_view(tmp_path / "road.mp4")
    assert caught.value.hint
