"""What processes spend and hold, as the kernel counts it."""

from __future__ import annotations

import time

import psutil

Family = list[psutil.Process]


def seconds(pid: int) -> float:
    """CPU seconds of all threads of a process so far, to the nanosecond, of any process.

    Linux makes the clock's number from the process id (CPUCLOCK_SCHED, include/linux/posix-timers.h).
    """
    return time.clock_gettime(~pid << 3 | 2)


def family(pid: int) -> Family:
    """The process and all that it started."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def pss_mb(members: Family) -> float:
    """Memory of all together; what several map counts once (PSS, proportional set size)."""
    total = 0
    for member in members:
        try:
            total += member.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6
