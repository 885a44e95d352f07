"""agent.workers.footage.sources: pieces, whatever becomes of the child that gives them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cameras import open_camera
from agent.cameras.decode.decoded import Record
from agent.cameras.decode.footage.pipe import HEAD, MAGIC
from agent.cameras.footage import Piece, Way
from agent.cameras.settings import CameraSettings, FileSource
from agent.clock import SystemClock
from agent.errors import CameraLost
from agent.workers.footage.sources import READERS, MainFootage, SharedFootage
from tests.support.brokers import until
from tests.support.copiers import copiers
from tests.support.descriptors import open_descriptors, opened_since

CLOCK = SystemClock()


def settings(path: Path) -> CameraSettings:
    return CameraSettings(name="north", source=FileSource(kind="file", path=path, pace="real", loop=True))


def got(source: SharedFootage | MainFootage, pieces: list[Piece]) -> bool:
    if isinstance(piece := source.read(0.2), Piece):
        pieces.append(piece)
    return len(pieces) >= 3


@pytest.mark.long
def test_the_child_that_decodes_records_beside(numbered_clip: Callable[..., Path]) -> None:
    shared = SharedFootage("north", CLOCK)
    camera = open_camera(settings(numbered_clip(50)), CLOCK, Record(), shared.offer)
    frames, pieces = camera.frames(), []
    next(frames)

    def turn() -> bool:
        next(frames)
        return got(shared, pieces)

    until(turn, 30)
    assert shared.opening
    opening = shared.opening
    camera.close()
    until(lambda: shared.read(0.1) is None and shared.opening != opening, 10)
    list(frames)
    assert shared.trouble is None
    shared.close()


def test_nonsense_kills_the_child_and_the_camera_is_lost(numbered_clip: Callable[..., Path]) -> None:
    shared = SharedFootage("north", CLOCK)
    camera = open_camera(settings(numbered_clip(50)), CLOCK, Record(), shared.offer)
    shared.distrust = camera.distrust
    frames = camera.frames()
    next(frames)
    reading, writing = os.pipe()
    os.write(writing, b"x" * 100)
    os.close(writing)
    other = SharedFootage("north", CLOCK, camera.distrust)
    other.offer(reading)

    assert other.read(1) is None
    with pytest.raises(CameraLost, match="died"):
        for _ in frames:
            pass
    shared.close()


def test_while_nobody_reads_the_pipes_of_many_children_are_not_kept() -> None:
    shared, before = SharedFootage("north", CLOCK), open_descriptors()
    for number in range(300):
        reading, writing = os.pipe()
        head = json.dumps({"kind": "way", "way": "encode", "why": str(number)}).encode()
        os.write(writing, HEAD.pack(MAGIC, len(head), 0) + head)
        os.close(writing)
        shared.offer(reading)
    assert len(opened_since(before)) == READERS
    assert shared.skipped == 0, "what is read is from before them"

    heard: list[str] = []
    skipped: list[int] = []
    while opened_since(before):
        if isinstance(way := shared.read(0.1), Way):
            heard.append(way.why)
            skipped.append(shared.skipped)
    assert heard == ["0", *map(str, range(300 - READERS + 1, 300))], "the one that was read, and the newest"
    assert skipped == [0, *[300 - READERS] * (READERS - 1)]


def test_the_nonsense_of_a_child_that_is_gone_kills_no_other() -> None:
    killed: list[int] = []
    shared = SharedFootage("north", CLOCK, lambda: killed.append(1))
    for _ in range(2):
        reading, writing = os.pipe()
        os.write(writing, b"x" * 100)
        os.close(writing)
        shared.offer(reading)
    assert shared.read(1) is None
    assert killed == []
    assert shared.read(1) is None
    assert killed == [1]
    shared.close()


@pytest.mark.long
def test_a_main_stream_is_asked_again_after_a_loss(numbered_clip: Callable[..., Path], tmp_path: Path) -> None:
    clip, place = numbered_clip(50), tmp_path / "later.mkv"
    main = MainFootage(settings(place), Record(), CLOCK)
    assert main.read(0.1) is None
    assert "no such file" in (main.trouble or "")
    main.close()
    main = MainFootage(settings(clip), Record(), CLOCK)
    pieces: list[Piece] = []
    until(lambda: got(main, pieces), 30)
    first = main.opening
    (child,) = copiers()
    child.kill()
    until(lambda: main.read(0.2) is None and main.trouble is not None, 10)
    assert main.opening == ""
    pieces.clear()
    until(lambda: got(main, pieces), 60)
    assert main.opening not in ("", first)
    assert main.trouble is None
    main.close()
    assert not copiers()


@pytest.mark.long
def test_a_paused_camera_has_no_main_stream(numbered_clip: Callable[..., Path]) -> None:
    main = MainFootage(settings(numbered_clip(50)), Record(), CLOCK)
    pieces: list[Piece] = []
    until(lambda: got(main, pieces), 30)
    main.wanted = lambda: False
    assert main.read(0.1) is None
    assert not copiers()
    main.wanted = lambda: True
    pieces.clear()
    until(lambda: got(main, pieces), 30)
    main.close()
