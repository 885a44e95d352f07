"""agent.cameras.decode.usb.formats; `make test-vm` asks a real driver"""

from __future__ import annotations

import fcntl
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.decoded import Record, Source
from agent.cameras.decode.usb import formats as usb_formats
from agent.cameras.decode.usb.formats import CAPTURE, COSTS, Mode, chosen, modes_of, options


def modes(fourcc: str, *sizes: tuple[int, int, float]) -> list[Mode]:
    return [Mode(fourcc.encode(), *size) for size in sizes]


# As `v4l2-ctl --list-formats-ext` shows a common webcam of USB 2.
WEBCAM = [
    *modes("YUYV", (640, 360, 30), (640, 480, 30), (1280, 720, 10), (1920, 1080, 5)),
    *modes("H264", (640, 360, 30), (1280, 720, 30), (1920, 1080, 30)),
    *modes("MJPG", (640, 360, 30), (640, 480, 30), (1280, 720, 30), (1920, 1080, 30)),
]


@pytest.mark.parametrize(("size", "fps", "max_fps", "wanted"), [
    ((1280, 720), 15, 10, "MJPG"),  # raw comes at 10 only
    ((640, 360), 15, 10, "YUYV"),  # 7 MB/s, and hardly anything to do
    ((640, 480), 30, 10, "MJPG"),  # raw is 18 MB/s: no room for a second camera
    ((1280, 720), 15, 120, "H264"),  # every picture is looked at: H.264 is cheaper to decode
])  # fmt: skip
def test_what_costs_least_at_the_wanted_size_and_rate_is_taken(
    size: tuple[int, int], fps: float, max_fps: float, wanted: str
) -> None:
    best = chosen(WEBCAM, size, fps, max_fps)
    assert best is not None
    assert (best.fourcc, best.width_px, best.height_px) == (wanted.encode(), *size)


@pytest.mark.parametrize(("size", "record", "masked", "wanted"), [
    ((640, 360), Record(), False, "MJPG"),  # its packets are kept as they come; raw must be encoded
    ((640, 360), Record(mjpeg="encode"), False, "H264"),  # then only H.264 comes as it is kept
    ((640, 360), Record(), True, "YUYV"),  # under masks, too
    ((640, 360), Record(under_masks="none"), True, "YUYV"),  # nothing is recorded
    ((1280, 720), Record(mjpeg="encode"), False, "H264"),
    ((640, 480), Record(mjpeg="encode"), False, "YUYV"),  # it has no H.264 of that size, so all is encoded
])  # fmt: skip
def test_what_is_recorded_comes_as_it_can_be_kept(
    size: tuple[int, int], record: Record, masked: bool, wanted: str
) -> None:
    best = chosen(WEBCAM, size, 15, 10, record, masked)
    assert best is not None and best.fourcc == wanted.encode()


def test_a_camera_that_is_recorded_is_asked_for_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    lists: dict[bytes, list[tuple[int, ...]]] = {b"MJPG": [(640, 480)], b"YUYV": [(640, 480)]}
    monkeypatch.setattr(fcntl, "ioctl", Driver(lists, [(1, 15)]).ioctl)
    seen = replace(USB, location="/dev/null")
    assert options(seen)["input_format"] == "yuyv422"
    assert options(replace(seen, record=Record()))["input_format"] == "mjpeg"
    masked = replace(seen, record=Record(), masks=(((0, 0), (1, 0), (1, 1)),))
    assert options(masked)["input_format"] == "yuyv422"


@pytest.mark.parametrize(("size", "nearest"), [
    ((800, 600), (1280, 720)),  # one that has all of it
    ((320, 240), (640, 360)),
    ((3840, 2160), (1920, 1080)),  # none is so large
])  # fmt: skip
def test_a_size_that_it_lacks_becomes_the_nearest_that_holds_it(
    size: tuple[int, int], nearest: tuple[int, int]
) -> None:
    best = chosen(WEBCAM, size, 5, 5)
    assert best is not None and (best.width_px, best.height_px) == nearest


