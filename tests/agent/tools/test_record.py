"""agent.tools.record"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from agent.clock import SystemClock
from agent.config.schema import CameraConfig
from agent.errors import CameraRefused, NgatuError
from agent.tools.record import Recording, record

MASK = [[0.6, 0.1], [0.9, 0.1], [0.9, 0.3], [0.6, 0.3]]


def recorded(clip: Path, path: Path, for_s: float = 60.0, **more: object) -> Recording:
    source = {"kind": "file", "path": clip, "pace": "fast"}
    camera = CameraConfig.model_validate({"name": "north", "source": source, **more})
    return record(camera, SystemClock(), path, for_s)


def luma(path: Path) -> list[tuple[float, object]]:
    with av.open(str(path)) as video:
        return [(float(f.time), f.to_ndarray(format="gray")) for f in video.decode(video=0)]


def test_a_file_is_copied_as_it_is(
    tmp_path: Path, numbered_clip: Callable[..., Path], number_in: Callable[..., int]
) -> None:
    done = recorded(numbered_clip(50), tmp_path / "minute.mp4")

    assert done.how == "as the camera sent it"
    assert done.why is None
    assert [number_in(picture) for _, picture in luma(tmp_path / "minute.mp4")] == list(range(50))


@pytest.mark.parametrize("name", ["minute.mp4", "minute.mkv"])
def test_what_a_mask_hides_is_black_and_time_runs_as_it_did(
    name: str, tmp_path: Path, numbered_clip: Callable[..., Path], number_in: Callable[..., int]
) -> None:
    done = recorded(numbered_clip(50), tmp_path / name, 1.0, privacy_masks=[MASK])

    assert "encoded again, for its masks hide a part" in done.how
    seen = luma(tmp_path / name)
    assert [time for time, _ in seen] == pytest.approx([n / 25 for n in range(len(seen))], abs=0.002)
    assert 1.0 <= done.seconds < 1.1
    for number, (_, picture) in enumerate(seen):
        assert number_in(picture) == number  # type: ignore[arg-type]
        assert picture[30:66, 200:280].max() < 24  # type: ignore[index]
        assert picture[30:66, 100:180].min() > 60  # type: ignore[index]


def test_a_recording_that_is_there_is_never_replaced(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    path = tmp_path / "minute.mp4"
    path.write_bytes(b"the only one")

    with pytest.raises(NgatuError, match="is there already"):
        recorded(numbered_clip(5), path)
    assert path.read_bytes() == b"the only one"


def test_a_failed_recording_leaves_nothing_behind(tmp_path: Path, numbered_clip: Callable[..., Path]) -> None:
    clip = numbered_clip(5)
    before = sorted(tmp_path.iterdir())
    for path, error in (
        (tmp_path / "minute.avi", "not a name for a video"),
        (tmp_path / "nowhere" / "minute.mp4", "cannot be written"),
    ):
        with pytest.raises(NgatuError, match=error):
            recorded(clip, path)
    with pytest.raises(CameraRefused):
        recorded(tmp_path / "none.mkv", tmp_path / "minute.mp4")
    assert sorted(tmp_path.iterdir()) == before


def test_only_its_owner_may_read_what_was_recorded(tmp_path: Path, numbered_clip: Callable[..., Path]) -> None:
    recorded(numbered_clip(5), tmp_path / "minute.mp4")
    assert (tmp_path / "minute.mp4").stat().st_mode & 0o777 == 0o600
