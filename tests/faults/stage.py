"""A box, a broker and a station in processes of their own, which may be killed, and their histories."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.boxes import IMPATIENT, Station
from tests.brokers import MOSQUITTO, Mosquitto
from tests.faults.judge import Findings, Row, judge
from tests.faults.suite import Broken, NotTried
from tests.squares import write_clip, write_model

HASTY = f"{IMPATIENT}, command_timeout_s: 5" if "command_timeout" in IMPATIENT else IMPATIENT


class Victim:
    """The box of victim.py over many lives; its histories lie here, outside of it."""

    def __init__(self, folder: Path, port: int, *, broker: str = "", more: str = "", camera: str = "") -> None:
        """`broker` and `more` are lines for the configuration; `camera` replaces the camera's rules."""
        self.folder = folder
        self.config = folder / "victim.yaml"
        clip, model = write_clip(folder / "road.mp4"), write_model(folder)
        self.config.write_text(
            f"device: {{commune: test-commune, id: victim-01}}\nstate_dir: {folder / 'state'}\n"
            f"broker: {{host: 127.0.0.1, port: {port}, {IMPATIENT}{broker}}}\n{more}\n"
            f"detector: {{model: {model}}}\nhealth: {{interval_s: 5}}\n"
            f"cameras:\n  - name: road\n    max_fps: 2\n    source: {{kind: file, path: {clip}, loop: true}}\n"
            f"    rules: {camera or '[{kind: motion, id: movement}]'}\n",
            encoding="utf-8",
        )
        self.intended: list[str] = []
        self.accepted: list[Row] = []
        self.lives = 0
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._fed = 0
        self.ready = threading.Event()

    def start(self, count: int, *, rate: float = 0.0, kill_at: str = "") -> Victim:
        """Begin a life in which so many events are fed."""
        self.ready.clear()
        self.lives += 1
        words = [
            str(self.config),
            str(self._fed),
            str(count),
            str(rate),
            *(["--kill-at", kill_at] if kill_at else []),
        ]
        with (self.folder / "victim.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.victim", *words],
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self._fed += count
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self.ready.wait(30):
            raise Broken(f"the box did not start: {self.last_words()}")
        return self

    @property
    def pid(self) -> int:
        """Of this life."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it is."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """As a power cut would, but for the disk's own cache."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = 20) -> int:
        """End it; its exit status."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(within_s)
        assert self._reader is not None
        self._reader.join(5)
        return code

    def died(self, within_s: float) -> bool:
        """Whether it died by itself in time."""
        assert self._process is not None and self._reader is not None
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        self._reader.join(5)
        return True

    def last_words(self) -> str:
        """The end of its log."""
        return (self.folder / "victim.log").read_text(errors="replace")[-600:]

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if not line.endswith("\n"):
                    return
                word, *rest = line.split()
                if word == "ready":
                    self.ready.set()
                elif word == "intend":
                    self.intended += rest
                elif word == "accept":
                    self.accepted.append(Row((rest[0], int(rest[1])), rest[2]))


class Receiver(Station):
    """The station, and what its store says in the judge's words."""

    def committed(self) -> list[Row]:
        """Every fed message it has; what the box says by itself is left out: nobody noted that it was due."""
        events = self.rows(
            "select json_extract(payload, '$.stream'), json_extract(payload, '$.seq'), id || '/' || revision "
            "from event where camera = 'fed' and json_extract(payload, '$.end_reason') is not 'agent_restarted'"
        )
        pictures = self.rows(
            "select received.stream, received.seq, picture.sha256 from received join picture on "
            "received.suffix = 'camera/fed/image/' || picture.event_id || '/' || picture.kind"
        )
        return [Row((stream, seq), name) for stream, seq, name in [*events, *pictures]]

    def closed_twice(self) -> int:
        """How many events that a death had left open were closed more than once."""
        return len(
            self.rows(
                "select id from event where camera = 'fed' and json_extract(payload, '$.end_reason') = "
                "'agent_restarted' group by id having count(*) > 1"
            )
        )


@contextmanager
def playing(
    folder: Path, *broker: str, confirm: str = "", camera: str = ""
) -> Iterator[tuple[Victim, Mosquitto, Receiver]]:
    """Broker and station at work, the box not yet; nothing outlives the block."""
    if MOSQUITTO is None:
        raise NotTried("mosquitto is not here: apt-get install mosquitto")
    server = Mosquitto(folder, *broker).start()
    victim = Victim(folder, server.port, broker=confirm, camera=camera)
    station = Receiver(folder, server.port).start()
    try:
        yield victim, server, station
    finally:
        victim.kill()
        station.end(signal.SIGKILL)
        server.kill()


def settled(victim: Victim, station: Receiver, within_s: float) -> Findings:
    """The findings once everything accepted has arrived, or when the time is over."""
    deadline = time.monotonic() + within_s
    while True:
        findings = judge(victim.intended, list(victim.accepted), station.committed())
        if not findings.lost or time.monotonic() > deadline:
            return findings
        time.sleep(0.2)