def test_a_camera_of_formats_that_nobody_knows_is_left_to_ffmpeg() -> None:
    assert chosen(modes("Y16 ", (640, 480, 30)), (640, 480), 15, 10) is None


@given(
    st.lists(
        st.builds(
            Mode,
            st.sampled_from(sorted(COSTS)),
            st.integers(1, 4000),
            st.integers(1, 4000),
            st.floats(0, 120),
        ),
        min_size=1,
        max_size=12,
    ),
    st.tuples(st.integers(16, 4000), st.integers(16, 4000)),
    st.floats(0.1, 120),
    st.floats(0.1, 120),
)
def test_a_size_that_is_there_is_never_given_up_for_a_cheaper_format(
    given_modes: list[Mode], size: tuple[int, int], fps: float, max_fps: float
) -> None:
    given_modes = [*given_modes, replace(given_modes[0], width_px=size[0], height_px=size[1])]
    best = chosen(given_modes, size, fps, max_fps)
    assert best is not None and (best.width_px, best.height_px) == size


USB = Source(
    "east", "usb", "/dev/null", "it", format="v4l2", options={"video_size": "640x480", "framerate": "15"}
)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/no-such-camera", "/"])
def test_what_is_no_camera_is_left_to_ffmpeg(device: str) -> None:
    assert options(replace(USB, location=device)) == USB.options


def test_what_is_configured_is_not_asked_for() -> None:
    said = {**USB.options, "input_format": "mjpeg"}
    assert options(replace(USB, options=said)) == said
    assert options(Source("north", "rtsp", "rtsp://h", "it", options={"timeout": "1"})) == {"timeout": "1"}


class Driver:
    """Answers as Linux does: a list of formats, sizes and intervals, each ended by EINVAL."""

    def __init__(self, formats: dict[bytes, list[tuple[int, ...]]], intervals: list[tuple[int, int]]) -> None:
        self.formats, self.intervals = formats, intervals

    def ioctl(self, _fd: int, request: int, record: bytes) -> bytes:
        assert len(record) == request >> 16 & 0x3FFF, "the kernel writes as much as the request says"
        index = int.from_bytes(record[:4], "little")
        try:
            if request == usb_formats.ENUM_FMT:
                assert record[4:8] == struct.pack("=I", CAPTURE)
                return record[:44] + list(self.formats)[index] + record[48:]
            if request == usb_formats.ENUM_SIZES:
                numbers = self.formats[record[4:8]][index]
                kind = 1 if len(numbers) == 2 else 3
                return record[:8] + struct.pack("=I6I", kind, *numbers, *[0] * (6 - len(numbers))) + record[36:]
            return record[:16] + struct.pack("=III", 1, *self.intervals[index]) + record[28:]
        except IndexError:
            raise OSError(22, "Invalid argument") from None


def test_lists_and_ranges_of_a_driver_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    lists: dict[bytes, list[tuple[int, ...]]] = {
        b"MJPG": [(640, 480), (1280, 720)],
        b"YUYV": [(48, 4096, 16, 32, 2160, 8)],
    }
    monkeypatch.setattr(fcntl, "ioctl", Driver(lists, [(1, 30), (1, 15), (1001, 60_000)]).ioctl)
    assert [(mode.fourcc, mode.width_px, mode.height_px) for mode in modes_of("/dev/null", (800, 600))] == [
        (b"MJPG", 640, 480), (b"MJPG", 1280, 720), (b"YUYV", 800, 600),
    ]  # fmt: skip
    assert {round(mode.fps, 2) for mode in modes_of("/dev/null", (800, 600))} == {59.94}
    assert options(replace(USB, options={"video_size": "800x600", "framerate": "60"})) == {
        "input_format": "yuyv422", "video_size": "800x600", "framerate": "59.9401",
    }  # fmt: skip


def test_a_list_that_never_ends_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fcntl, "ioctl", lambda _fd, _request, record: record)
    assert len(list(modes_of("/dev/null", (1, 1)))) <= usb_formats.MOST**2
