"""Keeps workers running: a thread each, backoff with jitter, "lost" and "back" told once, a heartbeat per loop.

A worker's `run` returns when its work is done or `stop` is set. An exception is a loss: it is told once, and
the work is begun again, ever more slowly. systemd's watchdog is fed only while every loop ticks.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from tenacity import RetryCallState, Retrying, retry_always, stop_never, wait_random_exponential

from agent.clock import Clock
from agent.errors import NgatuError

log = structlog.get_logger(__name__)

LATE_S = 25.0
"""A loop that has not ticked for so long hangs, unless it has said that it must wait longer for something.

With systemd's WatchdogSec and its wait before the new start it is 39 s until the agent starts anew; six are
left for the start itself (promise P24: at work within 45). A card whose sync takes seconds is no hang yet.
"""
CALM_S = 60.0
"""Work that went well for so long is trusted again: the next backoff starts small."""


class Stop(threading.Event):
    """Set once, when the agent is to end; every wait of a worker is a wait on it, or is ended by `wakes`."""

    def __init__(self) -> None:
        super().__init__()
        self._wakes: list[Callable[[], None]] = []

    def wakes(self, waiter: Callable[[], None]) -> None:
        """Call `waiter` when it is set, at once if it is already: it may then be called twice."""
        self._wakes.append(waiter)
        if self.is_set():
            waiter()

    def set(self) -> None:
        """The agent is to end."""
        super().set()
        for waiter in tuple(self._wakes):
            waiter()


class Beat(Protocol):
    """Said by a loop at every turn."""

    def __call__(self, wait_s: float = 0.0) -> None:
        """Alive; what it now waits for may lawfully take `wait_s`."""
        ...


class Heartbeats:
    """When each loop last ticked, and how long it said that its next turn may take."""

    def __init__(self, clock: Clock, limit_s: float = LATE_S) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._due: dict[str, float] = {}
        """mono_s at which the next tick is due."""
        self._lock = threading.Lock()

    def beat(self, name: str, wait_s: float = 0.0) -> None:
        """The loop of this name is alive now, and waits up to `wait_s` for something slow, such as a camera."""
        with self._lock:
            self._due[name] = self._clock.now().mono_s + wait_s

    def forget(self, name: str) -> None:
        """This loop has ended on purpose."""
        with self._lock:
            self._due.pop(name, None)

    def late(self, limit_s: float | None = None) -> list[str]:
        """Names of the loops that have not ticked for `limit_s` beyond what they said they may wait."""
        now_s, limit_s = self._clock.now().mono_s, self.limit_s if limit_s is None else limit_s
        with self._lock:
            return sorted(name for name, due_s in self._due.items() if now_s - due_s > limit_s)


@dataclass
class OutageLog:
    """Says "lost" once and "back" once, however often something fails."""

    part: str
    up: bool = True

    def lost(self, why: Exception) -> None:
        """It fails; told only if it did not before."""
        if self.up:
            hint = why.hint if isinstance(why, NgatuError) else ""
            what = why.what if isinstance(why, NgatuError) else f"{type(why).__name__}: {why}"
            log.warning("lost", part=self.part, why=what, hint=hint)
        self.up = False

    def back(self) -> None:
        """It works; told only if it did not before."""
        if not self.up:
            log.info("back", part=self.part)
        self.up = True


class Backoff:
    """Waits that grow with each failure, with full jitter: a thousand boxes must not come back at once."""

    def __init__(self, least_s: float = 1.0, most_s: float = 60.0) -> None:
        self._wait = wait_random_exponential(multiplier=least_s, max=most_s)
        self._retrying = Retrying(wait=self._wait, stop=stop_never, retry=retry_always)
        self._failures = 0

    def failed(self) -> float:
        """One failure more; how long to wait now, in seconds."""
        self._failures += 1
        state = RetryCallState(self._retrying, None, (), {})
        state.attempt_number = min(self._failures, 30)  # beyond, the power of two is larger than any wait
        return float(self._wait(state))

    def calm(self) -> None:
        """It went well: begin small again."""
        self._failures = 0


class Worker:
    """One thread that does one thing for ever."""

    def __init__(
        self,
        name: str,
        run: Callable[[Stop, Beat], None],
        heartbeats: Heartbeats,
        clock: Clock,
        backoff: Backoff | None = None,
    ) -> None:
        """`run(stop, beat)` works until it is done or `stop` is set, and calls `beat` at every turn."""
        self.name = name
        self._run = run
        self._heartbeats = heartbeats
        self._clock = clock
        self._outage = OutageLog(name)
        self._backoff = backoff or Backoff()
        self._began_s = 0.0
        self._thread: threading.Thread | None = None

    def start(self, stop: Stop) -> None:
        """Begin."""
        self._heartbeats.beat(self.name)
        self._thread = threading.Thread(target=self._live, args=(stop,), name=self.name, daemon=True)
        self._thread.start()

    def join(self, deadline_s: float) -> bool:
        """Wait for the end; False if it is still running after `deadline_s`."""
        if self._thread is not None:
            self._thread.join(max(0.0, deadline_s))
        return self._thread is None or not self._thread.is_alive()

    def _live(self, stop: Stop) -> None:
        while not stop.is_set():
            self._began_s = self._clock.now().mono_s
            try:
                self._run(stop, self._beat)
                break
            except Exception as error:  # whatever it is, the box goes on
                if self._outage.up:
                    log.exception("worker_failed", worker=self.name)
                self._outage.lost(error)
                wait(stop, self._backoff.failed(), self._clock, self._beat)
        self._heartbeats.forget(self.name)

    def _beat(self, wait_s: float = 0.0) -> None:
        now_s = self._clock.now().mono_s
        if not self._outage.up and now_s - self._began_s > CALM_S:
            self._outage.back()
            self._backoff.calm()
        self._heartbeats.beat(self.name, wait_s)


def wait(stop: Stop, seconds: float, clock: Clock, beat: Beat) -> None:
    """Wait out a backoff with a beating heart; back at once when `stop` is set."""
    until_s = clock.now().mono_s + seconds
    while not stop.is_set() and (left_s := until_s - clock.now().mono_s) > 0:
        beat()
        stop.wait(min(left_s, 1.0))


def notify(state: str) -> bool:
    """Tell systemd: READY=1, WATCHDOG=1, STOPPING=1 (sd_notify(3)); False where it does not listen."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.connect("\0" + address[1:] if address.startswith("@") else address)
            sock.sendall(state.encode())
        except OSError:
            return False
    return True
