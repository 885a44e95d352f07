"""What a request needs that takes long, such as an order to a box: one after the other, in a thread of its own.

So alerts do not wait for it. What was done shows in what it did, on the disk; only what failed is remembered.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import structlog

from agent.errors import NgatuError
from agent.translatable import tr

log = structlog.get_logger("station.uplink.requests.errands")


class Errands:
    """For the uplink's thread; its own one begins with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: queue.Queue[tuple[str, Callable[[], object]] | None] = queue.Queue()
        self._open: set[str] = set()
        self._failed: dict[str, NgatuError] = {}
        self._thread: threading.Thread | None = None

    def run(self, name: str, job: Callable[[], object]) -> None:
        """Have it done, unless one of that name waits or is being done."""
        with self._lock:
            if name in self._open:
                return
            self._open.add(name)
            self._waiting.put((name, job))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="requests", daemon=True)
                self._thread.start()

    def failure(self, name: str) -> NgatuError | None:
        """Why the latest of that name failed; it is said once."""
        with self._lock:
            return self._failed.pop(name, None)

    def is_open(self, name: str) -> bool:
        """Whether one of that name waits or is being done."""
        with self._lock:
            return name in self._open

    def close(self) -> None:
        """Take no more; what is being done has some seconds to end, and what waits is done by the next life."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join(5.0)

    def _work(self) -> None:
        while (errand := self._waiting.get()) is not None:
            name, job = errand
            failed: NgatuError | None = None
            try:
                job()
            except NgatuError as error:
                failed = error
            except Exception as error:  # a mistake of ours must not stop the others
                log.exception("errand_failed", name=name)
                failed = NgatuError(tr("a fault of ngatu: {error}", error=repr(error)[:200]))
            with self._lock:
                self._open.discard(name)
                if failed is not None:
                    self._failed[name] = failed
