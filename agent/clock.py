"""The only reader of time. Everything else is given an Instant or a Clock."""

from __future__ import annotations

import time
from typing import Protocol

from agent.core.types import Instant


class Clock(Protocol):
    """Tells the time and waits. Tests bring one that moves when told."""

    def now(self) -> Instant:
        """This moment on both clocks."""
        ...


class SystemClock:
    """The machine's clocks: CLOCK_REALTIME and CLOCK_MONOTONIC, both shared by all processes of the box."""

    def now(self) -> Instant:
        """This moment on both clocks."""
        return Instant(mono_s=time.monotonic(), wall_s=time.time())
