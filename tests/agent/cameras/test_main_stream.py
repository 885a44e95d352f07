"""agent.cameras.main_stream: a second connection, whose loss is its own."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from agent.cameras.decode.decoded import Record
from agent.cameras.footage import Piece
from agent.cameras.main_stream import MainStream
from agent.cameras.settings import CameraSettings, FileSource, RtspSource
from agent.clock import SystemClock
from agent.errors import CameraLost, CameraRefused
from tests.support.brokers import until
from tests.support.copiers import copiers
from tests.support.descriptors import few_descriptors, open_descriptors, opened_since


def camera(path: Path, loop: bool = False) -> CameraSettings:
    return CameraSettings(
        name="north", source=FileSource(kind="file", path=path, pace="real", loop=loop), stall_s=2
    )


def pieces_of(stream: MainStream, count: int) -> list[Piece]:
    got: list[Piece] = []
    until(
        lambda: isinstance(piece := stream.read(0.2), Piece) and not got.append(piece) and len(got) >= count, 30
    )
    return got


@pytest.mark.long
def test_pieces_come_until_a_file_ends(numbered_clip: Callable[..., Path]) -> None:
    stream = MainStream(camera(numbered_clip(50)), SystemClock(), Record())
    got: list[Piece] = []
    try:
        while not stream.ended:
            if isinstance(piece := stream.read(0.2), Piece):
                got.append(piece)
    finally:
        stream.close()
    assert sum(each.duration_s for each in got) == pytest.approx(2.0, abs=0.3)
    assert stream.facts is not None
    assert stream.facts.width_px == 320


@pytest.mark.long
def test_a_file_that_is_looped_goes_on_as_a_new_run(numbered_clip: Callable[..., Path]) -> None:
    stream = MainStream(camera(numbered_clip(30), loop=True), SystemClock(), Record())
    try:
        got = pieces_of(stream, 6)
    finally:
        stream.close()
    assert {each.run for each in got} >= {1, 2}


def test_a_child_that_is_killed_is_a_lost_camera(
    numbered_clip: Callable[..., Path],
) -> None:
    stream = MainStream(camera(numbered_clip(50), loop=True), SystemClock(), Record())
    pieces_of(stream, 1)
    (child,) = copiers()
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(CameraLost, match="main stream died"):
        while True:
            stream.read(0.2)
    stream.close()
    assert not copiers()


@pytest.mark.long
def test_a_child_that_hangs_is_a_lost_camera(numbered_clip: Callable[..., Path]) -> None:
    stream = MainStream(camera(numbered_clip(50), loop=True), SystemClock(), Record())
    pieces_of(stream, 1)
    (child,) = copiers()
    child.suspend()
    began_s = time.monotonic()
    with pytest.raises(CameraLost, match="gives nothing"):
        while True:
            stream.read(0.2)
    assert time.monotonic() - began_s < 10
    stream.close()
    assert not copiers()


def test_what_is_not_there_is_told_before_or_by_the_child(tmp_path: Path) -> None:
    with pytest.raises(CameraRefused, match="no such file"):
        MainStream(camera(tmp_path / "none.mp4"), SystemClock(), Record())
    nobody = CameraSettings(
        name="north", source=RtspSource(kind="rtsp", url="rtsp://127.0.0.1:1/live"), open_timeout_s=2
    )
    stream = MainStream(nobody, SystemClock(), Record())
    with pytest.raises(CameraLost):
        while True:
            stream.read(0.2)
    stream.close()


def test_who_gets_no_child_keeps_no_descriptor_and_no_child(numbered_clip: Callable[..., Path]) -> None:
    settings, before, children = camera(numbered_clip(5)), open_descriptors(), psutil.Process().children()
    for free in range(14):
        with few_descriptors(free), suppress(CameraLost):
            MainStream(settings, SystemClock(), Record()).close()
        assert not opened_since(before), f"with {free} left"
    circle = tuple((0.5 + 0.4 * math.sin(n), 0.5 + 0.4 * math.cos(n)) for n in range(20_000))
    huge = settings.model_copy(update={"privacy_masks": (circle,)})  # more than a message takes
    with pytest.raises(CameraLost, match="no process"):
        MainStream(huge, SystemClock(), Record())
    assert not opened_since(before)
    assert not set(psutil.Process().children()) - set(children)


@pytest.mark.long
def test_a_network_camera_is_copied(rtsp_url: str) -> None:
    settings = CameraSettings(name="north", source=RtspSource(kind="rtsp", url=rtsp_url))
    stream = MainStream(settings, SystemClock(), Record())
    try:
        init, _, *media = pieces_of(stream, 5)
    finally:
        stream.close()
    assert (init.kind, init.codec, init.width_px) == ("init", "h264", 320)
    assert all(0.9 < each.duration_s < 2.5 for each in media)
