"""`ngatu preview` as a program of its own, with the address that it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.boxes import NGATU
from tests.support.brokers import until


@dataclass
class PreviewProgram:
    """The command at work."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def url(self) -> str:
        """The first address that it named; empty before that."""
        found = re.search(r"http://\S+(?=\n)", self.said)
        return found[0] if found else ""

    def stop(self, number: int = signal.SIGINT) -> int:
        """End it as Ctrl-C does; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def preview_page(config: Path, *words: str, **environment: str) -> Iterator[PreviewProgram]:
    """Serve on a free port of loopback, or as the words say."""
    command = [*NGATU, "preview", "-c", str(config), "--port", "0", *words]
    log = config.with_name("preview.log")
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, cwd=config.parent, stdout=out, stderr=out, env={**os.environ, **environment}
        ) as process,
    ):
        program = PreviewProgram(process, log)
        try:
            until(lambda: program.url or process.poll() is not None, 40, "an address")
            assert program.url, program.said
            yield program
        finally:
            if process.poll() is None:
                process.kill()
