"""What `tests.support.eye watch` says of a camera, from a process here or on another machine."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

from tests.support.brokers import until


class Watching:
    """What `eye watch` has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.facts: dict[str, Any] = {}
        self.frames: list[list[Any]] = []
        self.lost: list[tuple[float, str]] = []
        self._process = process
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            self.facts = said.get("facts", self.facts)
            if "frame" in said:
                self.frames.append(said["frame"])
            if "lost" in said:
                self.lost.append(tuple(said["lost"]))

    def come(self, more: int, within_s: float = 30) -> None:
        """Wait for so many frames more."""
        wanted = len(self.frames) + more
        until(lambda: len(self.frames) >= wanted, within_s)
