"""station.ingest.presence"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.core.types import Instant
from agent.wire import codec
from station.ingest.alarms import AlarmKind
from station.ingest.rivals import Lives
from station.ingest.subscriber import MessageKind, Subscriber, SubscriberSettings
from station.watch.embedded import Address
from tests.station.ingest.test_subscriber import Alarmed, Notes, at, running, subscriber
from tests.support.brokers import Mosquitto, until
from tests.support.cable import Cable
from tests.support.fake_box import FakeBox, an_event


def test_the_station_says_that_it_is_there_and_that_it_leaves(address: Address, commune: str) -> None:
    with FakeBox(address, commune=commune) as box:
        with running(subscriber(address, commune, Notes())):
            until(lambda: box.station_online == [True])
        until(lambda: box.station_online[-1:] == [False])


@pytest.mark.long
@pytest.mark.parametrize(("nodes", "again"), [((), False), (("node-2.example",), True)])
def test_where_the_broker_is_a_cluster_a_box_that_says_hello_hears_that_the_station_is_there(
    address: Address, commune: str, nodes: tuple[str, ...], again: bool
) -> None:
    """Of a cluster each node keeps the words that were said at it: another one's may be old, or none."""
    notes = Notes()
    settings = SubscriberSettings(
        host=address.host, port=address.port, hosts=nodes, communes=(commune,), station=commune, receipts=True
    )
    with FakeBox(address, commune=commune) as box:
        with running(Subscriber(settings, notes)):
            until(lambda: box.station_online == [True])
            for _ in range(5):
                box.hello()
            until(lambda: len(notes.of(MessageKind.HELLO)) == 5)
            until(lambda: not again or len(box.station_online) > 1)
        until(lambda: box.station_online[-1] is False)

    assert (box.station_online.count(True) > 1) is again


def test_an_onlooker_gives_no_receipts_and_says_nothing(address: Address, commune: str) -> None:
    notes = Notes()
    with (
        running(subscriber(address, commune, notes, receipts=False)),
        FakeBox(address, commune=commune) as box,
    ):
        box.tell(an_event(1))
        box.hello()
        until(lambda: notes.of(MessageKind.HELLO))

    assert len(notes.of(MessageKind.EVENT)) == 1
    assert box.receipts == []
    assert box.station_online == []


@pytest.mark.broker
def test_the_will_says_offline_when_the_station_dies(mosquitto: Mosquitto, commune: str) -> None:
    cable = Cable("127.0.0.1", mosquitto.port)
    with FakeBox(at(mosquitto), commune=commune) as box:
        station = subscriber(at(mosquitto), commune, Notes(), port=cable.port)
        thread = threading.Thread(target=station.run, daemon=True)
        thread.start()
        until(lambda: box.station_online == [True])
        cable.cut()
        until(lambda: box.station_online[-1:] == [False])
        station.stop()
        thread.join(5)


@pytest.mark.long
def test_who_is_thrown_out_by_another_station_yields_and_names_the_cause(
    mosquitto: Mosquitto, commune: str
) -> None:
    """Promise 6: a second one under the same name begins on purpose, and is not thrown out in turn."""
    address, alarmed, later = at(mosquitto), Alarmed(), Alarmed()
    with (
        capture_logs() as lines,
        running(subscriber(address, commune, alarmed)) as first,
        running(subscriber(address, commune, later, take_over=True)) as second,
    ):
        until(lambda: alarmed.alarms)
        until(lambda: not first.connected)
        threading.Event().wait(2.0)  # a second is the longest wait before a broker that was lost
        assert (first.counters.connects, second.counters.connects, second.connected) == (1, 1, True)

    ((kind, detail),) = alarmed.alarms
    assert kind is AlarmKind.SECOND_STATION
    assert "another client uses the id of this one" in detail
    assert detail.endswith("asked again in 30 s")
    warnings = {line["event"]: line for line in lines if line["log_level"] == "warning"}
    assert list(warnings) == ["takes_over", "connection_taken"]
    assert warnings["connection_taken"]["client_id"] == f"ngatu-subscriber.{commune}.{commune}"


