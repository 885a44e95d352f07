"""agent.cameras.decode.stream"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

from agent.cameras.decode.decoded import Record, Source
from agent.cameras.decode.footage.pipe import FootagePipe
from agent.cameras.decode.footage.tee import NONE, Tee
from agent.cameras.decode.stream import Stream
from agent.errors import CameraLost, CameraRefused
from tests.support.large_pictures import h264, write_all
from tests.support.taps import Caught


def now() -> tuple[float, float]:
    return time.monotonic(), time.time()


def file_source(path: Path, **more: object) -> Source:
    plain = Source("north", "file", f"file:{path}", str(path), pace="fast", max_fps=1000, started=(5.0, 1e9))
    return replace(plain, **more)  # type: ignore[arg-type]


def numbers(stream: Stream, number_in: Callable[..., int]) -> list[int]:
    found = []
    for picture in stream:
        stride, (height, width) = picture.layout.strides[0], picture.layout.shapes[0]
        luma = np.frombuffer(picture.planes[0], np.uint8).reshape(height, stride)[:, :width]
        found.append(number_in(luma))
    stream.close()
    return found


@pytest.mark.parametrize(("codec", "pixel_format", "name"), [
    ("libx264", "yuv420p", "clip.mp4"),
    ("libx264", "yuvj420p", "full.mp4"),
    ("mpeg4", "yuv420p", "clip.avi"),
    ("mjpeg", "yuvj420p", "clip.avi"),
    ("mjpeg", "yuvj422p", "clip.mov"),
    ("rawvideo", "yuyv422", "clip.nut"),
])  # fmt: skip
@pytest.mark.parametrize(("width", "height"), [(320, 240), (322, 242)])
def test_every_picture_of_a_file_comes_once_in_order(
    numbered_clip: Callable[..., Path], number_in: Callable[..., int],
    codec: str, pixel_format: str, name: str, width: int, height: int,
) -> None:  # fmt: skip
    clip = numbered_clip(30, width, height, codec=codec, pixel_format=pixel_format, name=name)
    stream = Stream(file_source(clip), now)
    assert (stream.facts.codec, stream.facts.fps) == (codec.replace("libx264", "h264"), 25.0)
    assert numbers(stream, number_in) == list(range(30))


def test_a_picture_of_odd_size_has_chroma_for_its_last_row_and_column(
    numbered_clip: Callable[..., Path],
) -> None:
    clip = numbered_clip(2, 323, 241, codec="mjpeg", pixel_format="yuvj420p", name="odd.avi")
    layout = next(iter(Stream(file_source(clip), now))).layout
    assert layout.shapes == ((241, 323), (121, 162), (121, 162))


@pytest.mark.parametrize(("codec", "pixel_format", "full"), [
    ("mjpeg", "yuvj420p", True), ("mjpeg", "yuvj422p", True), ("mpeg4", "yuv420p", False),
])  # fmt: skip
def test_the_range_of_luma_is_told(
    numbered_clip: Callable[..., Path], codec: str, pixel_format: str, full: bool
) -> None:
    clip = numbered_clip(2, codec=codec, pixel_format=pixel_format, name="clip.avi")
    assert next(iter(Stream(file_source(clip), now))).layout.full_range is full


def test_a_fast_file_is_stamped_by_its_own_time_stamps(numbered_clip: Callable[..., Path]) -> None:
    pictures = list(Stream(file_source(numbered_clip(10)), now))
    assert [round(p.mono_s - 5.0, 6) for p in pictures] == [round(n * 0.04, 6) for n in range(10)]
    assert [round(p.wall_s - 1e9, 3) for p in pictures] == [round(n * 0.04, 3) for n in range(10)]


def test_a_loop_goes_on_in_time(numbered_clip: Callable[..., Path]) -> None:
    pictures = iter(Stream(file_source(numbered_clip(10), loop=True), now))
    steps = [next(pictures) for _ in range(35)]
    assert [p.index for p in steps] == list(range(35))
    assert [p.lap for p in steps] == [n // 10 for n in range(35)]
    assert np.allclose(np.diff([p.mono_s for p in steps]), 0.04)


def test_a_file_at_real_pace_is_not_faster_than_its_time_stamps(numbered_clip: Callable[..., Path]) -> None:
    start = now()
    source = file_source(numbered_clip(10), pace="real", started=start)
    for picture in Stream(source, now):
        assert time.monotonic() >= picture.mono_s
    assert time.monotonic() - start[0] >= 0.36


def test_a_machine_that_is_too_slow_does_not_fall_ever_further_behind(
    numbered_clip: Callable[..., Path],
) -> None:
    seconds = [5.0]

    def slow() -> tuple[float, float]:
        seconds[0] += 1.0  # each look at the clock finds a second gone: 25 times too slow
        return seconds[0], seconds[0]

    for picture in Stream(file_source(numbered_clip(20), pace="real"), slow):
        assert seconds[0] - picture.mono_s < 2.5


def test_pictures_above_the_limit_are_left_out_evenly(numbered_clip: Callable[..., Path]) -> None:
    pictures = list(Stream(file_source(numbered_clip(50), max_fps=5), now))
    assert [p.index for p in pictures] == list(range(0, 50, 5))


@pytest.mark.parametrize(("codec", "pixel_format", "name"), [
    ("libx264", "yuv420p", "clip.mp4"), ("mjpeg", "yuvj420p", "clip.avi"), ("mpeg4", "yuv420p", "clip.avi"),
])  # fmt: skip
@pytest.mark.parametrize("loop", [False, True])
def test_every_picture_that_is_wanted_comes_with_its_number_whatever_is_not_decoded(
    numbered_clip: Callable[..., Path], number_in: Callable[..., int],
    codec: str, pixel_format: str, name: str, loop: bool,
) -> None:  # fmt: skip
    clip = numbered_clip(30, codec=codec, pixel_format=pixel_format, name=name)
    stream = Stream(file_source(clip, loop=loop), now)
    not_before_s = [0.0]
    stream.wanted = lambda mono_s: mono_s >= not_before_s[0] - 0.001
    came = []
    for picture in stream:
        stride, (height, width) = picture.layout.strides[0], picture.layout.shapes[0]
        luma = np.frombuffer(picture.planes[0], np.uint8).reshape(height, stride)[:, :width]
        assert number_in(luma) == picture.index % 30
        came.append(picture.index)
        not_before_s[0] = picture.mono_s + 7 * 0.04
        if len(came) == 12:
            break
    stream.close()
    assert came == list(range(0, 84 if loop else 30, 7))


def test_damaged_packets_are_skipped_and_counted(
    numbered_clip: Callable[..., Path], number_in: Callable[..., int]
) -> None:
    clip = numbered_clip(40, codec="mjpeg", pixel_format="yuvj420p", name="clip.avi")
    data = bytearray(clip.read_bytes())
    starts = [n for n in range(data.index(b"movi"), len(data)) if data[n : n + 4] == b"00dc"]
    for start in starts[10:13]:
        data[start + 8 : start + 8 + 700] = bytes(700)
    clip.write_bytes(data)
    stream = Stream(file_source(clip), now)
    found = numbers(stream, number_in)
    assert set(found) >= {*range(10), *range(13, 40)}
    assert stream.damaged >= 1


def test_a_packet_with_a_hole_is_mended_and_counted(numbered_clip: Callable[..., Path]) -> None:
    clip = numbered_clip(40, name="clip.ts")
    data = clip.read_bytes()
    cells = [data[n : n + 188] for n in range(0, len(data), 188)]
    video = [n for n, cell in enumerate(cells) if (cell[1] & 31) << 8 | cell[2] == 256]
    del cells[video[len(video) // 2]]
    clip.write_bytes(b"".join(cells))
    stream = Stream(file_source(clip), now)
    assert len(list(stream)) >= 39
    assert stream.damaged == 1


@pytest.mark.parametrize("damage", [b"", b"not a video", bytes(5000)])
def test_a_file_that_is_no_video_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(damage)
    with pytest.raises(CameraRefused, match=r"clip\.mp4"):
        list(Stream(file_source(path), now))


def test_a_file_without_pictures_is_refused(tmp_path: Path) -> None:
    with av.open(tmp_path / "sound.wav", "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
    with pytest.raises(CameraRefused, match="no video"):
        Stream(file_source(tmp_path / "sound.wav"), now)


def rtsp_source(url: str, shown: str = "rtsp://camera/live", seconds: float = 1.0) -> Source:
    options = {"rtsp_transport": "tcp", "timeout": str(int(seconds * 1e6))}
    return Source("north", "rtsp", url, shown, options=options, open_timeout_s=seconds, stall_s=seconds)


def test_a_port_where_nobody_listens_is_a_lost_camera() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(CameraLost, match="nobody listening") as caught:
            Stream(rtsp_source(f"rtsp://tran:geheim@127.0.0.1:{port}/live"), now)
    assert "geheim" not in str(caught.value)


def test_a_camera_that_accepts_and_says_nothing_is_lost_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://tran:geheim@127.0.0.1:{silent.getsockname()[1]}/live"
        started = time.monotonic()
        with pytest.raises(CameraLost) as caught:
            Stream(rtsp_source(url), now)
    assert time.monotonic() - started < 3
    assert "geheim" not in str(caught.value)


def test_a_picture_that_is_larger_than_any_cameras_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    for kind, path in write_all(tmp_path).items():
        with pytest.raises(CameraRefused, match="more than 33 million pixels"):
            next(iter(Stream(file_source(path), now)))
        assert kind not in ("h264", "h265") or size_claimed(path) == (16_000, 16_000)


def size_claimed(path: Path) -> tuple[int, int]:
    with pytest.raises(CameraRefused) as refused:
        Stream(file_source(path), now)
    width, height = re.findall(r"(\d+) x (\d+)", refused.value.what)[0]
    return int(width), int(height)


def test_a_stream_whose_size_grows_beyond_any_cameras_is_refused_at_once(tmp_path: Path) -> None:
    clip = tmp_path / "grows.h264"
    clip.write_bytes(h264(64, 64) + h264(16_000, 16_000))
    with pytest.raises(CameraRefused, match="16000 x 16000"):
        list(Stream(file_source(clip), now))


def test_a_recording_that_has_failed_costs_no_picture(
    numbered_clip: Callable[..., Path], number_in: Callable[..., int]
) -> None:
    stream = Stream(file_source(numbered_clip(30)), now)
    stream.tee = Tee(cast(FootagePipe, Caught()), Record(), masked=False, codec="h264", live=False)
    stream.tee.way = NONE  # as where the muxer does not take what the camera sends

    assert numbers(stream, number_in) == list(range(30))


def quiet_clip(folder: Path, seconds: float = 14) -> Path:
    """A still view with grain, a key picture each second."""
    chance, made = np.random.default_rng(5), folder / "quiet.mp4"
    view = chance.integers(60, 180, (120, 160)).astype(np.float32)
    with av.open(str(made), "w") as out:
        track = out.add_stream("libx264", rate=25)
        track.width, track.height, track.pix_fmt = 160, 120, "yuv420p"
        track.codec_context.thread_count = 1
        track.options = {"bf": "0", "g": "25", "keyint_min": "25", "sc_threshold": "0"}
        for n in range(int(seconds * 25)):
            luma = np.clip(view + chance.normal(0, 1.5, view.shape), 0, 255).reshape(-1)
            flat = np.concatenate([luma, np.full(160 * 60, 128.0)]).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(flat.reshape(180, 160), "yuv420p")
            frame.pts = n
            out.mux(track.encode(frame))
        out.mux(track.encode())
    return made


def test_asleep_its_pictures_have_the_times_and_numbers_that_they_have_awake(tmp_path: Path) -> None:
    clip = quiet_clip(tmp_path)
    awake = {p.index: p.mono_s for p in Stream(file_source(clip), now)}
    stream = Stream(file_source(clip, wake=True), now)
    stream.calm = lambda: 9.0
    asleep = {p.index: p.mono_s for p in stream}
    assert len(asleep) < 0.6 * len(awake)
    assert asleep == {index: pytest.approx(awake[index], abs=1e-6) for index in asleep}


@pytest.mark.long
def test_a_file_at_real_pace_sleeps_as_long_as_it_is(tmp_path: Path) -> None:
    start = now()
    stream = Stream(file_source(quiet_clip(tmp_path, 7), wake=True, pace="real", started=start), now)
    stream.calm = lambda: 9.0
    said: list[int] = []
    stream.doze = lambda came, _damaged: said.append(came)
    for picture in stream:
        assert time.monotonic() >= picture.mono_s
    assert time.monotonic() - start[0] >= 6.5
    assert said
    assert said == sorted(said)


def test_without_leave_to_sleep_and_with_other_codecs_every_packet_is_decoded(
    numbered_clip: Callable[..., Path], tmp_path: Path
) -> None:
    assert Stream(file_source(quiet_clip(tmp_path, 1)), now).dozer is None
    mjpeg = numbered_clip(3, codec="mjpeg", pixel_format="yuvj420p", name="clip.avi")
    assert Stream(file_source(mjpeg, wake=True), now).dozer is None
