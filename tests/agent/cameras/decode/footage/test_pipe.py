"""agent.cameras.decode.footage.pipe: pieces that nobody waits for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from agent.cameras.decode.footage.pipe import FootagePipe
from agent.cameras.footage import FootageReader, Piece, Way
from agent.clock import SystemClock
from tests.support.brokers import until
from tests.support.fragments import INIT, media

Ends = tuple[FootagePipe, FootageReader]


@pytest.fixture
def ends() -> Iterator[Ends]:
    reading, writing = os.pipe()
    pipe, reader = FootagePipe(writing, max_waiting_bytes=200_000), FootageReader(reading, SystemClock())
    yield pipe, reader
    reader.close()
    pipe.finish(1)


def head(key: bool = True) -> dict[str, object]:
    now_s = time.monotonic()
    return {"kind": "media", "run": 1, "start_s": now_s, "end_s": now_s, "key": key}


def test_what_is_given_comes_out(ends: Ends) -> None:
    pipe, reader = ends
    pipe.tell({"kind": "way", "way": "copy"})
    pipe.tell({"kind": "init", "run": 1, "codec": "h264", "width_px": 64, "height_px": 48}, INIT)
    pipe.give(head(), media(50_000))

    assert reader.read(5) == Way("copy")
    first, second = reader.read(5), reader.read(5)
    assert isinstance(first, Piece)
    assert isinstance(second, Piece)
    assert (first.kind, first.codec, first.data) == ("init", "h264", INIT)
    assert (second.kind, second.data, second.dropped) == ("media", media(50_000), 0)
    assert reader.read(0) is None


def test_when_nobody_reads_pieces_are_dropped_up_to_a_key_picture_and_counted(ends: Ends) -> None:
    pipe, reader = ends
    pipe.tell({"kind": "init", "run": 1, "codec": "h264", "width_px": 64, "height_px": 48}, INIT)
    began_s = time.monotonic()
    for _ in range(400):
        pipe.give(head(), media(10_000))
    assert time.monotonic() - began_s < 5, "giving waits for nobody"
    assert pipe.dropped > 100
    dropped = pipe.dropped
    got = [piece for piece in iter(lambda: reader.read(0.5), None) if isinstance(piece, Piece)]
    assert len(got) == 1 + 400 - dropped

    pipe.give(head(key=False), media(100))
    pipe.give(head(key=True), media(200))

    piece = reader.read(5)
    assert isinstance(piece, Piece)
    assert (len(piece.data), piece.dropped) == (len(media(200)), dropped + 1)


def test_a_reader_that_goes_ends_the_writing_and_nothing_else() -> None:
    reading, writing = os.pipe()
    pipe = FootagePipe(writing)
    os.close(reading)
    for _ in range(10):
        pipe.give(head(), media(100_000))
    pipe.finish(5)
    until(lambda: not any(thread.name == "footage" for thread in threading.enumerate()), 10)


def test_the_end_waits_a_little_for_who_reads(ends: Ends) -> None:
    pipe, reader = ends
    pipe.tell({"kind": "init", "run": 1, "codec": "h264", "width_px": 64, "height_px": 48}, INIT)
    for _ in range(10):
        pipe.give(head(), media(10_000))
    finished = threading.Thread(target=pipe.finish, args=(20,))
    finished.start()
    got = 0
    while not reader.ended:
        got += isinstance(reader.read(1), Piece)
    finished.join(20)
    assert got == 11
