"""agent.cameras.decode.video_decoder; the board's decoder is a stand-in, which decodes by software within"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import pytest
from av.codec import Codec
from av.video.stream import VideoStream

from agent.cameras.decode import video_decoder as module
from agent.cameras.decode.decoded import Picture, Source
from agent.cameras.decode.stream import Stream
from agent.cameras.decode.video_decoder import AUTO_PX, SILENT_PACKETS, board_codec

KEY_EVERY = 12


@dataclass
class Board:
    """A board with a decoder: right until packet number `from_packet`, then it fails as `how` says."""

    how: str = "never"
    from_packet: int = 40
    opened: list[str] = field(default_factory=list)
    packets: int = 0
    skip_frame: str = "DEFAULT"

    def open(self, name: str, video: VideoStream) -> Board:
        self.opened.append(name)
        self.codec = Codec(name, "r")
        self._within: Any = av.CodecContext.create("h264", "r")
        self._within.extradata = video.codec_context.extradata
        return self

    has_b_frames = False

    def decode(self, packet: Any) -> list[av.VideoFrame]:
        self.packets += 1
        if self.packets <= self.from_packet or self.how == "never":
            return list(self._within.decode(packet))
        if self.how == "fails":
            raise av.error.OSError(errno.EIO, "Input/output error")
        if self.how == "spoils":
            raise av.error.InvalidDataError(errno.EINVAL, "Invalid data found when processing input")
        assert self.how == "silent"
        return []


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """120 pictures whose brightness is their number, with a key picture every twelve."""
    path = tmp_path / "clip.mkv"
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = KEY_EVERY
        for number in range(120):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane, shade in zip(frame.planes, (40 + number, 128, 128), strict=True):
                plane.update(bytes([shade]) * plane.buffer_size)
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


@pytest.fixture
def stream(clip: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stream]:
    """A stream of the clip on a machine with this board; None: on this machine, which has none."""

    def opened(board: Board | None, wish: str = "v4l2m2m") -> Stream:
        if board is not None:
            monkeypatch.setattr(module, "open_board", board.open)
        source = Source("north", "file", f"file:{clip}", str(clip), pace="fast", max_fps=1000, decoder=wish)
        return Stream(source, lambda: (time.monotonic(), time.time()))

    return opened


def shade(picture: Picture) -> int:
    wide = picture.layout.strides[0]
    return int(np.median(np.frombuffer(picture.planes[0], np.uint8).reshape(-1, wide)[:, :64])) - 40


def shown(stream: Stream) -> list[int]:
    found = [shade(picture) for picture in stream]
    stream.close()
    return found


@pytest.mark.parametrize("wish", ["auto", "v4l2m2m"])
def test_a_board_that_can_decodes_and_that_is_told(stream: Callable[..., Stream], wish: str) -> None:
    board = Board()
    it = stream(board, wish)
    assert board.opened == ["h264_v4l2m2m"]
    assert (it.facts.codec, it.facts.decoder, it.facts.fallback) == ("h264", "FFmpeg h264_v4l2m2m", None)
    assert shown(it) == pytest.approx(range(120), abs=2)
    assert board.packets == 121  # with the end of the file


def test_where_software_is_wished_no_board_is_touched(stream: Callable[..., Stream]) -> None:
    board = Board()
    it = stream(board, "software")
    assert (it.facts.decoder, it.facts.fallback) == ("FFmpeg h264", None)
    assert shown(it) == pytest.approx(range(120), abs=2)
    assert board.opened == []


@pytest.mark.parametrize("wish", ["auto", "v4l2m2m"])
def test_on_a_machine_without_such_a_decoder_software_does_it_and_says_why(
    stream: Callable[..., Stream], wish: str
) -> None:
    it = stream(None, wish)
    assert it.facts.decoder == "FFmpeg h264"
    assert it.facts.fallback is not None and it.facts.fallback.startswith("h264_v4l2m2m does not open: ")
    assert shown(it) == pytest.approx(range(120), abs=2)


@pytest.mark.parametrize(("how", "why", "next_key"), [
    ("fails", "h264_v4l2m2m: Input/output error", 48),  # the next key picture after packet 40
    ("silent", "h264_v4l2m2m: no picture of 30 packets", 72),  # after 40 + 30
    ("spoils", "h264_v4l2m2m: Invalid data found when processing input", 72),
])  # fmt: skip
def test_where_a_board_fails_later_software_goes_on_at_the_next_key_picture(
    stream: Callable[..., Stream], how: str, why: str, next_key: int
) -> None:
    it = stream(Board(how))
    first = it.facts
    assert shown(it) == pytest.approx([*range(40), *range(next_key, 120)], abs=2)
    assert (first.decoder, first.fallback) == ("FFmpeg h264_v4l2m2m", None)
    assert (it.facts.decoder, it.facts.fallback) == ("FFmpeg h264", why)
    assert it.damaged == (SILENT_PACKETS - 1 if how == "spoils" else 0)


def test_a_board_that_has_failed_is_not_asked_again(stream: Callable[..., Stream]) -> None:
    board = Board("fails")
    it = stream(board)
    shown(it)
    assert (len(board.opened), board.packets) == (1, 41)


def test_a_board_is_given_every_packet_whoever_wants_its_picture(stream: Callable[..., Stream]) -> None:
    board = Board()
    it = stream(board)
    it.wanted = lambda _mono_s: False
    assert shown(it) == []
    assert (board.packets, board.skip_frame) == (121, "DEFAULT")  # what it builds on never lacks


@pytest.mark.parametrize(("codec", "size", "why"), [
    ("mjpeg", (64, 48), "auto leaves mjpeg to software"),
    ("hevc", (64, 48), "auto leaves hevc to software"),
    ("h264", (1920, 1088), "auto leaves 1920×1088 to software"),
])  # fmt: skip
def test_auto_gives_a_board_only_what_most_of_them_can(codec: str, size: tuple[int, int], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        board_codec(claimed(codec, size), "auto")


def test_what_is_asked_for_by_name_is_tried_whatever_it_is_if_ffmpeg_has_it() -> None:
    assert board_codec(claimed("hevc", (3840, 2160)), "v4l2m2m") == "hevc_v4l2m2m"
    assert board_codec(claimed("h264", (1920, 1080)), "auto") == "h264_v4l2m2m"
    assert AUTO_PX == 1920 * 1080
    with pytest.raises(ValueError, match="FFmpeg has no mjpeg_v4l2m2m"):
        board_codec(claimed("mjpeg", (64, 48)), "v4l2m2m")


def claimed(codec: str, size: tuple[int, int]) -> Any:
    """What a stream says of itself before anything is decoded."""
    context: Any = av.CodecContext.create(codec, "r")
    context.width, context.height = size

    class Claims:
        codec_context = context

    return Claims()
