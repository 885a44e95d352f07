"""What processes spend and hold, as the kernel counts it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

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


def held_mb(members: Family) -> float:
    """Memory of all together, as their PSS (proportional set size) would be on a machine of their own.

    A page of a file counts once, however many of them map it; the kernel's own PSS would also share it with
    strangers that happen to have the same library loaded, and look smaller than a box is.
    """
    files: dict[tuple[str, str], int] = {}
    own_kb = 0
    for member in members:
        for head, figures in _mappings(member.pid):
            if head[2] == "0":  # no file behind it
                own_kb += figures["Pss"]
                continue
            private = figures["Private_Dirty"]  # written to: a copy that nobody shares
            own_kb += private
            place = f"{head[1]}:{head[2]}", head[0]
            files[place] = max(files.get(place, 0), figures["Rss"] - private)
    return (own_kb + sum(files.values())) * 1024 / 1e6


def _mappings(pid: int) -> Iterator[tuple[tuple[str, str, str], dict[str, int]]]:
    """(offset, device, inode) and the figures in KiB of each mapping (proc_pid_smaps(5)); none of the dead."""
    try:
        lines = Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return
    head: tuple[str, str, str] | None = None
    figures: dict[str, int] = {}
    for line in lines:
        words = line.split()
        if words[0].endswith(":"):
            if words[-1] == "kB":
                figures[words[0][:-1]] = int(words[1])
            continue
        if head is not None:
            yield head, figures
        head, figures = (words[2], words[3], words[4]), {}
    if head is not None:
        yield head, figures
