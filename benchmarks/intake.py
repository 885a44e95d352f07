"""What an event with its picture costs a station, beside an earlier state of it: `python -m benchmarks intake`.

A real mosquitto, a real station in a process of its own, and boxes that send in real time. With a path, the
checkout there is measured in turns with this one: CPU time of the station's process for each event, how long
receipts took, and how much it had the system write. On SQLite, and on PostgreSQL where that is installed.
NGATU_BENCH_STORE names a file that is copied as SQLite's store before: `benchmarks lookups FOLDER` leaves one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from sqlalchemy import URL

from agent.errors import NgatuError
from benchmarks.table import Row
from station.store.pictures.shelf import PictureShelf
from tests.support.brokers import MOSQUITTO, Mosquitto, until
from tests.support.stores import new_database, postgresql_server

HERE = Path(__file__).resolve().parent.parent
ROUNDS = int(os.environ.get("NGATU_BENCH_ROUNDS", "3"))
SECONDS = float(os.environ.get("NGATU_BENCH_SECONDS", "20"))
STORE = os.environ.get("NGATU_BENCH_STORE")
BOXES = 21
RATES = (150.0, 0.0)
"""Events a second; 0: as many as are receipted."""
BROKER = ("max_queued_messages 100000", "max_inflight_messages 500", "set_tcp_nodelay true")
"""As ours are set up (roles/ngatu_broker): a small packet waits for no answer to the one before."""
SETTLE_S = 3.0
CALM = 0.02
"""Of a core."""
FIRST = 10_000_000
"""Numbers of this benchmark's events: none of the store's."""


@dataclass(slots=True)
class MeasuredStation:
    """One checkout over one store, which is filled anew for each."""

    name: str
    tree: Path
    folder: Path
    url: URL | None
    """Of PostgreSQL; None: a file beside it."""
    first: int = FIRST

    def measured(self, broker: Mosquitto, rate: float) -> Row:
        """One run of so many events a second.

        Raises:
            NgatuError: it gave no receipts.
        """
        with self._running(broker) as process:
            before, wrote = _used_s(process), _written(process)
            said = _sent(broker.port, rate, self.first)
            used_s, wrote = _used_s(process) - before, _written(process) - wrote
        self.first += int(said["sent"])
        if not said["receipted"]:
            raise NgatuError("no receipt came", f"look at {self.folder / 'station.log'}")
        events = said["receipted"]
        return {
            "state": self.name, "wanted a second": rate or None,
            "events a second": round(events / said["lasted_s"]),
            "CPU an event, ms": round(1000 * used_s / events, 3),
            "receipt p50, ms": round(said["p50_ms"], 1), "receipt p95, ms": round(said["p95_ms"], 1),
            "written an event, kB": round(wrote / events / 1000, 1), "without receipt": said["sent"] - events,
        }  # fmt: skip

    @contextmanager
    def _running(self, broker: Mosquitto) -> Iterator[psutil.Process]:
        config = self.folder / "station.yaml"
        database = "" if self.url is None else f"database: {{url: '{_plain(self.url)}'}}\n"
        config.write_text(
            f"commune: hai-ninh\nname: hai-ninh\nstate_dir: {self.folder}\n"
            f"broker: {{host: 127.0.0.1, port: {broker.port}}}\n{database}"
            "quota: {messages_per_day: 100000000, bytes_per_day: 1000000000000}\n",
            encoding="utf-8",
        )
        log = self.folder / "station.log"
        with log.open("wb") as output:
            words = [sys.executable, "-m", "agent", "station", "-c", str(config)]
            process = subprocess.Popen(words, stdout=output, stderr=output, cwd=self.tree)
        try:
            until(lambda: b"broker_connected" in log.read_bytes() or process.poll() is not None, 600)
            if process.poll() is not None:  # such as an earlier state over a store of now
                last = log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
                raise NgatuError(f"the station ended: {last}", f"look at {self.tree} and at its store")
            measured = psutil.Process(process.pid)
            until(lambda: _is_calm(measured), 600)
            yield measured
        finally:
            process.terminate()
            process.wait(60)


def main(paths: Sequence[Path], progress: Callable[[str], None] = lambda _: None) -> Iterator[Row]:
    """Rows of both states, in turns, on each database.

    Raises:
        NgatuError: there is no mosquitto.
    """
    if MOSQUITTO is None:
        raise NgatuError("mosquitto is not here", "apt install mosquitto")
    trees = {"before": paths[0].resolve()} if paths else {}
    trees |= {"now": HERE}
    yield from measured_on("SQLite", trees, progress)
    try:
        with postgresql_server() as url:
            yield from measured_on("PostgreSQL", trees, progress, lambda: new_database(url))
    except pytest.skip.Exception:
        yield {"database": "PostgreSQL", "state": "it is not installed here"}


def measured_on(
    name: str, trees: dict[str, Path], progress: Callable[[str], None], own: Callable[[], URL] | None = None
) -> Iterator[Row]:
    """The rows of one database; `own` makes an empty place of PostgreSQL for each checkout."""
    with ExitStack() as left:
        (HERE / "build").mkdir(exist_ok=True)
        folder = Path(
            left.enter_context(tempfile.TemporaryDirectory(prefix="ngatu-intake-", dir=HERE / "build"))
        )
        broker = Mosquitto(folder, *BROKER).start()
        left.callback(broker.stop)
        stations = []
        for state, tree in trees.items():
            place = folder / state
            place.mkdir()
            url = None if own is None else own()
            if url is None and STORE:
                _copy(Path(STORE), place)
            stations.append(MeasuredStation(state, tree, place, url))
        for number in range(ROUNDS):
            for rate in RATES:
                for each in stations:
                    progress(f"{name}, {each.name}, round {number + 1}, {rate:g} a second")
                    yield {"database": name, **each.measured(broker, rate)}


def _copy(store: Path, place: Path) -> None:
    """The file, and segments of the lengths of those beside it: pictures that a look at them would not miss."""
    shutil.copy(store, place / "station.db")
    with (place / "station.db").open("rb") as copied:
        os.fsync(copied.fileno())  # else the station's first sync waits for all of it
    here, there = PictureShelf(store.parent / "blobs"), PictureShelf(place / "blobs")
    there.segments.mkdir(parents=True)
    for number, size in here.sizes().items():
        with there.segment(number).open("wb") as file:
            file.truncate(size)


def _sent(port: int, rate: float, first: int) -> dict[str, float]:
    words = [sys.executable, "-m", "benchmarks.intake_sender", str(port), str(rate), str(SECONDS), str(BOXES)]
    done = subprocess.run([*words, str(first)], cwd=HERE, check=True, capture_output=True, text=True)
    said: dict[str, float] = json.loads(done.stdout)
    return said


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _written(process: psutil.Process) -> int:
    """Bytes that it gave the system to write.

    What the system says that it wrote (`write_bytes`) has a whole folio of the page cache for each page: on
    Linux 6.18 with ext4 200 kB for 4, of which the disk hears 4.
    """
    return int(process.io_counters().write_chars)


def _is_calm(process: psutil.Process) -> bool:
    """Whether what a start does once is over, such as the look at the database's file: no event costs that."""
    before = _used_s(process)
    time.sleep(SETTLE_S)
    return _used_s(process) - before < CALM * SETTLE_S


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
