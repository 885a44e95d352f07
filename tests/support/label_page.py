"""The labelling page on a folder: served in this process, or as `ngatu models label`."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agent.detectors import Detector
from models.label.guard import LabelGuard
from models.label.outbound import Outbound
from models.label.prefill import Prefill
from models.label.serve import server_of
from models.label.site import site_of
from models.label.workplace import Workplace
from tests.support.boxes import NGATU
from tests.support.brokers import until
from tests.support.serving_program import ServingProgram

TOKEN = "abcdefghabcdefghabcdefgh"


@dataclass
class LabelPage:
    """A page that is served, and who asks for it."""

    workplace: Workplace
    url: str
    client: httpx.Client
    prefill: Prefill | None = None

    def put(self, number: int, version: int, **sheet: Any) -> httpx.Response:
        """Save a sheet as the page does."""
        body = {"state": "open", "boxes": [], "proposals": []} | sheet
        return self.client.put(f"pictures/{number}", json=body, headers={"If-Match": f'"{version}"'})


@contextmanager
def served(folder: Path, detector: Detector | None = None, **words: Any) -> Iterator[LabelPage]:
    """On a port of its own, in a thread."""
    workplace = Workplace(folder, **words)
    outbound = Outbound(workplace)
    prefill = Prefill(workplace, detector) if detector is not None else None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(16)
        host = f"http://127.0.0.1:{taken.getsockname()[1]}"
        server = server_of(LabelGuard(site_of(workplace, outbound, prefill), TOKEN))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        outbound.start()
        if prefill is not None:
            prefill.start()
        try:
            with httpx.Client(base_url=f"{host}/{TOKEN}/", headers={"Origin": host}, timeout=30) as client:
                yield LabelPage(workplace, f"{host}/{TOKEN}/", client, prefill)
        finally:
            server.should_exit = True
            thread.join(20)
            if prefill is not None:
                prefill.stop()
            outbound.stop()
            workplace.close()


@contextmanager
def label_program(folder: Path, *words: str, **environment: str) -> Iterator[ServingProgram]:
    """On a free port."""
    log = folder.with_name(f"{folder.name}.log")
    command = [*NGATU, "models", "label", str(folder), "--port", "0", *words]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **environment}) as process,
    ):
        program = ServingProgram(process, log)
        try:
            until(lambda: program.url or process.poll() is not None, 100, "an address")
            yield program
        finally:
            if process.poll() is None:
                process.kill()
