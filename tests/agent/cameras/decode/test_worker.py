"""agent.cameras.decode.worker"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from agent.cameras.decode.decoded import Source
from agent.cameras.decode.worker import MAX_MESSAGE_BYTES
from agent.translatable import restored
from tests.support.large_pictures import h265


class Child:
    """The real process, spoken to by hand."""

    def __init__(self, source: Source) -> None:
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(10)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agent.cameras.decode.worker", str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
            )
        self.sock.send(json.dumps(asdict(source)).encode())

    def heard(self) -> dict[str, object]:
        data, fds, _, _ = socket.recv_fds(self.sock, MAX_MESSAGE_BYTES, 1)
        for fd in fds:
            os.close(fd)
        return json.loads(data)  # type: ignore[no-any-return]

    def frame(self) -> list[float]:
        self.sock.send(b"next")
        while not isinstance(frame := self.heard().get("frame"), list):
            pass
        return frame


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


@pytest.fixture
def source(numbered_clip: Callable[..., Path]) -> Source:
    clip = numbered_clip(50)
    now = time.monotonic(), time.time()
    return Source("north", "file", f"file:{clip}", str(clip), pace="real", loop=True, max_fps=120, started=now)


def test_it_says_ready_then_facts_then_memory_and_a_frame_only_when_asked(
    child: Callable[[Source], Child], source: Source
) -> None:
    north = child(source)
    assert [next(iter(north.heard())) for _ in range(3)] == ["ready", "facts", "ring"]
    north.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        north.heard()
    assert north.frame()[1] >= 5  # meanwhile it went on decoding: the newest, not the first


def test_it_ends_when_its_parent_hangs_up(child: Callable[[Source], Child], source: Source) -> None:
    north = child(source)
    north.frame()
    north.sock.shutdown(socket.SHUT_RDWR)
    assert north.process.wait(5) == 0


def test_it_ignores_the_terminals_interrupt(child: Callable[[Source], Child], source: Source) -> None:
    north = child(source)
    north.frame()
    north.process.send_signal(signal.SIGINT)
    first = north.frame()[1]
    assert north.frame()[1] > first
    assert north.process.poll() is None


def test_it_leaves_no_core_and_gains_no_privileges(child: Callable[[Source], Child], source: Source) -> None:
    north = child(source)
    north.frame()
    limits = Path(f"/proc/{north.process.pid}/limits").read_text()
    status = Path(f"/proc/{north.process.pid}/status").read_text()
    assert next(line for line in limits.splitlines() if "core file" in line).split()[4:6] == ["0", "0"]
    assert "NoNewPrivs:\t1" in status


def test_one_that_was_not_started_by_its_parent_ends_at_once() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        command = [sys.executable, "-m", "agent.cameras.decode.worker", str(theirs.fileno()), "1"]
        done = subprocess.run(command, pass_fds=(theirs.fileno(),), timeout=20, check=False)
    assert done.returncode == 0


def test_a_descriptor_goes_with_the_ring(child: Callable[[Source], Child], source: Source) -> None:
    north = child(source)
    while True:
        data, ancillary, _, _ = north.sock.recvmsg(MAX_MESSAGE_BYTES, socket.CMSG_SPACE(4))
        if "ring" in json.loads(data):
            break
    fd = array.array("i", ancillary[0][2])[0]
    assert "memfd:ngatu-frames" in str(Path(f"/proc/self/fd/{fd}").readlink())
    os.close(fd)


def test_pictures_before_the_moment_asked_for_are_not_handed_over(
    child: Callable[[Source], Child], source: Source, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(200)
    north = child(replace(source, shown=f"file:{clip}", location=str(clip)))
    seen = north.frame()
    north.sock.send(f"next {seen[2] + 2.0:.6f}".encode())
    later = north.heard()["frame"]
    assert isinstance(later, list)
    assert 2.0 <= later[2] - seen[2] < 4.0
    # Of the fifty in between only those count as dropped that came before it was asked.
    assert later[6] - seen[6] < (later[1] - seen[1]) / 2


def test_a_decoder_that_wants_more_memory_than_it_may_have_says_so(
    child: Callable[[Source], Child], tmp_path: Path
) -> None:
    stream = tmp_path / "8k.h265"
    stream.write_bytes(h265(7680, 4320))  # as large as a picture may be, and a dozen of them are to be kept
    one = child(Source("north", "file", f"file:{stream}", str(stream), pace="fast"))
    said: dict[str, object] = {}
    while not said.keys() & {"refused", "lost", "end"}:
        one.sock.send(b"next")
        said = one.heard()
    what, _ = said["refused"]  # type: ignore[misc]
    assert "wants more memory than one camera may have" in restored(what)
