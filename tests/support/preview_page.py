"""`ngatu preview` as a program of its own, with the address that it says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.boxes import NGATU
from tests.support.brokers import until
from tests.support.serving_program import ServingProgram


@contextmanager
def preview_page(config: Path, *words: str, **environment: str) -> Iterator[ServingProgram]:
    """Serve on a free port of loopback, or as the words say."""
    command = [*NGATU, "preview", "-c", str(config), "--port", "0", *words]
    log = config.with_name("preview.log")
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, cwd=config.parent, stdout=out, stderr=out, env={**os.environ, **environment}
        ) as process,
    ):
        program = ServingProgram(process, log)
        try:
            until(lambda: program.url or process.poll() is not None, 40, "an address")
            assert program.url, program.said
            yield program
        finally:
            if process.poll() is None:
                process.kill()
