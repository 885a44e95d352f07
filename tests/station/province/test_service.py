"""station.province.service, and the way from a box to it: every part a process of its own"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from agent.core.types import Instant
from agent.wire.message import Stored
from station.ingest.subscriber import Subscriber
from station.province.inbound import STATIONS
from station.province.settings import CommuneQuota, ProvinceConfig, ProvinceDatabase
from station.store.database import engine_of
from station.uplink.settings import ProvinceEndpoint
from station.watch.embedded import Address
from tests.support.brokers import Mosquitto, until
from tests.support.fake_box import FakeBox, an_event
from tests.support.provinces_up import ProvincePlace
from tests.support.uplink_swarm import swarm

pytestmark = [pytest.mark.broker, pytest.mark.postgresql]

SOON_S = 60.0
"""However busy the machine is."""


class Program:
    """`ngatu station` or `ngatu province`, over several lives of its process."""

    def __init__(self, folder: Path, name: str, *lines: str) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self.config = folder / f"{name}.yaml"
        self.config.write_text("\n".join(lines), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "agent", self.name.partition("-")[0], "-c", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)

    def says(self, event: str) -> int:
        """How often its log has this line."""
        if not self.log.exists():
            return 0
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return sum(json.loads(line).get("event") == event for line in lines if line.startswith("{"))

    @contextmanager
    def at_work(self) -> Iterator[Program]:
        self.start()
        try:
            yield self
        finally:
            self.end()


def a_station(folder: Path, port: int, commune: str, up_port: int) -> Program:
    return Program(
        folder,
        "station",
        f"commune: {commune}",
        f"state_dir: {folder / 'state'}",
        f"broker: {{port: {port}}}",
        f"uplink: {{shard: s01, port: {up_port}}}",
    )


def a_worker(folder: Path, port: int, province: ProvincePlace, number: int = 1) -> Program:
    url = province.url.set(drivername="postgresql").render_as_string()
    return Program(
        folder,
        f"province-{number}",
        "shard: s01",
        f"broker: {{port: {port}}}",
        f"database: {{url: '{url}'}}",
    )


@pytest.fixture
def brokers(start_mosquitto: Callable[..., Mosquitto]) -> tuple[Mosquitto, Mosquitto]:
    """The commune's and the province's."""
    return start_mosquitto(), start_mosquitto()


def there(province: ProvincePlace) -> list[str]:
    """Ids of the events that the province has, one for each message."""
    return [row[0] for row in province.rows("select event_id from event_revision")]


@pytest.mark.long
def test_an_alert_of_a_box_is_at_the_province_and_the_uplink_has_forgotten_it(
    brokers: tuple[Mosquitto, Mosquitto], commune: str, province: ProvincePlace, tmp_path: Path
) -> None:
    below, above = brokers
    station = a_station(tmp_path, below.port, commune, above.port)
    worker = a_worker(tmp_path, above.port, province)
    address = Address("127.0.0.1", below.port, below.port)
    with FakeBox(address, commune=commune) as box, station.at_work(), worker.at_work():
        until(lambda: worker.says("shard_taken") and box.station_online, SOON_S)
        box.tell(an_event(1))

        until(lambda: there(province) == ["e-1"], SOON_S)
        until(lambda: province.rows("select state from commune") == [("online",)], SOON_S)
        assert station.end(signal.SIGTERM) == 0
        until(lambda: province.rows("select state from commune") == [("stopped",)], SOON_S)
        assert worker.end(signal.SIGTERM) == 0

    (body,) = province.rows("select body from event_revision")
    assert json.loads(body[0])["commune"] == commune
    with closing(sqlite3.connect(tmp_path / "state" / "uplink" / "outbox.db")) as outbox:
        assert outbox.execute("select count(*) from message where topic = 'envelope'").fetchone() == (0,)


@pytest.mark.long
def test_what_a_quota_refuses_today_comes_tomorrow_by_itself(
    brokers: tuple[Mosquitto, Mosquitto], commune: str, province: ProvincePlace, tmp_path: Path
) -> None:
    below, above = brokers
    config = ProvinceConfig(
        shard="s01",
        broker=ProvinceEndpoint(port=above.port),
        database=ProvinceDatabase(url=province.url.set(drivername="postgresql").render_as_string()),
    )
    now_s, days = time.time(), [0]
    store = province.open(
        now=lambda: now_s + days[0] * 86_400,
        quota=CommuneQuota.model_construct(bytes_per_day=2**30, items_per_day=100),
    )
    day = int(now_s // 86_400)
    _do(
        province,
        f"insert into commune (name, shard, first_seen_ms, last_seen_ms) values ('{commune}', 's01', 0, 0)",
    )
    _do(province, f"insert into commune_usage select id, {day}, 0, 100, 0, 0 from commune")
    worker = Subscriber(config.subscriber(), store, lives=store, take_over=True, dialect=STATIONS)
    at_work = threading.Thread(target=worker.run)
    at_work.start()
    try:
        address = Address("127.0.0.1", below.port, below.port)
        station = a_station(tmp_path, below.port, commune, above.port)
        with FakeBox(address, commune=commune) as box, station.at_work():
            until(lambda: box.station_online, SOON_S)
            box.tell(an_event(1))
            until(lambda: _refused(province) >= 1, SOON_S)
            assert there(province) == []
            days[0] = 1

            until(lambda: there(province) == ["e-1"], 4 * SOON_S)
    finally:
        worker.stop()
        at_work.join(SOON_S)
        store.close()


def _refused(province: ProvincePlace) -> int:
    return sum(row[0] for row in province.rows("select refused from commune_usage"))


def _do(province: ProvincePlace, statement: str) -> None:
    engine = engine_of(province.url)
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.mark.long
def test_whatever_is_killed_at_whatever_moment_nothing_is_lost_and_nothing_is_there_twice(
    brokers: tuple[Mosquitto, Mosquitto], commune: str, province: ProvincePlace, tmp_path: Path
) -> None:
    below, above = brokers
    station = a_station(tmp_path, below.port, commune, above.port)
    workers = [a_worker(tmp_path, above.port, province, number) for number in (1, 2)]
    address = Address("127.0.0.1", below.port, below.port)
    number, sent = 0, set[str]()
    with (
        FakeBox(address, commune=commune) as box,
        station.at_work(),
        workers[0].at_work(),
        workers[1].at_work(),
    ):

        def tell_some() -> None:
            nonlocal number
            for _ in range(10):
                number += 1
                sent.add(f"e-{number}")
                for stored in box.put(an_event(number)):
                    until(partial(sent_again, box, stored), SOON_S)

        until(lambda: any(worker.says("shard_taken") for worker in workers), SOON_S)
        for turn in range(6):
            tell_some()
            victim = turn % 3
            if victim == 0:
                holder = next(each for each in workers if each.says("shard_taken") and alive(each))
                holder.end()
                tell_some()
                until(partial(the_other(workers, holder).says, "shard_taken"), SOON_S)
                holder.log.unlink()
                holder.start()
            elif victim == 1:
                station.end()
                station.start()
            else:
                above.kill()
                tell_some()
                above.start()
        until(lambda: set(there(province)) == sent, 150.0, "all of them are at the province")

    assert len(there(province)) == len(sent) == number
    assert province.rows("select count(*) from conflict") == [(0,)]
    assert province.rows("select count(*) from unreadable") == [(0,)]


def the_other(workers: list[Program], one: Program) -> Program:
    (other,) = (each for each in workers if each is not one)
    return other


def alive(program: Program) -> bool:
    return program.process is not None and program.process.poll() is None


def sent_again(box: FakeBox, stored: Stored) -> bool:
    """As a box does: again until the station has it."""
    box.send(stored, Instant(time.monotonic(), time.time()))
    return stored.seq in box.receipted()


@pytest.mark.long
def test_one_worker_serves_83_communes_in_less_than_110_megabytes(
    start_mosquitto: Callable[..., Mosquitto], province: ProvincePlace, tmp_path: Path
) -> None:
    broker = start_mosquitto()
    worker = a_worker(tmp_path, broker.port, province)
    with worker.at_work(), swarm(broker.port, 83) as uplinks:
        until(lambda: worker.says("broker_connected"), SOON_S)
        for number in range(1, 11):
            for each in uplinks:
                each.send(number)
                each.turn()

        def all_receipted() -> bool:
            for each in uplinks:
                each.turn()
            return all(len(each.receipted) == 10 for each in uplinks)

        until(all_receipted, SOON_S)
        assert worker.process is not None
        held_mb = psutil.Process(worker.process.pid).memory_info().rss / 1e6
        delays = sorted(each.receipted[seq] - each.sent[seq] for each in uplinks for seq in each.sent)

    print(f"worker of 83 communes: {held_mb:.0f} MB; receipts p50 {delays[415]:.2f} s, p95 {delays[788]:.2f} s")
    assert len(there(province)) == 830
    assert held_mb <= 110


@pytest.mark.long
def test_a_worker_that_is_cut_off_from_its_database_has_its_shard_again_and_loses_nothing(
    start_mosquitto: Callable[..., Mosquitto], province: ProvincePlace, tmp_path: Path
) -> None:
    broker = start_mosquitto()
    worker = a_worker(tmp_path, broker.port, province)
    cut = (
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = current_user and pid <> "
    )
    with worker.at_work(), swarm(broker.port, 3) as uplinks:
        until(lambda: worker.says("broker_connected"), SOON_S)

        def receipted(number: int) -> bool:
            for each in uplinks:
                each.turn()
            return all(number in each.receipted for each in uplinks)

        def has_again(times: int) -> bool:
            return worker.says("shard_taken_again") >= times

        for number in (1, 2, 3):
            for each in uplinks:
                each.send(number)
            until(partial(receipted, number), SOON_S)
            assert province.rows(cut + "pg_backend_pid()")[0][0] >= 1
            until(partial(has_again, number), SOON_S)

    assert len(there(province)) == 9
