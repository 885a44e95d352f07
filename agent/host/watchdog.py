"""Feeds systemd's watchdog while every loop of the agent ticks, and tells once when one does not."""

from __future__ import annotations

import threading

import structlog

from agent.host.supervise import Heartbeats, notify

logger = structlog.get_logger(__name__)

LOOK_S = 2.0


class Watchdog:
    """A thread that does nothing else: so a disk that is slow in the main loop is no hang of the process."""

    def __init__(self, heartbeats: Heartbeats, look_s: float = LOOK_S) -> None:
        self.hanging: list[str] = []
        """The loops that hang, as of the last look."""
        self._heartbeats, self._look_s = heartbeats, look_s
        self._over = threading.Event()

    def start(self) -> None:
        """Feed it at once, and from now on."""
        self.look()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Feed it no more."""
        self._over.set()

    def look(self) -> None:
        """Feed it, unless a loop hangs: then systemd shall start the agent again."""
        late = self._heartbeats.late()
        if not late:
            notify("WATCHDOG=1")
        if late != self.hanging:
            logger.error("loops_hang", loops=late) if late else logger.info("loops_go_on")
        self.hanging = late

    def _watch(self) -> None:
        while not self._over.wait(self._look_s):
            self.look()
