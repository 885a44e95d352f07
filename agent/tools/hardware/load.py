"""All cores at work for a while, to see how warm a board becomes and whether its supply bears it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

BLOCK: Final = bytes(1 << 20)
"""While so much is hashed Python lets the other threads run."""


@contextmanager
def loaded_cores(number: int) -> Iterator[None]:
    """As many threads as cores, each at work until the block is left."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            hashlib.sha512(BLOCK)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
