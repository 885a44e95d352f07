"""A playbook at work on a fleet; several may be at work side by side."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.acceptance.fleet.hosts import Fleet, Ran


class Playing:
    """A process of `ansible-playbook`."""

    def __init__(self, fleet: Fleet, playbooks: Path, words: Sequence[str]) -> None:
        self._log = fleet.folder / f"play-{time.monotonic_ns()}.log"
        self._began, self._took_s = time.monotonic(), 0.0
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("ansible-playbook")), *words],
                cwd=playbooks, stdout=log, stderr=log, env=fleet.environment(),
                start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        """Its output so far."""
        return self._log.read_text(errors="replace")

    def over(self) -> bool:
        """Whether it has ended; ask often, for how long it took is known from this."""
        if self.process.poll() is None:
            return False
        self._took_s = self._took_s or time.monotonic() - self._began
        return True

    def finished(self, within_s: float) -> Ran:
        """Wait for its end; what became of it."""
        try:
            code = self.process.wait(within_s)
            self.over()
        finally:
            self.end()
        return Ran(code, self.said(), self._took_s)

    def end(self) -> None:
        """At once, if it has not ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
