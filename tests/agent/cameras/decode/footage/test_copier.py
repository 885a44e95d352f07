"""agent.cameras.decode.footage.copier: the real process, spoken to by hand."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from agent.cameras.decode.decoded import Record, Source
from agent.cameras.decode.worker import MAX_MESSAGE_BYTES
from agent.cameras.footage import FootageReader, Piece, Way
from agent.clock import SystemClock
from tests.conftest import number_in
from tests.support.brokers import until
from tests.support.taps import played


class Child:
    """The process that copies."""

    def __init__(self, source: Source) -> None:
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(20)
        reading, writing = os.pipe()
        self.reader = FootageReader(reading, SystemClock())
        module = "agent.cameras.decode.footage.copier"
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
            )
        socket.send_fds(self.sock, [json.dumps(asdict(source)).encode()], [writing])
        os.close(writing)

    def heard(self) -> dict[str, object]:
        return json.loads(self.sock.recv(MAX_MESSAGE_BYTES))  # type: ignore[no-any-return]


@pytest.fixture
def child() -> Iterator[Callable[[Source], Child]]:
    children: list[Child] = []

    def start(source: Source) -> Child:
        children.append(Child(source))
        return children[-1]

    yield start
    for one in children:
        one.process.kill()
        one.process.wait(5)
        one.sock.close()
        one.reader.close()


@pytest.fixture
def source(numbered_clip: Callable[..., Path]) -> Source:
    clip = numbered_clip(50)
    now = time.monotonic(), time.time()
    return Source("north", "file", f"file:{clip}", str(clip), pace="real", started=now, record=Record())


@pytest.mark.long
def test_it_copies_a_file_at_its_own_pace(child: Callable[[Source], Child], source: Source) -> None:
    north, began_s = child(source), time.monotonic()
    assert next(iter(north.heard())) == "ready"
    assert north.heard()["facts"]["codec"] == "h264"  # type: ignore[index]
    got = []
    while not north.reader.ended:
        if (piece := north.reader.read(1)) is not None:
            got.append(piece)
    assert time.monotonic() - began_s > 1.9
    assert isinstance(got[0], Way)
    pieces = [each for each in got if isinstance(each, Piece)]
    frames = played(b"".join(each.data for each in pieces))
    assert [number_in(frame.to_ndarray(format="gray")) for frame in frames] == list(range(50))
    said = [north.heard()]
    while "end" not in said[-1]:
        said.append(north.heard())
    assert any("came" in words for words in said)


def test_it_dies_with_its_parent(child: Callable[[Source], Child], source: Source) -> None:
    north = child(source)
    north.heard()
    north.sock.shutdown(socket.SHUT_RDWR)
    assert north.process.wait(10) == 0


def test_what_cannot_be_opened_is_told_in_words(child: Callable[[Source], Child], tmp_path: Path) -> None:
    nothing = tmp_path / "no.mp4"
    nothing.write_bytes(b"no video")
    north = child(Source("north", "file", f"file:{nothing}", str(nothing), pace="real", record=Record()))
    assert next(iter(north.heard())) == "ready"
    assert next(iter(north.heard())) in ("refused", "lost")
    until(lambda: north.process.poll() is not None, 10)


@pytest.mark.long
def test_under_masks_nothing_is_copied(child: Callable[[Source], Child], source: Source) -> None:
    north = child(replace(source, masks=(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)))
    got = []
    while not north.reader.ended:
        if (piece := north.reader.read(1)) is not None:
            got.append(piece)
    assert not any(isinstance(each, Piece) for each in got)
