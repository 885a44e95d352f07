"""A command of ours that serves a page and says where."""

from __future__ import annotations

import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class ServingProgram:
    """The command at work."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        """The first address that it named in full; empty before that."""
        found = re.search(r"http://\S+(?=\n)", self.said)
        return found[0] if found else ""

    def stop(self, number: int = signal.SIGINT) -> int:
        """End it as Ctrl-C does; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)
