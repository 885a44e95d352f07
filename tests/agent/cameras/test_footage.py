"""agent.cameras.footage: of what a child gives nothing is believed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.footage.pipe import HEAD, MAGIC
from agent.cameras.footage import FootageReader, Nonsense, Piece, Way, require_boxes
from agent.clock import SystemClock, Trust
from tests.support.fragments import INIT, box, media

BEGIN = {"kind": "init", "run": 1, "codec": "h264", "width_px": 640, "height_px": 480}


def bytes_of(head: Any, data: bytes = b"") -> bytes:
    words = json.dumps(head).encode()
    return HEAD.pack(MAGIC, len(words), len(data)) + words + data


def piece(**changed: Any) -> dict[str, Any]:
    now_s = time.monotonic()
    said = {"kind": "media", "run": 1, "start_s": now_s - 2, "end_s": now_s, "key": True, "dropped": 0}
    return {**said, **changed}


@pytest.fixture
def read() -> Iterator[Callable[..., list[Any]]]:
    """What a reader makes of these bytes, all of them there at once."""
    readers: list[FootageReader] = []

    def reading(*parts: bytes) -> list[Any]:
        out, into = os.pipe()
        readers.append(FootageReader(out, SystemClock()))
        with os.fdopen(into, "wb") as file:
            file.write(b"".join(parts))
        found = []
        while not readers[-1].ended or found[-1:] == [None]:
            found.append(readers[-1].read(0.2))
            if found[-1] is None:
                break
        return found

    yield reading
    for each in readers:
        each.close()


def test_what_is_right_passes_with_our_times(read: Callable[..., list[Any]]) -> None:
    said = piece()
    way, init, media_piece, end = read(
        bytes_of({"kind": "way", "way": "encode"}), bytes_of(BEGIN, INIT), bytes_of(said, media(1000))
    )
    assert way == Way("encode")
    assert isinstance(init, Piece)
    assert (media_piece.start.mono_s, media_piece.duration_s) == (said["start_s"], pytest.approx(2.0))
    assert abs(media_piece.start.wall_s - (time.time() - 2)) < 1
    assert (media_piece.codec, media_piece.width_px, end) == ("h264", 640, None)


def test_who_encoded_it_is_told_with_each_piece(read: Callable[..., list[Any]]) -> None:
    begun = bytes_of({**BEGIN, "encoder": "hardware"}, INIT)
    init, media_piece, _ = read(begun, bytes_of(piece(), media(1000)))
    assert (init.encoder, media_piece.encoder) == ("hardware", "hardware")


def test_why_it_records_otherwise_is_one_printable_line(read: Callable[..., list[Any]]) -> None:
    said = {"kind": "way", "way": "encode", "fallback": "no\nencoder\x1b[2J", "why": "a\x07b"}
    (way, _) = read(bytes_of(said))
    assert way == Way("encode", "a\ufffdb", "no encoder\ufffd[2J")


NOW = time.monotonic()


@pytest.mark.parametrize(
    "wrong",
    [
        {"run": 2}, {"run": "1"}, {"run": True}, {"start_s": NOW + 1e6, "end_s": NOW + 1e6 + 1},
        {"end_s": "now"}, {"start_s": float("nan")}, {"start_s": float("inf")}, {"end_s": NOW + 1e6},
        {"start_s": -1e300}, {"dropped": -1}, {"dropped": None}, {"dropped": 1 << 70},
        {"kind": "moov"}, {"kind": []}, {"kind": None},
    ],
)  # fmt: skip
def test_a_piece_that_says_nonsense_is_refused(read: Callable[..., list[Any]], wrong: dict[str, Any]) -> None:
    with pytest.raises(Nonsense):
        read(bytes_of(BEGIN, INIT), bytes_of(piece(**wrong), media(10)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"codec": "rawvideo"}, {"codec": 7}, {"width_px": 0}, {"width_px": 1 << 20}, {"height_px": -1},
        {"run": 0}, {"run": 1 << 40}, {"encoder": "nobody"}, {"encoder": ["hardware"]}, {"encoder": {}},
    ],
)  # fmt: skip
def test_a_beginning_that_says_nonsense_is_refused(
    read: Callable[..., list[Any]], wrong: dict[str, Any]
) -> None:
    with pytest.raises(Nonsense):
        read(bytes_of({**BEGIN, **wrong}, INIT))


def test_a_beginning_is_small_for_several_are_kept_in_memory(read: Callable[..., list[Any]]) -> None:
    def init(size: int) -> bytes:
        return box(b"ftyp", b"isom") + box(b"moov", b"m" * size)

    (begun, _) = read(bytes_of(BEGIN, init(60_000)))
    assert begun.kind == "init"
    with pytest.raises(Nonsense):
        read(bytes_of(BEGIN, init(1 << 16)))


def test_pieces_go_on_in_time_and_runs_only_forward(read: Callable[..., list[Any]]) -> None:
    now_s = time.monotonic()
    with pytest.raises(Nonsense):
        read(
            bytes_of(BEGIN, INIT),
            bytes_of(piece(start_s=now_s - 2, end_s=now_s), media(9)),
            bytes_of(piece(start_s=now_s - 90, end_s=now_s - 88), media(9)),
        )
    with pytest.raises(Nonsense):
        read(bytes_of({**BEGIN, "run": 2}, INIT), bytes_of(BEGIN, INIT))
    with pytest.raises(Nonsense):
        read(bytes_of(piece(), media(9)))  # no beginning


def test_each_piece_says_who_vouched_for_the_clock_when_its_time_was_taken() -> None:
    out, into = os.pipe()
    states = iter(["floor", "floor", "ntp"])
    reader = FootageReader(out, SystemClock(), lambda: Trust(next(states)))  # type: ignore[arg-type]
    with os.fdopen(into, "wb") as file:
        file.write(bytes_of(BEGIN, INIT))
        for _ in range(2):
            file.write(bytes_of(piece(start_s=time.monotonic()), media(9)))
    found = [reader.read(0.2) for _ in range(3)]
    reader.close()
    assert [each.clock for each in found if isinstance(each, Piece)] == ["floor", "floor", "ntp"]


def test_nothing_is_dated_before_the_child_began(read: Callable[..., list[Any]]) -> None:
    now_s = time.monotonic()
    with pytest.raises(Nonsense):
        read(bytes_of(BEGIN, INIT), bytes_of(piece(start_s=now_s - 60, end_s=now_s - 58), media(9)))
    with pytest.raises(Nonsense):
        read(bytes_of(BEGIN, INIT), bytes_of(piece(start_s=now_s - 300, end_s=now_s), media(9)))


def test_pieces_do_not_creep_back_in_time_by_small_steps(read: Callable[..., list[Any]]) -> None:
    now_s = time.monotonic()
    steps = [piece(start_s=now_s - 0.4 * n, end_s=now_s - 0.4 * n) for n in range(6)]
    with pytest.raises(Nonsense):
        read(bytes_of(BEGIN, INIT), *(bytes_of(each, media(9)) for each in steps))


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 8, media(10)[:-1], media(10) + b"x", INIT, box(b"moof"), box(b"mdat") + box(b"moof"),
     box(b"free") * 100, media(10) + box(b"moov")],
)  # fmt: skip
def test_what_is_no_fragment_is_refused(read: Callable[..., list[Any]], data: bytes) -> None:
    with pytest.raises(Nonsense):
        read(bytes_of(BEGIN, INIT), bytes_of(piece(), data))


def test_several_fragments_in_one_piece_pass() -> None:
    require_boxes(media(10) + media(20), (b"moof", b"mdat"))


def test_who_claims_a_huge_piece_gets_no_memory(read: Callable[..., list[Any]]) -> None:
    with pytest.raises(Nonsense):
        read(HEAD.pack(MAGIC, 10, 1 << 31) + b"x" * 100)
    with pytest.raises(Nonsense):
        read(HEAD.pack(MAGIC, 60_000, 10) + b"x" * 100)


def test_who_sends_more_than_a_camera_is_refused() -> None:
    out, into = os.pipe()
    reader = FootageReader(out, SystemClock())
    os.set_blocking(into, False)
    now_s, sent = time.monotonic(), 0
    big = bytes_of(BEGIN, INIT) + bytes_of(piece(start_s=now_s, end_s=now_s), media(1 << 20)) * 400
    view = memoryview(big)
    with pytest.raises(Nonsense, match="more footage"):
        while view:
            try:
                sent = os.write(into, view)
                view = view[sent:]
            except BlockingIOError:
                reader.read(0.01)
    reader.close()
    os.close(into)


@given(st.binary(min_size=1, max_size=200))
def test_whatever_comes_is_footage_or_nonsense_and_never_another_error(data: bytes) -> None:
    out, into = os.pipe()
    reader = FootageReader(out, SystemClock())
    with os.fdopen(into, "wb") as file:
        file.write(bytes_of(BEGIN, INIT) + data)
    try:
        for _ in range(4):
            reader.read(0.0)
    except Nonsense:
        pass
    finally:
        reader.close()