def test_who_finds_a_station_there_stays_back_until_it_has_gone(address: Address, commune: str) -> None:
    """Promise 6: it gives no receipt, says nothing, and goes on by itself."""
    first, second = Notes(), Alarmed()
    with FakeBox(address, commune=commune) as box:
        with running(subscriber(address, commune, first)) as station:
            late = subscriber(address, commune, second, name=f"{commune[:20]}-b")
            thread = threading.Thread(target=late.run, daemon=True)
            thread.start()
            until(lambda: second.alarms)
            box.tell(an_event(1))
            until(lambda: box.receipted() == {1})
            assert box.station_online == [True]
            assert {receipt.station for receipt in box.receipts} == {commune}
            assert (station.counters.connects, late.counters.connects, second.kept) == (1, 0, [])
            assert f"station {commune}, session " in str(late.trouble)
        until(lambda: late.connected)
        until(lambda: box.station_online == [True, False, True])
        box.tell(an_event(2))
        until(lambda: box.receipted() == {1, 2})
        late.stop()
        thread.join(5)

    assert {kind for kind, _ in second.alarms} == {AlarmKind.SECOND_STATION}


def test_who_hears_that_another_has_begun_steps_back_without_a_word(address: Address, commune: str) -> None:
    """Promise 6: of two names there is one station, the one that said so last; its farewell calls the first."""
    first, second = Alarmed(), Notes()
    with FakeBox(address, commune=commune) as box, running(subscriber(address, commune, first)) as one:
        other = subscriber(address, commune, second, name=f"{commune[:20]}-b", take_over=True)
        with running(other):
            until(lambda: first.alarms)
            until(lambda: not one.connected)
            box.tell(an_event(1))
            until(lambda: box.receipted() == {1})
            assert {receipt.station for receipt in box.receipts} == {f"{commune[:20]}-b"}
            assert (box.station_online, first.kept) == ([True, True], [])
        until(lambda: box.station_online == [True, True, False, True])
        until(lambda: one.counters.connects == 2)  # the box may hear its word before it has counted


def test_a_farewell_that_is_another_s_does_not_switch_the_station_off(address: Address, commune: str) -> None:
    alarmed = Alarmed()
    with FakeBox(address, commune=commune) as box, running(subscriber(address, commune, alarmed)) as station:
        until(lambda: box.station_online == [True] and station.counters.ignored)
        farewell = codec.station_status("offline", "watch", "another", Instant(0.0, time.time()))
        box.beyond(f"ngatu/v1/{commune}/station/status", farewell)
        until(lambda: box.station_online == [True, False, True])
        assert station.connected

    assert [kind for kind, _ in alarmed.alarms] == [AlarmKind.SECOND_STATION]


@pytest.mark.broker
def test_of_two_that_begin_at_one_moment_one_is_the_station(mosquitto: Mosquitto, commune: str) -> None:
    """Promise 6: neither has found the other; both agree on which said so last."""
    stations = [
        subscriber(at(mosquitto), commune, Alarmed(), name=f"{commune[:20]}-{letter}", take_over=True)
        for letter in "ab"
    ]
    threads = [threading.Thread(target=station.run, daemon=True) for station in stations]
    for thread in threads:
        thread.start()
    until(lambda: sum(station.counters.connects for station in stations) == 2)
    until(lambda: sorted(station.connected for station in stations) == [False, True])
    until(lambda: sum("stays back" in str(station.trouble) for station in stations) == 1)
    with FakeBox(at(mosquitto), commune=commune) as box:
        box.tell(an_event(1))
        until(lambda: box.receipted() == {1})
        assert len({receipt.station for receipt in box.receipts}) == 1
    for station, thread in zip(stations, threads, strict=True):
        station.stop()
        thread.join(5)


def test_a_broker_that_comes_back_with_its_own_last_life_is_no_other_station(
    start_mosquitto: Callable[..., Mosquitto], commune: str, tmp_path: Path
) -> None:
    """What it had written down before its power was cut is older than this life of the station."""
    alarmed = Alarmed()
    mosquitto = start_mosquitto(
        "persistence true", f"persistence_location {tmp_path}/", "autosave_interval 1800"
    )
    with FakeBox(at(mosquitto), commune=commune) as box:
        status = codec.station_status("online", commune, "the-life-before", Instant(0.0, time.time() - 1))
        box.beyond(f"ngatu/v1/{commune}/station/status", status)
    mosquitto.signal(signal.SIGUSR1)  # it writes down what it keeps
    until((tmp_path / "mosquitto.db").exists)
    lives = Lives(tmp_path / "lives")
    lives.begin("the-life-before")
    with running(subscriber(at(mosquitto), commune, alarmed, lives=lives)) as station:
        mosquitto.kill()
        until(lambda: not station.connected)
        mosquitto.start()
        until(lambda: station.counters.connects == 2)
        with FakeBox(at(mosquitto), commune=commune) as box:
            box.tell(an_event(1))
            until(lambda: box.receipted() == {1})

    assert alarmed.alarms == []
