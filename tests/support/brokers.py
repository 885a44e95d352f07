"""Real brokers for the tests: Debian's mosquitto where it is, rumqttd from the package `iotcore` anywhere.

Both listen on free ports of the loopback interface and end with the test.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from station.watch.embedded import Address, embedded_broker

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A port on which nothing listens, and which the kernel gives to no outgoing connection meanwhile."""
    for port in random.SystemRandom().sample(range(15_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("100 ports are all in use")


LOOKS = 0.1
"""So much of a core may be taken to look whether something has happened: whom one waits for needs it."""


def until(condition: Callable[[], object], within_s: float = 40.0, what: str = "") -> None:
    """Wait for a condition; fail when it does not come true in time."""
    deadline = time.monotonic() + within_s
    while True:
        began_s = time.thread_time()
        if condition():
            return
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s: {what or condition}")
        time.sleep(min(0.25, max(0.01, (time.thread_time() - began_s) / LOOKS)))


class Mosquitto:
    """One mosquitto on one port, over several lives of its process."""

    def __init__(self, folder: Path, *lines: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.folder = folder
        self.lines = lines
        self.log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        """Run it; back when it listens."""
        assert MOSQUITTO is not None
        listener = (
            ()
            if any(line.startswith("listener") for line in self.lines)
            else (f"listener {self.port} 127.0.0.1",)
        )
        public = (
            () if any(line.startswith("allow_anonymous") for line in self.lines) else ("allow_anonymous true",)
        )
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(["user root", *listener, *public, *self.lines, ""]))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=log, stderr=log)
        until(self._listens, 10, f"mosquitto listens; its log says: {self.log.read_text()[-500:]}")
        return self

    def _listens(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def process_id(self) -> int | None:
        """The number of its process; None: it was not started or was ended."""
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        """Whether its process still runs."""
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP lets it hang, SIGCONT wakes it, SIGHUP makes it read its files again."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(10)
            self._process = None


@pytest.fixture
def start_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Mosquitto]]:
    """Starts mosquittos with more lines of configuration: `start_mosquitto("max_packet_size 20000")`."""
    if MOSQUITTO is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("mosquitto is not here: apt install mosquitto")
    brokers: list[Mosquitto] = []

    def start(*lines: str) -> Mosquitto:
        brokers.append(Mosquitto(tmp_path_factory.mktemp("mosquitto"), *lines))
        return brokers[-1].start()

    yield start
    for broker in brokers:
        broker.kill()


@pytest.fixture
def mosquitto(start_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """A mosquitto that lets everyone in."""
    return start_mosquitto()


@pytest.fixture(scope="module")
def embedded() -> Iterator[Address]:
    """The broker that needs no installation; one for each module of tests, so use topics of your own there."""
    with embedded_broker() as address:
        yield address
