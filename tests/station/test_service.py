"""station.service, as a process of its own beside a real broker"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL
from structlog.testing import capture_logs

from agent.core.types import Instant
from agent.wire import codec
from agent.wire.message import Stored
from station.config import parse
from station.service import open_uplink
from station.watch.embedded import Address
from tests.support.aged_store import AgedStore
from tests.support.brokers import Mosquitto, until
from tests.support.fake_box import FakeBox, an_event
from tests.support.kept_pictures import pictures_on
from tests.support.plain_user import PLAIN
from tests.support.stores import Place


class Service:
    """`ngatu station`, over several lives of its process."""

    def __init__(self, folder: Path, port: int, commune: str, *lines: str) -> None:
        self.config = folder / "station.yaml"
        self.state_dir = folder / "state"
        settings = [f"commune: {commune}", f"state_dir: {self.state_dir}", f"broker: {{port: {port}}}", *lines]
        self.config.write_text("\n".join(settings), encoding="utf-8")
        self.log = folder / "station.log"
        self.place = Place(URL.create("sqlite", database=str(self.state_dir / "station.db")), folder)
        self.program = ("-m", "agent")
        self.process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def at_work(self) -> Iterator[Service]:
        command = [sys.executable, *self.program, "station", "-c", str(self.config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield self
        finally:
            self.end(signal.SIGKILL)

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(10)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def at(broker: Mosquitto) -> Address:
    return Address("127.0.0.1", broker.port, broker.port)


@pytest.mark.long
def test_what_a_box_tells_is_kept_receipted_and_summed_up(
    embedded: Address, commune: str, tmp_path: Path
) -> None:
    service = Service(tmp_path, embedded.port, commune)
    with FakeBox(embedded, commune=commune) as box, service.at_work():
        until(lambda: box.station_online == [True])
        for number in (1, 2):
            box.tell(an_event(number, picture=True))
        box.raw("camera/north/event", b"not json")
        until(lambda: box.receipted() == {1, 2, 3, 4})
        assert service.end(signal.SIGTERM) == 0
        until(lambda: box.station_online[-1] is False)

    assert service.place.rows("select count(*), sum(revision) from event") == [(2, 2)]
    pictures = service.place.rows("select sha256 from picture")
    assert len(pictures) == 2
    for (sha256,) in pictures:
        assert sha256 in pictures_on(service.state_dir / "blobs")
    names = [line["event"] for line in service.lines()]
    assert names == [
        "store_upgraded", "started", "broker_connected", "message_unreadable", "stopped",
    ]  # fmt: skip
    assert service.lines()[-1]["receipted"] == 4


SOON = "from station.retention import worker; worker.FIRST_S = 0.2; from agent.cli.main import main; main()"
"""The service, whose retention does not wait for half a minute."""


@pytest.mark.long
def test_what_is_due_goes_while_it_takes_in_what_comes(embedded: Address, commune: str, tmp_path: Path) -> None:
    service = aged_service(tmp_path, embedded.port, commune)
    with FakeBox(embedded, commune=commune) as box, service.at_work():
        until(lambda: box.station_online == [True])
        box.tell(an_event(1, picture=True))
        until(lambda: box.receipted() == {1, 2})
        until(lambda: service.place.rows("select count(*) from deletion where is_noted") == [(1,)])
        assert service.end(signal.SIGTERM) == 0

    kept = {row[0] for row in service.place.rows("select event_id from event")}
    assert kept == {"e-1", "e-3"}, "e-1 is of today, of the box that is there now"
    (line,) = [line for line in service.lines() if line["event"] == "deleted_by_age"]
    assert (line["of"], line["count"]) == ("events", 1)


@pytest.mark.long
def test_a_damaged_file_is_an_alarm_nothing_is_deleted_and_what_comes_is_receipted(
    embedded: Address, commune: str, tmp_path: Path
) -> None:
    """Holds cannot be trusted that are read out of it."""
    service = aged_service(tmp_path, embedded.port, commune)
    ((page,),) = service.place.rows("select rootpage from sqlite_master where name = 'event_hold'")
    ((size,),) = service.place.rows("pragma page_size")
    data = bytearray((service.state_dir / "station.db").read_bytes())
    data[(page - 1) * size : page * size] = b"\x5a" * size
    (service.state_dir / "station.db").write_bytes(data)

    with FakeBox(embedded, commune=commune) as box, service.at_work():
        until(lambda: box.station_online == [True])
        box.tell(an_event(1, picture=True))
        until(lambda: box.receipted() == {1, 2})
        alarms = "select kind from alarm where closed_ms is null order by kind"
        until(lambda: service.place.rows(alarms) == [("retention_failed",), ("store_damaged",)])
        assert service.end(signal.SIGTERM) == 0
    assert service.place.rows("select count(*) from event") == [(3,)]


def aged_service(folder: Path, port: int, commune: str) -> Service:
    """One with an event that is due, and one of yesterday, of a box that is not there."""
    service = Service(folder, port, commune, "retention: {events: 30}")
    service.program = ("-c", SOON)
    service.state_dir.mkdir()
    aged = AgedStore(Place(service.place.url, service.state_dir))
    aged.event(2, 40, picture=b"old")
    aged.event(3, 1)
    aged.close()
    aged.place.close()
    return service


@pytest.mark.long
def test_a_folder_that_it_may_not_enter_is_one_clear_line(tmp_path: Path) -> None:
    config = tmp_path / "station.yaml"
    config.write_text(f"commune: hai-ninh\nstate_dir: {tmp_path / 'state'}\n")
    (tmp_path / "state").mkdir(mode=0)

    done = subprocess.run(
        [*PLAIN, sys.executable, "-m", "agent", "station", "-c", config],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f"{tmp_path / 'state' / 'station.lock'}: Permission denied" in done.stderr
    assert "ngatu is broken" not in done.stderr + done.stdout


@pytest.mark.long
@pytest.mark.broker
def test_killed_in_the_middle_of_a_drain_it_loses_nothing_and_doubles_nothing(
    mosquitto: Mosquitto, commune: str, tmp_path: Path
) -> None:
    """Store invariants 1 and 3: what was receipted before the kill is there after it."""
    service = Service(tmp_path, mosquitto.port, commune)
    with FakeBox(at(mosquitto), commune=commune) as box:
        waiting = {
            stored.seq: stored for number in range(150) for stored in box.put(an_event(number, picture=True))
        }
        for life in range(3):
            with service.at_work():
                until(lambda: box.station_online[-1:] == [True])
                box.receipts.clear()
                box.hello()
                until(lambda: box.receipts)
                _forget(box, waiting)
                if life < 2:
                    _send(box, list(waiting.values())[: 60 if life else 300])
                    until(lambda: len(box.receipts) > 1)  # the first answers the hello
                    service.end(signal.SIGKILL)
                    until(lambda: box.station_online[-1:] == [False])
                    _forget(box, waiting)
                    assert receipted(service) >= set(range(1, 301)) - waiting.keys()
                else:
                    _send(box, list(waiting.values()))
                    until(lambda: not _forget(box, waiting))

    rows = service.place.rows
    assert rows("select count(*), count(distinct seq), min(seq), max(seq) from message") == [(300, 300, 1, 300)]
    assert rows("select count(*), count(distinct event_id) from event_revision") == [(150, 150)]
    assert rows("select count(*) from picture") == rows("select count(*) from blob") == [(150,)]
    assert rows("select first, last from span") == [(1, 300)]
    assert rows("select count(*) from conflict") == [(0,)]
    assert len(pictures_on(service.state_dir / "blobs")) == 150


def receipted(service: Service) -> set[int]:
    return {row[0] for row in service.place.rows("select seq from message")}


def _send(box: FakeBox, messages: list[Stored]) -> None:
    """As a box with a wide window does: all at once."""
    now = Instant(time.monotonic(), time.time())
    for stored in messages:
        box.send(stored, now)


def _forget(box: FakeBox, waiting: dict[int, Stored]) -> dict[int, Stored]:
    """Do what receipts make a box do; what still waits."""
    for seq in box.receipted() & waiting.keys():
        del waiting[seq]
    return waiting


@pytest.mark.long
@pytest.mark.broker
def test_a_wiped_store_asks_for_all_that_the_box_still_has_and_tells_what_is_gone(
    mosquitto: Mosquitto, commune: str, tmp_path: Path
) -> None:
    service = Service(tmp_path, mosquitto.port, commune, "ingest: {gap_after_s: 0}")
    with FakeBox(at(mosquitto), commune=commune) as box:
        with service.at_work():
            until(lambda: box.station_online == [True])
            sent = [stored for number in range(1, 7) for stored in box.tell(an_event(number))]
            until(lambda: box.receipted() == {1, 2, 3, 4, 5, 6})
            service.end(signal.SIGTERM)
        for path in service.state_dir.glob("station.db*"):
            path.unlink()
        box.receipts.clear()
        box.station_online.clear()
        with service.at_work():
            until(lambda: box.station_online[-1:] == [True])
            now = Instant(time.monotonic(), time.time())
            box.raw("hello", codec.hello("life-1", box.stream, 4, 6, now))
            until(lambda: box.receipts)
            assert box.receipted() == set()
            box.publish(sent[3])
            box.publish(sent[5])
            until(lambda: box.receipted() == {4, 6})
            box.publish(sent[4])
            until(lambda: box.receipted() == {4, 5, 6})
            gone = "select first, last, missing, state from gap where state = 'gone'"
            until(lambda: service.place.rows(gone) == [(1, 3, 3, "gone")])
            service.end(signal.SIGTERM)

    assert "gap_found" in [line["event"] for line in service.lines()]


@pytest.mark.long
@pytest.mark.broker
def test_a_backlog_is_drained_at_300_events_a_second_and_more(
    mosquitto: Mosquitto, commune: str, tmp_path: Path
) -> None:
    """With receipts, over loopback; the best of three, for the machine may have other things to do."""
    service, rates = Service(tmp_path, mosquitto.port, commune), []
    with FakeBox(at(mosquitto), commune=commune) as box, service.at_work():
        until(lambda: box.station_online == [True])
        while len(rates) < 3 and max(rates, default=0) < 300:
            backlog = [stored for number in range(600) for stored in box.put(an_event(box.seq + number))]
            last = backlog[-1].seq
            begun_s = time.monotonic()
            _send(box, backlog)
            until(lambda last=last: len(box.receipted()) >= last)
            rates.append(600 / (time.monotonic() - begun_s))

    assert max(rates) >= 300, rates


def test_a_station_whose_uplink_cannot_be_used_serves_its_boxes_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "uplink").write_text("no folder")
    config = parse(
        f"commune: hai-ninh\nstate_dir: {tmp_path}\nuplink: {{shard: s01}}\n".encode(), "station.yaml"
    )
    assert config.uplink is not None

    with ExitStack() as left, capture_logs() as lines:
        open_uplink(config, config.uplink, left)

    assert [line["event"] for line in lines] == ["uplink_off"]
