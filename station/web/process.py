"""The screen's process, as the station sees it: started, told how the intake goes, started anew, ended.

Invariants
1. Nothing that happens to the screen ends or delays the intake: starting, telling and waiting are a thread's.
2. The process ends with the station, also with one that is killed: its input ends then.
3. No secret is on its command line or in its environment: the configuration goes through its input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Final

import structlog

from agent.translatable import plain
from station.config import StationConfig

log = structlog.get_logger("station.web.process")

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
STEADY_S: Final = 10.0
"""Who lived so long did serve, and was ended from outside: nobody at a screen is to wait long for the next."""
STOP_S: Final = 5.0
TELL_S: Final = 2.0
"""How often the screen hears how the intake goes."""


class ScreenProcess:
    """One child at a time, until `close`."""

    def __init__(self, config: StationConfig, intake: Callable[[], Mapping[str, str | None]]) -> None:
        """`intake` says how the intake goes; it is called in a thread and must not wait."""
        self._intake = intake
        self._first = (config.model_dump_json() + "\n").encode()
        self._closing = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        child = self._child
        return None if child is None else child.pid

    def close(self) -> None:
        """End it; returns when it is gone."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S + 2)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._closing.is_set():
            try:
                lived_s = self._one_life()
            except OSError as error:  # no process, no memory: the intake goes on
                log.warning("screen_not_started", error=str(error))
                lived_s = 0.0
            if self._closing.is_set():
                return
            wait_s = FIRST_WAIT_S if lived_s > STEADY_S else wait_s
            log.warning("screen_ended", lived_s=round(lived_s, 1), again_in_s=wait_s)
            self._closing.wait(wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    def _one_life(self) -> float:
        """Start a process and stay with it until it ends or is to end; how long it lived, in seconds."""
        began_s = time.monotonic()
        self._child = child = _spawn()
        assert child.stdin is not None
        try:
            self._attend(child, child.stdin)
        finally:
            self._end(child)
            self._child = None
        return time.monotonic() - began_s

    def _attend(self, child: subprocess.Popen[bytes], to: IO[bytes]) -> None:
        try:
            to.write(self._first)
            to.flush()
            while child.poll() is None and not self._closing.wait(TELL_S):
                said = {name: None if text is None else plain(text) for name, text in self._intake().items()}
                to.write(json.dumps(said).encode() + b"\n")
                to.flush()
        except OSError:  # it is gone, or takes nothing any more
            return

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin is not None
        with suppress(OSError):
            child.stdin.close()  # invariant 2: it ends by itself
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _spawn() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(each for each in sys.path if each)  # it finds what we find
    # Without -P it would look into the current folder first, and run what is called `station` there.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "station.web"],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        process_group=0,  # Ctrl-C on a terminal goes to the station alone
    )
