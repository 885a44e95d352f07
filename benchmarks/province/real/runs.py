"""The real thing: a station or a worker in a process of its own, a real broker, and a plan sent in real time.

A trial in which the sender itself came too late is made again: then the machine was taken away, and nothing of
it says anything about the station.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from sqlalchemy import URL

from agent.errors import NgatuError
from benchmarks.cost.cpu import seconds
from benchmarks.province.traffic import SHARD, Sending
from tests.support.brokers import Mosquitto, until
from tests.support.told_events import COMMUNE

HERE: Final = Path(__file__).resolve().parents[3]
SETTLE_S: Final = 2.0
CALM: Final = 0.03
"""Of a processor."""
IDLE_S: Final = 5.0
LATE_MS: Final = 250.0
TRIALS: Final = 3
START_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a plan went, in the model or in the real thing."""

    cpu_s: float
    lasted_s: float
    """Until the last receipt."""
    written_bytes: float
    took_s: tuple[float, ...]
    """Of each that is timed, from its sending to its receipt; in order of length."""
    hop_s: float = 0.0
    late_s: float = 0.0
    """How much too late the sender was, at the latest."""
    trials: int = 1
    batches: int = 0
    """In the model; of the real thing only one that is traced tells."""

    def percentile(self, share: float) -> float:
        """Seconds within which so many have their receipt."""
        return self.took_s[min(len(self.took_s) - 1, int(share * len(self.took_s)))]


class RunningProgram:
    """`ngatu station` or `ngatu province`, once it is calm."""

    def __init__(self, process_id: int, broker: Mosquitto, folder: Path, heard: str) -> None:
        self.idle_share = self.idle_bytes_s = self.hop_s = self.began_s = 0.0
        """Of these `began_s`: when the latest plan began to be sent (monotonic)."""
        self.ways: list[tuple[str, int, float, float]] = []
        """Of the latest plan: whose and which message, sent when, and when its receipt came (monotonic)."""
        self._process = psutil.Process(process_id)
        self._broker, self._folder, self._heard = broker, folder, heard

    @property
    def held_bytes(self) -> int:
        """The most memory that it has had so far."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

    def rest(self) -> None:
        """Wait until what a start does once is over, then see what it costs while nothing comes."""
        until(self._is_calm, START_S, "it is calm")
        cpu_s, wrote, began_s = self._cpu_s(), self._wrote(), time.monotonic()
        time.sleep(IDLE_S)
        passed_s = time.monotonic() - began_s
        self.idle_share = (self._cpu_s() - cpu_s) / passed_s
        self.idle_bytes_s = (self._wrote() - wrote) / passed_s

    def take(self, plans: Iterator[list[Sending]]) -> tuple[list[Sending], Outcome]:
        """Send a plan to it: which it was, and how it went.

        Raises:
            NgatuError: a message has no receipt.
        """
        for trial in range(1, TRIALS + 1):
            plan = next(plans)
            outcome = self._taken(plan, trial)
            if 1000 * outcome.late_s <= LATE_MS:
                break
        return plan, outcome

    def _taken(self, plan: Sequence[Sending], trial: int) -> Outcome:
        file = self._folder / "plan.pickle"
        file.write_bytes(pickle.dumps(list(plan)))
        words = [
            sys.executable,
            "-m",
            "benchmarks.province.real.sender",
            str(self._broker.port),
            str(file),
            self._heard,
        ]
        with subprocess.Popen(words, cwd=HERE, stdin=-1, stdout=-1, text=True) as sender:
            assert sender.stdin is not None and sender.stdout is not None
            ready, _, hop = sender.stdout.readline().partition(" ")
            if ready != "ready":
                raise NgatuError("the sender could not start", "look at what it says above")
            self.hop_s = float(hop)
            cpu_s, wrote, self.began_s = self._cpu_s(), self._wrote(), time.monotonic()
            sender.stdin.write("\n")
            sender.stdin.flush()
            said: dict[str, Any] = json.loads(sender.stdout.readline())
            cpu_s, wrote = self._cpu_s() - cpu_s, self._wrote() - wrote
        self.ways = [tuple(each) for each in said["ways"]]
        if len(self.ways) < len(plan):
            missing = len(plan) - len(self.ways)
            raise NgatuError(f"{missing} of {len(plan)} messages have no receipt", f"look into {self._folder}")
        took_s = tuple(each / 1000 for each in said["took_ms"])
        late_s = said["late_ms"][int(0.99 * len(said["late_ms"]))] / 1000
        return Outcome(cpu_s, said["lasted_s"], wrote, took_s, float(hop), late_s, trial)

    def _cpu_s(self) -> float:
        return seconds(self._process.pid)

    def _wrote(self) -> int:
        return int(self._process.io_counters().write_chars)

    def _is_calm(self) -> bool:
        before = self._cpu_s()
        time.sleep(SETTLE_S)
        return self._cpu_s() - before < CALM * SETTLE_S


@contextmanager
def running_station(broker: Mosquitto, folder: Path, trace: Path | None = None) -> Iterator[RunningProgram]:
    """A station on SQLite, which is alone with its broker; at its end it leaves in `trace` what it did."""
    text = (
        f"commune: {COMMUNE}\nname: {COMMUNE}\nstate_dir: {folder}\n"
        f"broker: {{host: 127.0.0.1, port: {broker.port}}}\n"
        "quota: {messages_per_day: 100000000, bytes_per_day: 1000000000000}\n"
    )
    with _running("station", text, broker, folder, "ngatu/v1/+/+/receipt", trace) as program:
        yield program


@contextmanager
def running_worker(
    broker: Mosquitto, folder: Path, url: URL, trace: Path | None = None
) -> Iterator[RunningProgram]:
    """A worker of one shard; `trace` as above."""
    where = url.set(drivername="postgresql").render_as_string(hide_password=False)
    text = f"shard: {SHARD}\nbroker: {{host: 127.0.0.1, port: {broker.port}}}\ndatabase: {{url: '{where}'}}\n"
    with _running("province", text, broker, folder, "ngatu-up/v1/+/+/receipt", trace) as program:
        yield program


@contextmanager
def _running(
    name: str, text: str, broker: Mosquitto, folder: Path, heard: str, trace: Path | None
) -> Iterator[RunningProgram]:
    config, log = folder / f"{name}.yaml", folder / f"{name}.log"
    config.write_text(text, encoding="utf-8")
    with log.open("wb") as output:
        module = ["agent"] if trace is None else ["benchmarks.province.real.traced", str(trace)]
        words = [sys.executable, "-m", *module, name, "-c", str(config)]
        process = subprocess.Popen(words, stdout=output, stderr=output, cwd=HERE)
    try:
        program = RunningProgram(process.pid, broker, folder, heard)
        try:
            until(lambda: b"broker_connected" in log.read_bytes(), START_S, f"{name} is connected")
            program.rest()
        except pytest.fail.Exception as error:
            raise NgatuError(f"ngatu {name}: {error}", f"its log: {log.read_text()[-300:]}") from None
        yield program
    finally:
        process.terminate()
        process.wait(60)
