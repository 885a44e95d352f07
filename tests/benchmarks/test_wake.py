"""benchmarks.wake"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from agent.errors import NgatuError
from benchmarks.wake.scenes import Scene


def empty_street(path: Path) -> Path:
    """Two seconds in which nobody passes."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for _ in range(20):
            grey = np.full((270, 320), 110, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def test_a_scene_in_which_nobody_would_pass_is_an_error(tmp_path: Path) -> None:
    street = empty_street(tmp_path / "street.mp4")

    with pytest.raises(NgatuError, match=r"street\.mp4: nobody who passes"):
        next(Scene("street", street, (street,)).pictures())
