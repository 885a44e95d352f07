"""A clip that becomes brighter from frame to frame."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np


def write_grey_clip(path: Path, frames: int, side_px: int = 64) -> Path:
    """So many frames, from dark to bright; returns its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        track = container.add_stream("libx264", rate=10)
        track.width = track.height = side_px
        track.pix_fmt = "yuv420p"
        for number in range(frames):
            picture = np.full((side_px, side_px, 3), 20 + 200 * number // frames, np.uint8)
            container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(track.encode())
    return path
