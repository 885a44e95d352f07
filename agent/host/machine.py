"""What the machine tells of itself: load, memory, heat, power, disk."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import psutil

from agent.clock import Clock
from agent.wire.payloads import DiskHealth, ThrottledHealth

SYS: Final = Path("/sys")
HOT_C: Final = 80.0
"""From here on a Pi slows down: Raspberry Pi documentation, "Frequency management and thermal control"."""
LEAST_S: Final = 1.0
"""The load over less time says nothing."""
PLACES_S: Final = 60.0
"""Between two searches for where the kernel shows something: a driver may come late. To search costs more than
to read (measured)."""


class Machine:
    """This board's figures; may be asked from any thread. `sys` is where the kernel shows the board."""

    def __init__(self, clock: Clock, sys: Path = SYS) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._measured_s = clock.now().mono_s
        self._times = _times()
        self._cpu_pct: float | None = None
        self._throttled_once = 0
        self._zones = _Places(lambda: _zones(sys), clock)
        self._firmware = _Places(
            lambda: (sys / "devices/platform").glob("soc*/soc*firmware/get_throttled"), clock
        )

    def cpu_pct(self) -> float | None:
        """Load of all cores together since the last answer, 0..100; None in the first second."""
        with self._lock:
            now_s = self._clock.now().mono_s
            if now_s - self._measured_s >= LEAST_S:
                busy, total = _times()
                spent, passed = busy - self._times[0], total - self._times[1]
                self._measured_s, self._times = now_s, (busy, total)
                if passed > 0:
                    self._cpu_pct = round(min(100.0, max(0.0, 100 * spent / passed)), 1)
            return self._cpu_pct

    def cpu_temp_c(self) -> float | None:
        """The processor's temperature: the zone that is named after it, else the first; None without one."""
        for zone in self._zones.now():
            try:
                return int(_text(zone / "temp")) / 1000
            except ValueError:
                continue
        return None

    def throttled(self) -> ThrottledHealth | None:
        """The throttle bits of a Pi's firmware; None on other boards.

        Bits 0 and 1 are under-voltage and a capped frequency now, 16 and 17 the same since boot. The kernel
        clears the latter whenever it looks itself (linux: drivers/hwmon/raspberrypi-hwmon.c), so what was once
        seen is remembered here.
        """
        for path in self._firmware.now():
            try:
                bits = int(_text(path), 16)
            except ValueError:
                continue
            with self._lock:
                self._throttled_once |= bits >> 16 | bits
                once = self._throttled_once
            return ThrottledHealth(
                under_voltage=bool(bits & 1),
                frequency_capped=bool(bits & 2),
                under_voltage_since_boot=bool(once & 1),
                frequency_capped_since_boot=bool(once & 2),
            )
        return None


class _Places:
    """Where the kernel shows something, as of the last search."""

    def __init__(self, search: Callable[[], Iterable[Path]], clock: Clock) -> None:
        self._search, self._clock = search, clock
        self._searched_s = -math.inf
        self._found: tuple[Path, ...] = ()

    def now(self) -> tuple[Path, ...]:
        """In the order of the search."""
        now_s = self._clock.now().mono_s
        if now_s - self._searched_s >= PLACES_S:
            self._searched_s, self._found = now_s, tuple(self._search())
        return self._found


def _zones(sys: Path) -> list[Path]:
    """Where temperatures are shown, the processor's first."""
    zones = sorted((sys / "class/thermal").glob("thermal_zone*"))
    return sorted(zones, key=lambda zone: "cpu" not in _text(zone / "type").lower())


def rss_bytes() -> int:
    """Memory of this process and its children; what they share is counted for each."""
    me = psutil.Process()
    return sum(_rss_bytes(process) for process in (me, *me.children(recursive=True)))


def disk(folder: Path) -> DiskHealth:
    """The file system of this folder, and what this process has written since it began."""
    try:
        free: int | None = psutil.disk_usage(str(folder)).free
    except OSError:
        free = None
    try:
        written: int | None = psutil.Process().io_counters().write_bytes
    except (psutil.Error, AttributeError, OSError):
        written = None
    return DiskHealth(free_bytes=free, written_bytes=written)


def _times() -> tuple[float, float]:
    """Seconds of all cores: busy, and all there were. Waiting for a disk is not being busy."""
    times = psutil.cpu_times()._asdict()
    idle = times["idle"] + times.get("iowait", 0.0)
    total = sum(value for name, value in times.items() if not name.startswith("guest"))  # within user already
    return total - idle, total


def _rss_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it ended this moment
        return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
