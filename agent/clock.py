"""The only reader of time. Everything else is given an Instant or a Clock.

What a clock may get wrong, and what is done about it, stands in docs/design/time.md.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from agent.core.types import Instant

STA_UNSYNC = 0x0040  # linux/timex.h: the kernel's clock is not disciplined
TIMEX_BYTES = 256  # struct timex is 208 bytes on 64-bit Linux and less on 32-bit
RTC = Path("/sys/class/rtc/rtc0/since_epoch")
RTC_AGREES_S = 60.0
"""A Pi 5 has the chip but seldom its battery: after a power cut it begins in 1970 and agrees with nobody."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
BUILT_S = 1_793_491_200.0
"""2026-11-01: this version was not there before, so an earlier time is wrong. Moved on with each release."""


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


ClockState = Literal["ntp", "rtc", "floor", "unknown"]


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the wall clock can be trusted."""

    state: ClockState
    """ntp: disciplined now; rtc: a battery clock shows the same; floor: it showed a time long past, and the
    latest good time stands in its place; unknown: nobody vouches for it."""
    error_ms: int | None = None
    """The kernel's own estimate, while disciplined."""

    @property
    def good(self) -> bool:
        """Whether somebody vouches for the time: only then may anything expire by it."""
        return self.state in ("ntp", "rtc")


class FlooredClock:
    """The machine's clocks, but never a wall time before the floor: the latest time that it surely was.

    A box without a battery begins in 1970. Then time goes on from the floor, by the clock that never steps.
    """

    def __init__(
        self, floor_s: float, machine: Clock | None = None, asked: Callable[[], Trust] | None = None
    ) -> None:
        """`asked` tells what the kernel thinks of the machine's wall clock."""
        self._machine = machine or SystemClock()
        self._asked = asked or trust
        self._floor = Instant(self._machine.now().mono_s, max(BUILT_S, floor_s))

    def now(self) -> Instant:
        """This moment on both clocks."""
        shown = self._machine.now()
        return Instant(shown.mono_s, max(shown.wall_s, self._least_s(shown)))

    def trust(self) -> Trust:
        """How far what `now` says can be trusted. NTP is believed even below a floor noted in error."""
        shown, kept = self._machine.now(), self._asked()
        if kept.state == "ntp" and shown.wall_s >= BUILT_S:
            if shown.wall_s < self._least_s(shown):
                self._floor = shown
            return kept
        if shown.wall_s < self._least_s(shown):
            return Trust("floor")
        return kept if kept.state == "rtc" else Trust("unknown")

    def least_s(self) -> float:
        """The wall time that it surely is at least."""
        return self._least_s(self._machine.now())

    def _least_s(self, at: Instant) -> float:
        return self._floor.wall_s + at.since(self._floor)


class _Timex(ctypes.Structure):
    """The first fields of struct timex; the rest is room that the kernel writes into."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * TIMEX_BYTES),
    ]


def trust() -> Trust:
    """Whether NTP keeps this machine's clock, as adjtimex(2) tells it."""
    timex = _Timex()  # modes = 0: read only, allowed to everyone
    if libc().adjtimex(ctypes.byref(timex)) >= 0 and not timex.status & STA_UNSYNC:
        return Trust("ntp", max(0, timex.esterror // 1000))
    return Trust("rtc" if rtc_agrees(RTC, time.time()) else "unknown")


def rtc_agrees(path: Path, wall_s: float) -> bool:
    """Whether the battery clock, as seconds since 1970 in a file, shows the time that the wall clock shows."""
    try:
        return abs(int(path.read_text(encoding="ascii")) - wall_s) <= RTC_AGREES_S
    except (OSError, ValueError):
        return False


@cache
def libc() -> ctypes.CDLL:
    """The C library of this process. Looking for it by name would start ldconfig."""
    return ctypes.CDLL(None, use_errno=True)


@cache
def boot_id() -> str:
    """The kernel's name for this boot, or "unknown"; monotonic times compare only within one."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip() or "unknown"
    except OSError:
        return "unknown"
