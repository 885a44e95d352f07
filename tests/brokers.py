"""Real brokers for tests: Debian's mosquitto as a process of our own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from station.embedded import Address


def wait_for(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Until the condition holds; fails when it does not in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.01)


def mosquitto_program() -> str:
    """Where mosquitto lies; skips the test, or fails in CI, where it is missing."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("mosquitto is missing; in CI it must be there")
        pytest.skip("mosquitto is not installed (Debian: apt install mosquitto)")
    return program


class Mosquitto:
    """Debian's broker on a free port of loopback, which can be killed and started again."""

    def __init__(self, program: str, folder: Path, options: str = "") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = Address("127.0.0.1", port, port)
        self._program = program
        self._file = folder / f"mosquitto-{port}.conf"
        self._file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{options}\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._answers)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.address.host, self.address.port), 0.2).close()
        except OSError:
            return False
        return True


class Cable:
    """A TCP connection to a broker that can be cut: its end sees a reset, without a goodbye in MQTT."""

    def __init__(self, to: Address) -> None:
        self._to = to
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut what is connected, and connect nothing more."""
        self._listener.close()
        for end in self._ends:
            with suppress(OSError):  # the other end's thread may have closed it already
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:
            return
        far = socket.create_connection((self._to.host, self._to.port))
        self._ends += [near, far]
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            source.close()
            sink.close()
