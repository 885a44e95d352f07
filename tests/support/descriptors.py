"""This process's descriptors: which are open, and a while in which only few more may be."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_descriptors() -> dict[str, Path]:
    """What is open, by number."""
    links: dict[str, Path] = {}
    for fd in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists them
            links[fd.name] = fd.readlink()
    return links


def opened_since(before: dict[str, Path]) -> dict[str, Path]:
    """What is open now and was not then; what ends meanwhile, left by an earlier test, is not counted."""
    return dict(open_descriptors().items() - before.items())


@contextmanager
def few_descriptors(free: int) -> Iterator[None]:
    """So many more may be opened: gaps among the open ones are filled meanwhile."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, open_descriptors()))
    fillers: list[int] = []
    while not fillers or fillers[-1] < highest:
        fillers.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    resource.setrlimit(resource.RLIMIT_NOFILE, (fillers[-1] + 1 + free, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))
        for fd in fillers:
            os.close(fd)
