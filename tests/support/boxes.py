"""A whole box and a whole station for the tests: the real programs in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support.brokers import until
from tests.support.squares import write_clip, write_model

NGATU = (sys.executable, "-m", "agent")

IMPATIENT = "backoff_min_s: 0.2, backoff_max_s: 1, receipt_timeout_s: 2"
"""Waits that a test can sit out."""

ROAD_RULES = """
    zones: [{id: road, polygon: [[0.3, 0.2], [0.7, 0.2], [0.7, 0.9], [0.3, 0.9]]}]
    rules:
      - {kind: motion, id: movement}
      - {kind: object, id: road-users}
      - {kind: zone, id: on-the-road, zone: road}
      - {kind: line, id: the-line, start: [0.5, 0.1], end: [0.5, 0.95], severity: alert, count_every_s: 5}
"""


class Box:
    """One box with cameras on clips of squares, over several lives of its process."""

    def __init__(self, folder: Path, port: int, cameras: str | None = None, *, loop: bool = True) -> None:
        self.folder = folder
        model = write_model(folder)
        clip = write_clip(folder / "road.mp4")
        source = f"{{kind: file, path: {clip}, loop: {str(loop).lower()}}}"
        self.config = folder / "box.yaml"
        self.config.write_text(
            f"device: {{commune: test-commune, id: test-box-01}}\nstate_dir: {folder / 'state'}\n"
            f"broker: {{host: 127.0.0.1, port: {port}, {IMPATIENT}}}\n"
            f"detector: {{model: {model}}}\nhealth: {{interval_s: 5}}\n"
            f"cameras:\n" + (cameras or f"  - name: road\n    source: {source}{ROAD_RULES}"),
            encoding="utf-8",
        )
        self.log = folder / "box.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str, program: str | None = None) -> Box:
        """Run it; `program` is Python that runs it otherwise than `python -m agent` does."""
        ngatu = NGATU if program is None else (sys.executable, "-c", program)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*ngatu, "run", "-c", str(self.config), *words], stdout=log, stderr=log, env=dict(os.environ)
            )
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self, within_s: float = 15) -> int:
        """End it as systemd would; its exit code."""
        return self._end(signal.SIGTERM, within_s)

    def wait(self, within_s: float) -> int:
        """Wait for its own end; its exit code."""
        assert self.process is not None
        return self.process.wait(within_s)

    def accepted(self) -> int:
        """How many messages its outbox has taken."""
        return self.outbox_number("select next_seq - 1 from life")

    def waiting(self) -> int:
        """How many of these have no receipt."""
        return self.outbox_number("select count(*) from message")

    def outbox_number(self, query: str) -> int:
        """A number from its outbox; 0 before there is one."""
        try:
            with closing(
                sqlite3.connect(f"file:{self.folder}/state/outbox.db?mode=ro", uri=True, timeout=5)
            ) as database:
                return int(database.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0

    def _end(self, number: signal.Signals, within_s: float = 10) -> int:
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(number)
        return self.process.wait(within_s)


class Station:
    """`ngatu station`, as whoever tries it for the first time starts it, but without a screen."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder / "station"
        self.store = self.folder / "station.db"
        self._port = port
        self._log = folder / "station.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Station:
        """Run it."""
        words = ["--commune=test-commune", f"--port={self._port}", f"--folder={self.folder}"]
        file = self.folder / "station.yaml"
        if not file.exists():
            self.folder.mkdir(exist_ok=True)
            file.write_text(
                f"commune: test-commune\nname: test-commune\nstate_dir: {self.folder}\n"
                f"broker: {{host: 127.0.0.1, port: {self._port}}}\n"
            )
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([*NGATU, "station", *words], stdout=log, stderr=log)
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(15)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the store answers; nothing before it is there."""
        if not self.store.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=5)) as database:
                return database.execute(query).fetchall()
        except sqlite3.OperationalError:  # made this moment, and its tables are not there yet
            return []

    def seqs(self) -> set[int]:
        """The numbers it has."""
        return {int(row[0]) for row in self.rows("select seq from message")}

    def events(self) -> list[dict[str, Any]]:
        """Every message of every event, by revision."""
        return [json.loads(row[0]) for row in self.rows("select body from event_revision order by revision")]


@contextmanager
def at_work(*programs: Box | Station) -> Iterator[None]:
    """Start them, and let none outlive the block."""
    try:
        for program in programs:
            program.start()
        yield
    finally:
        for program in programs:
            process = program.process
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(10)


def stored(station: Station, kind: str, phase: str) -> list[dict[str, Any]]:
    """The station's messages of one kind and phase."""
    return [event for event in station.events() if event["kind"] == kind and event["phase"] == phase]


def everything_arrives(box: Box, station: Station, within_s: float = 20) -> None:
    """Wait until the station has every message that the box's outbox took, each of them receipted."""
    until(lambda: station.seqs() >= set(range(1, box.accepted() + 1)), within_s, "the station has everything")
    until(lambda: box.waiting() == 0, within_s, "everything is receipted")
