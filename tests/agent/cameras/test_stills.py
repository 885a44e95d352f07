"""agent.cameras.stills: a real child asked for pictures of its main stream, and one that lies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.cameras.decode.decoded import GIVE_BYTES, Record
from agent.cameras.main_stream import MainStream
from agent.cameras.settings import CameraSettings, FileSource
from agent.cameras.stills import StillAnswer, Stills
from agent.clock import SystemClock
from agent.core.types import WHOLE, Box
from tests.support.brokers import until

CLOCK = SystemClock()
MASK = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
LEFT = Box(0.0, 0.0, 0.5, 0.5)


def answered(stills: Stills) -> StillAnswer:
    found: list[StillAnswer] = []
    until(lambda: (each := stills.answer()) is not None and not found.append(each), 20)
    return found[0]


def opened(path: Path, stills: Stills, masks: tuple[Any, ...] = ()) -> MainStream:
    """A main stream of which two seconds have come."""
    source = FileSource(kind="file", path=path, pace="real", loop=True)
    settings = CameraSettings(name="north", source=source, privacy_masks=masks)
    stream = MainStream(settings, CLOCK, Record(), on_stills=stills.offer)
    until(lambda: stream.read(0.1) is None and stream.facts is not None, 20)
    began_s = time.monotonic()
    until(lambda: bool(stream.read(0.1)) or time.monotonic() - began_s > 2, 20)
    return stream


@pytest.mark.long
def test_a_main_stream_gives_the_pictures_of_a_moment(
    numbered_clip: Callable[..., Path], number_in: Callable[[NDArray[np.uint8]], int]
) -> None:
    stills = Stills()
    stream = opened(numbered_clip(250, width=640, height=480), stills)
    try:
        now_s = time.monotonic()
        number = stills.ask((now_s - 0.5, now_s - 0.3), now_s + 5, LEFT, 4000)
        assert number is not None
        assert stills.ask((now_s - 0.5, now_s - 0.3), now_s + 5, LEFT, 4000) is None, "one at a time"
        answer = answered(stills)
    finally:
        stream.close()
        stills.close()
    still = answer.still
    assert answer.number == number
    assert still is not None
    assert (still.size.width_px, still.size.height_px, still.part) == (640, 480, LEFT)
    assert 4 <= len(still.frames) <= 6
    numbers = [number_in(frame.luma) for frame in still.frames]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(now_s - 0.5 <= frame.at.mono_s <= now_s - 0.3 for frame in still.frames)


@pytest.mark.long
def test_a_masked_main_stream_gives_no_hidden_pixel(numbered_clip: Callable[..., Path]) -> None:
    stills = Stills()
    path = numbered_clip(250, width=640, height=480)
    settings = CameraSettings(
        name="north",
        source=FileSource(kind="file", path=path, pace="real", loop=True),
        privacy_masks=(MASK,),
    )
    stream = MainStream(settings, CLOCK, Record(), on_stills=stills.offer)
    try:
        until(lambda: [stream.read(0.1), stream.facts][1] is not None, 20)
        now_s = time.monotonic()
        until(lambda: time.monotonic() > now_s + 1.0, 5)
        assert stills.ask((now_s, now_s + 0.5), now_s + 6, WHOLE, 4000) is not None
        still = answered(stills).still
    finally:
        stream.close()
        stills.close()
    assert still is not None
    for frame in still.frames:
        assert set(frame.luma[:, 320:].ravel()) == {16}
        assert frame.luma[:, :318].max() > 60


@pytest.mark.long
def test_a_child_that_has_gone_is_an_answer(numbered_clip: Callable[..., Path]) -> None:
    stills = Stills()
    assert stills.ask((0, 1), 2, WHOLE, 100) is None, "there is nobody"
    stream = opened(numbered_clip(250), stills)
    now_s = time.monotonic()
    assert stills.ask((now_s + 5, now_s + 6), now_s + 20, WHOLE, 100) is not None
    stream.close()
    assert answered(stills).still is None
    assert stills.ask((0, 1), 2, WHOLE, 100) is None
    stills.close()


@pytest.fixture
def liar() -> Iterator[tuple[Stills, socket.socket]]:
    """Stills, and the end of a child that says what it likes."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stills = Stills()
    stills.offer(ours)
    yield stills, theirs
    stills.close()
    theirs.close()


