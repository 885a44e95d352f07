"""benchmarks.verify"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from agent.errors import NgatuError
from benchmarks import verify


def clip(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"g": "10"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for index in range(50):
            picture = np.full((90, 160, 3), index * 5, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_each_form_of_a_package_has_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "MINUTES", 1)
    rows = list(verify.main([clip(tmp_path / "clip.mp4")]))

    assert [row["form"] for row in rows] == ["encrypted", "decrypted", "zipped"]
    assert all(float(str(row["verify, s a minute"])) >= 0 for row in rows)


def test_a_clip_that_cannot_be_recorded_is_told(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no clip")
    with pytest.raises(NgatuError, match="cannot be recorded"):
        verify.remuxed(tmp_path / "clip.mp4")
