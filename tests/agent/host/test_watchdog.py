"""agent.host.watchdog"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.clock import SystemClock
from agent.host.supervise import Heartbeats
from agent.host.watchdog import Watchdog
from tests.conftest import SteppedClock


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket on which it would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield sock


def test_it_is_not_fed_while_a_loop_hangs_and_that_is_told_once(
    clock: SteppedClock, systemd: socket.socket
) -> None:
    systemd.setblocking(False)
    heartbeats = Heartbeats(clock)
    watchdog = Watchdog(heartbeats)
    with capture_logs() as lines:
        heartbeats.beat("forwarder")
        heartbeats.beat("camera road", 140)  # it opens a slow camera
        clock.advance(100)
        heartbeats.beat("forwarder")
        watchdog.look()
        assert systemd.recv(100) == b"WATCHDOG=1"
        clock.advance(31)
        for _ in range(3):
            watchdog.look()
        with pytest.raises(BlockingIOError):
            systemd.recv(100)
        heartbeats.beat("forwarder")
        watchdog.look()
        assert systemd.recv(100) == b"WATCHDOG=1"

    assert [(line["event"], line.get("loops")) for line in lines] == [
        ("loops_hang", ["forwarder"]),
        ("loops_go_on", None),
    ]


def test_it_is_fed_from_its_start_until_its_stop(systemd: socket.socket) -> None:
    watchdog = Watchdog(Heartbeats(SystemClock()), look_s=0.05)
    watchdog.start()
    assert [systemd.recv(100) for _ in range(5)] == 5 * [b"WATCHDOG=1"]
    watchdog.stop()
    systemd.settimeout(0.5)
    with pytest.raises(TimeoutError):
        while True:  # what was on its way
            systemd.recv(100)