def test_a_request_to_a_child_that_was_replaced_is_over(liar: tuple[Stills, socket.socket]) -> None:
    stills = liar[0]
    number = stills.ask((0, 1), 2, LEFT, 100)
    ours, again = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stills.offer(ours)
    assert stills.answer() == StillAnswer(number or 0, None)
    assert stills.answer() is None
    assert stills.ask((0, 1), 2, LEFT, 100) is not None
    again.close()


LAYOUT = {"width_px": 8, "height_px": 8, "strides": [8, 4, 4], "full_range": False}
TRUE: dict[str, Any] = {
    "still": 1, "size": [16, 16], "part": [0.0, 0.0, 0.5, 0.5], "layout": LAYOUT, "at_s": [1.0, 2.0],
}  # fmt: skip


def memory(data: bytes, seals: int = fcntl.F_SEAL_SHRINK) -> int:
    fd = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def answered_with(
    liar: tuple[Stills, socket.socket], words: Any, data: bytes | None = bytes(192)
) -> StillAnswer:
    stills, theirs = liar
    assert stills.ask((0, 1), 2, LEFT, 100) is not None
    theirs.recv(4096)
    fds = [] if data is None else [memory(data)]
    socket.send_fds(theirs, [words if isinstance(words, bytes) else json.dumps(words).encode()], fds)
    for fd in fds:
        os.close(fd)
    return answered(stills)


def test_what_is_well_formed_is_taken(liar: tuple[Stills, socket.socket]) -> None:
    still = answered_with(liar, TRUE).still
    assert still is not None
    assert [frame.luma.shape for frame in still.frames] == [(8, 8), (8, 8)]


@pytest.mark.parametrize(
    "lie",
    [
        {"still": 2},
        {"size": [0, 16]},
        {"size": [100_000, 100_000]},
        {"size": [16]},
        {"part": [0.0, 0.0, 1.0, 1.0]},
        {"part": [0.0, 0.0, 0.0, 0.5]},
        {"part": [float("nan"), 0.0, 0.5, 0.5]},
        {"part": "all of it"},
        {"layout": {**LAYOUT, "strides": [1, 1, 1]}},
        {"layout": {**LAYOUT, "width_px": 7}},
        {"layout": {**LAYOUT, "height_px": 5000}},
        {"layout": {**LAYOUT, "more": 1}},
        {"at_s": []},
        {"at_s": [float("inf")]},
        {"at_s": [1.0] * 17},
        {"at_s": [1.0, 2.0, 3.0]},
        {"at_s": ["x"]},
    ],
)
def test_of_a_lie_nothing_is_taken_and_nobody_asks_again(
    liar: tuple[Stills, socket.socket], lie: dict[str, Any]
) -> None:
    assert answered_with(liar, {**TRUE, **lie}).still is None
    assert liar[0].ask((0, 1), 2, LEFT, 100) is None


@pytest.mark.parametrize("words", [b"{", b"[]", b"\xff", b"[" * 60_000, b'{"still": 1e999}', b"null"])
def test_of_nonsense_nothing_is_taken(liar: tuple[Stills, socket.socket], words: bytes) -> None:
    assert answered_with(liar, words).still is None
    assert liar[0].ask((0, 1), 2, LEFT, 100) is None


def test_memory_that_is_missing_or_may_shrink_is_not_mapped(liar: tuple[Stills, socket.socket]) -> None:
    assert answered_with(liar, TRUE, None).still is None
    stills = liar[0]
    ours, again = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stills.offer(ours)
    assert stills.ask((0, 1), 2, LEFT, 100) == 2
    fd = memory(bytes(GIVE_BYTES), 0)
    socket.send_fds(again, [json.dumps({**TRUE, "still": 2}).encode()], [fd])
    assert answered(stills).still is None
    os.close(fd)
    again.close()
