"""agent.cli.footage.record"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.support.boxes import NGATU
from tests.support.brokers import until


def command(folder: Path, source: str, *words: str) -> list[str]:
    config = folder / "box.yaml"
    config.write_text(
        "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: localhost}\n"
        f"cameras:\n  - {{name: north, source: {source}}}\n",
        encoding="utf-8",
    )
    return [*NGATU, "record", str(folder / "minute.mp4"), "-c", str(config), *words]


def run(folder: Path, source: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, source, *words), capture_output=True, text=True, timeout=60, check=False
    )


def test_a_recording_is_there_and_may_be_replayed(tmp_path: Path, numbered_clip: Callable[..., Path]) -> None:
    done = run(tmp_path, f"{{kind: file, path: {numbered_clip(50)}}}", "--for", "1")

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'minute.mp4'}: 1.0 s of camera north, as the camera sent it\n"
    with av.open(str(tmp_path / "minute.mp4")) as video:
        assert len(list(video.decode(video=0))) == pytest.approx(26, abs=4)  # pictures come out of order


@pytest.mark.long
def test_an_unknown_camera_ends_with_2_and_a_lost_one_with_1(tmp_path: Path) -> None:
    missing = f"{{kind: file, path: {tmp_path / 'none.mkv'}}}"
    unknown, lost = run(tmp_path, missing, "--camera", "south"), run(tmp_path, missing)

    assert (unknown.returncode, lost.returncode) == (2, 1)
    assert "there is no camera south in the configuration" in unknown.stderr
    assert "north: no such file" in lost.stderr
    assert not (tmp_path / "minute.mp4").exists()


@pytest.mark.long
@pytest.mark.rtsp
def test_ctrl_c_ends_it_sooner_and_the_file_is_whole(tmp_path: Path, rtsp_url: str) -> None:
    process = subprocess.Popen(
        command(tmp_path, f"{{kind: rtsp, url: '{rtsp_url}'}}"), stdout=subprocess.PIPE, text=True
    )
    until(lambda: any(each.stat().st_size for each in tmp_path.glob(".minute-*.part")), 20)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "of camera north, as the camera sent it" in out
    with av.open(str(tmp_path / "minute.mp4")) as video:
        assert list(video.decode(video=0))
