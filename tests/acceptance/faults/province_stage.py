"""A province: three nodes of RabbitMQ, PostgreSQL with its standby, workers, and a crowd of stations."""

from __future__ import annotations

import json
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.acceptance.faults.judge import Findings, Row, judge
from tests.acceptance.faults.postgres_pair import PostgresPair, postgres_pair
from tests.acceptance.faults.rabbit_cluster import RabbitCluster, rabbit_cluster
from tests.acceptance.faults.suite import Broken

ANSWER_S: Final = 600.0
"""Longer than the crowd takes for any order on a busy machine; no mark."""
_ACCEPTED: Final = (
    "select stream.name, seq, event_id || '/' || revision, received_ms from event_revision "
    "join stream on stream.id = stream_id union all "
    "select stream.name, seq, stream.name || ':' || seq || ':' || digest, received_ms from message "
    "join stream on stream.id = stream_id where suffix like 'camera/%/count/%' order by 1, 2"
)
_COMMITTED: Final = (
    "select stream, seq, event_id || '/' || revision, received_ms from event_revision union all "
    "select stream, seq, stream || ':' || seq || ':' || digest, received_ms from count_interval"
)
"""Two counts may say the same: their numbers tell them apart."""


class Worker:
    """`ngatu province` for one shard, over several lives of its process."""

    def __init__(self, folder: Path, shard: str, broker: str, database: str) -> None:
        self.shard, self.log = shard, folder / f"{shard}.log"
        self.config = folder / f"{shard}.yaml"
        self.config.write_text(
            f"shard: {shard}\nbroker: {{{broker}}}\ndatabase: {{url: '{database}'}}\n", encoding="utf-8"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it."""
        with self.log.open("ab") as log:
            words = [sys.executable, "-m", "agent", "province", "-c", str(self.config)]
            self.process = subprocess.Popen(words, stdout=log, stderr=log)

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(20)

    def mind(self) -> None:
        """As its service does: begin it anew where it has ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            self.start()

    def says(self, event: str) -> int:
        """How often its log has this line."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return sum(json.loads(line).get("event") == event for line in lines if line.startswith("{"))


class Crowd:
    """The process of uplink_crowd.py."""

    def __init__(self, folder: Path, communes: dict[str, dict[str, Any]], seed: int, **rates: float) -> None:
        self.folder, self.communes = folder, communes
        folder.mkdir()
        spec = folder.with_suffix(".json")
        spec.write_text(json.dumps({"communes": communes, "seed": seed, **rates}))
        words = [sys.executable, "-m", "tests.acceptance.faults.uplink_crowd", str(spec), str(folder)]
        with folder.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._hear, daemon=True).start()

    def asked(self, order: str = "") -> dict[str, Any]:
        """What it answers to an order; without one what it says by itself next."""
        if order:
            assert self.process.stdin is not None
            self.process.stdin.write(f"{order}\n")
            self.process.stdin.flush()
        try:
            return self._said.get(timeout=ANSWER_S)
        except queue.Empty:
            words = self.folder.with_suffix(".log").read_text(errors="replace")[-600:]
            raise Broken(f"the stations did not answer to {order or 'their start'!r}: {words}") from None

    def end(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(20)

    def accepted(self) -> Iterator[tuple[Row, int]]:
        """What each station's store has committed, and when (ms since 1970)."""
        for commune in self.communes:
            with closing(
                sqlite3.connect(f"file:{self.folder / commune}/station.db?mode=ro", uri=True)
            ) as store:
                for stream, seq, name, at_ms in store.execute(_ACCEPTED):
                    yield Row((stream, seq), name), at_ms

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(json.loads(line))


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of it."""

    findings: Findings
    odd: int
    """Rows of conflicts and of what could not be read."""
    waits_s: Sequence[float]
    """From the station's commit of an alert's message to the province's, in order."""


@dataclass(frozen=True, slots=True)
class ProvinceStage:
    """All of it at work."""

    cluster: RabbitCluster
    pair: PostgresPair
    workers: Sequence[Worker]
    crowd: Crowd

    def lacking(self, accepted: int) -> int:
        """How many of so many messages are not at the province."""
        query = "select (select count(*) from event_revision) + (select count(*) from count_interval)"
        return accepted - int(self.pair.primary.rows(query)[0][0])

    def judged(self) -> Judged:
        """Hold what the stations' stores have against what the province has; all of it was to arrive."""
        accepted = list(self.crowd.accepted())
        rows = self.pair.primary.rows(_COMMITTED)
        committed = [Row((stream, seq), name) for stream, seq, name, _ in rows]
        there_ms = {(stream, seq): at_ms for stream, seq, name, at_ms in rows if "/" in name}
        findings = judge((row.name for row, _ in accepted), (row for row, _ in accepted), committed)
        odd = self.pair.primary.rows(
            "select (select count(*) from conflict) + (select count(*) from unreadable)"
        )
        waits = [
            max(0, there_ms[row.number] - at_ms) / 1000 for row, at_ms in accepted if row.number in there_ms
        ]
        return Judged(findings, int(odd[0][0]), sorted(waits))


@contextmanager
def a_province(folder: Path, number: int, workers: int, seed: int, **rates: float) -> Iterator[ProvinceStage]:
    """So many stations at so many shards; each tries another node first. Nothing of it outlives the block."""
    with rabbit_cluster(folder) as cluster, postgres_pair() as pair:
        at_work = [
            Worker(folder, f"s{each + 1:02d}", cluster.addresses(each), pair.address) for each in range(workers)
        ]
        ended: list[Crowd] = []
        try:
            for worker in at_work:
                worker.start()
            until_all(at_work, "broker_connected")
            communes = {
                f"xa-{each:03d}": {"shard": at_work[each % workers].shard} | cluster.endpoint(each // workers)
                for each in range(number)
            }
            crowd = Crowd(folder / "stations", communes, seed, **rates)
            ended.append(crowd)
            yield ProvinceStage(cluster, pair, at_work, crowd)
        finally:
            for each in ended:
                each.end()
            for worker in at_work:
                worker.kill()


def until_all(workers: Sequence[Worker], event: str) -> None:
    """Wait until each has said so.

    Raises:
        Broken: one has not.
    """
    ends_s = time.monotonic() + ANSWER_S
    while lacking := [worker for worker in workers if not worker.says(event)]:
        if time.monotonic() > ends_s:
            words = lacking[0].log.read_text(errors="replace")[-300:]
            raise Broken(f"{lacking[0].shard} does not say {event}: {words}")
        for worker in lacking:
            worker.mind()
        time.sleep(0.5)
