"""Parts that many tests need; nothing clever."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import av
import numpy as np
import paho.mqtt.client as paho
import pytest
import structlog
from hypothesis import Phase, settings
from numpy.typing import NDArray

from agent.core.types import Instant
from tests.support.brokers import embedded, mosquitto, start_mosquitto

__all__ = ["embedded", "mosquitto", "start_mosquitto"]  # the brokers, for every test

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
"""How long an example takes says what else the machine does."""
settings.register_profile("mutants", deadline=None, phases=(Phase.explicit, Phase.generate), database=None)
"""`make mutants`: that a test fails is enough; the smallest example of it is not looked for."""

os.environ["LANGUAGE"] = "en"
"""Whatever the developer's machine speaks: tests read messages, those of other languages say so themselves."""

ROOT = Path(__file__).resolve().parent.parent


class _WakingEnd(socket.socket):
    """One end of the pair that wakes a loop of paho's.

    paho closes both as it finalises their client. In a cycle of objects finalisers go in any order, and an end
    that came first would warn by chance, of something that nobody could have closed.
    """

    def __del__(self) -> None:
        self.close()


def _waking_pair(of: Callable[[], tuple[socket.socket, socket.socket]]) -> tuple[_WakingEnd, _WakingEnd]:
    ends = [_WakingEnd(fileno=end.detach()) for end in of()]
    for end in ends:
        end.setblocking(False)
    return ends[0], ends[1]


paho._socketpair_compat = partial(_waking_pair, paho._socketpair_compat)


@dataclass
class SteppedClock:
    """A clock that moves only when told."""

    moment: Instant = field(default_factory=lambda: Instant(mono_s=1000.0, wall_s=1_770_000_000.0))

    def now(self) -> Instant:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment = Instant(self.moment.mono_s + seconds, self.moment.wall_s + seconds)

    def step_wall(self, seconds: float) -> None:
        self.moment = Instant(self.moment.mono_s, self.moment.wall_s + seconds)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a browser wait most of their time: spread among the others, not all at the end."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting = [each for each in files.values() if any(item.get_closest_marker("browser") for item in each)]
    others = [each for each in files.values() if each not in waiting]
    step = max(1, len(others) // max(1, len(waiting)))
    ordered: list[pytest.Item] = []
    for number, each in enumerate(others, 1):
        ordered += each
        if waiting and number % step == 0:
            ordered += waiting.pop(0)
    items[:] = ordered + [item for each in waiting for item in each]


def pytest_collection_finish() -> None:
    """What stays until the end is not looked through after each file."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """What the tests of a file left open fails that file, not whichever comes next on the same worker."""
    yield
    if nextitem is not None and nextitem.path == item.path:
        return
    left: list[str] = []
    before, sys.unraisablehook = sys.unraisablehook, lambda what: left.append(repr(what.exc_value))
    try:
        gc.collect()
    finally:
        sys.unraisablehook = before
    assert not left, f"{item.path.name} left open: {', '.join(sorted(set(left)))}"


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command that is called in this process sets up its log; the next test has its own."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real footage, ground truth and weights; they lie beside the checkout and are never part of it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{folder} is missing; in CI it must be there")
        pytest.skip("no ../shared/data: licences forbid publishing its footage; ask a maintainer for it")
    return folder


BIT_PX = 16
"""Side of one square of the number that is drawn into a clip's pictures."""


def number_in(luma: NDArray[np.uint8]) -> int:
    """The number drawn into a picture of `numbered_clip`."""
    squares = luma[:BIT_PX, : 10 * BIT_PX].reshape(BIT_PX, 10, BIT_PX)
    return sum(1 << bit for bit in range(10) if squares[4:12, bit, 4:12].mean() > 128)


@pytest.fixture(name="number_in")
def number_reader() -> Callable[[NDArray[np.uint8]], int]:
    """Reads the number drawn into a picture of `numbered_clip`."""
    return number_in


@pytest.fixture
def numbered_clip(tmp_path: Path) -> Callable[..., Path]:
    """Makes a video whose pictures bear their number, from 0, as ten squares at the top left."""

    def make(
        pictures: int = 25, width: int = 320, height: int = 240, fps: int = 25,
        codec: str = "libx264", pixel_format: str = "yuv420p", name: str = "clip.mkv",
    ) -> Path:  # fmt: skip
        path = tmp_path / name
        with av.open(path, "w") as out:
            stream = out.add_stream(codec, rate=fps)
            stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
            stream.codec_context.thread_count = 1
            for number in range(pictures):
                grey = np.full((height, width, 3), 90, np.uint8)
                for bit in range(10):
                    grey[:BIT_PX, bit * BIT_PX : (bit + 1) * BIT_PX] = 230 if number >> bit & 1 else 20
                grey[height // 2 : height // 2 + 20, number * 5 % (width - 20) :][:, :20] = 200
                frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format=pixel_format)
                frame.pts = number
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        return path

    return make


@dataclass
class RtspServer:
    """A real RTSP camera in its own process; it may be killed, stopped and woken."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(5)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)


@contextmanager
def rtsp_servers() -> Iterator[Callable[..., RtspServer]]:
    """Needs GStreamer from Debian; what it started ends with it."""
    command = ["/usr/bin/python3", str(ROOT / "tests" / "support" / "rtsp_server.py")]
    if not Path(command[0]).exists() or subprocess.call([*command, "--check"]):
        needs = "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no RTSP server here: apt install {needs}")
    servers: list[RtspServer] = []

    def start(*arguments: str) -> RtspServer:
        process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        servers.append(RtspServer(process, int(process.stdout.readline())))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()
        assert server.process.stdout
        server.process.stdout.close()


@pytest.fixture
def rtsp_server() -> Iterator[Callable[..., RtspServer]]:
    """Starts RTSP cameras: `rtsp_server("--user", "tran", "--password", "x")`."""
    with rtsp_servers() as start:
        yield start


@pytest.fixture(scope="session")
def shared_rtsp_server() -> Iterator[Callable[[], RtspServer]]:
    """The one that all tests share; it begins anew where it has died, so one death breaks one test."""
    with rtsp_servers() as start:
        servers = [start()]

        def running() -> RtspServer:
            if (status := servers[-1].process.poll()) is not None:
                print(f"the shared RTSP server had ended with {status}")
                servers.append(start())
            return servers[-1]

        yield running


@pytest.fixture
def rtsp_url(shared_rtsp_server: Callable[[], RtspServer]) -> str:
    """An RTSP camera that all tests share, so nobody may stop it."""
    return shared_rtsp_server().url
