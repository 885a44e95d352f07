"""station.ingest.subscriber"""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.core.types import Instant
from agent.errors import BrokerRefused, NgatuError
from agent.settings.base import Secret
from agent.wire import codec
from station.ingest.alarms import AlarmKind
from station.ingest.rivals import Lives
from station.ingest.subscriber import Handler, InboundMessage, MessageKind, Subscriber, SubscriberSettings
from station.watch.embedded import Address
from tests.support.brokers import Mosquitto, until
from tests.support.cable import Cable
from tests.support.fake_box import MQTT_311, FakeBox, an_event
from tests.support.logbook import Logbook


class Notes:
    """A handler that keeps in memory, and fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.kept: list[InboundMessage] = []
        self.failures = failures

    def commit(self, messages: Sequence[InboundMessage]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        self.kept.extend(messages)

    def of(self, kind: MessageKind) -> list[InboundMessage]:
        return [message for message in list(self.kept) if message.kind is kind]


@contextmanager
def running(subscriber: Subscriber) -> Iterator[Subscriber]:
    thread = threading.Thread(target=subscriber.run, daemon=True)
    thread.start()
    until(lambda: subscriber.connected)
    try:
        yield subscriber
    finally:
        subscriber.stop()
        thread.join(5)
        assert not thread.is_alive()


def at(broker: Mosquitto) -> Address:
    return Address("127.0.0.1", broker.port, broker.port)


def subscriber(
    address: Address,
    commune: str,
    handler: Handler,
    *,
    port: int | None = None,
    receipts: bool = True,
    name: str | None = None,
    **more: Any,
) -> Subscriber:
    settings = SubscriberSettings(
        host=address.host,
        port=port or address.port,
        communes=(commune,),
        station=name or commune,
        receipts=receipts,
    )
    return Subscriber(settings, handler, **more)


def test_an_event_and_its_picture_are_handed_over_and_receipted(address: Address, commune: str) -> None:
    notes = Notes()
    with running(subscriber(address, commune, notes)) as station, FakeBox(address, commune=commune) as box:
        box.tell(an_event(1, picture=True))
        until(lambda: box.receipted() == {1, 2})

    (event,), (picture,) = notes.of(MessageKind.EVENT), notes.of(MessageKind.IMAGE)
    assert event.event is not None
    assert event.event.object is not None
    assert (event.event.object.label, event.event.object.riders) == ("motorcycle", 2)
    assert picture.event == event.event
    assert event.event.image is not None
    assert picture.image_sha256 == event.event.image.sha256
    assert station.counters.receipted == 2


def test_no_receipt_goes_out_before_the_commit_has_returned(address: Address, commune: str) -> None:
    """Promise 1."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Notes):
        def commit(self, messages: Sequence[InboundMessage]) -> None:
            begun.set()
            assert go_on.wait(10)
            super().commit(messages)

    with running(subscriber(address, commune, Slow())), FakeBox(address, commune=commune) as box:
        box.tell(an_event(1))
        assert begun.wait(10)
        box.hello()  # what the broker would answer by itself has come when this is acknowledged
        assert box.receipts == []
        go_on.set()
        until(lambda: box.receipted() == {1})


def test_a_commit_that_fails_is_not_receipted_and_the_box_sends_again(address: Address, commune: str) -> None:
    """Promise 1."""
    notes = Notes(failures=1)
    with running(subscriber(address, commune, notes)) as station, FakeBox(address, commune=commune) as box:
        (stored,) = box.tell(an_event(1))
        until(lambda: station.counters.failed_commits == 1)
        box.hello()
        until(lambda: box.receipts)
        assert box.receipted() == set()
        box.publish(stored)
        until(lambda: box.receipted() == {1})

    assert [message.event_id for message in notes.of(MessageKind.EVENT)] == ["e-1"]


def test_what_comes_again_is_receipted_again_but_handed_over_once(address: Address, commune: str) -> None:
    """Promise 2."""
    notes = Notes()
    with running(subscriber(address, commune, notes)) as station, FakeBox(address, commune=commune) as box:
        (stored,) = box.tell(an_event(1))
        until(lambda: len(box.receipts) == 1)
        box.publish(stored)
        until(lambda: len(box.receipts) == 2)
        assert station.counters.duplicates == 1

    assert len(notes.of(MessageKind.EVENT)) == 1


def test_what_came_again_may_be_compared_and_is_not_receipted_when_that_fails(
    address: Address, commune: str
) -> None:
    """Promise 2."""

    class Comparing(Notes):
        def __init__(self) -> None:
            super().__init__()
            self.copies: list[InboundMessage] = []
            self.full = True

        def compare(self, copies: Sequence[InboundMessage]) -> None:
            if self.full:
                raise OSError("disk full")
            self.copies.extend(copies)

    notes = Comparing()
    with running(subscriber(address, commune, notes)) as station, FakeBox(address, commune=commune) as box:
        (stored,) = box.tell(an_event(1))
        until(lambda: len(box.receipts) == 1)
        box.publish(stored)
        until(lambda: station.counters.failed_commits == 1)
        box.hello()
        until(lambda: len(box.receipts) == 2)  # to the hello
        notes.full = False
        box.publish(stored)
        until(lambda: len(box.receipts) == 3)

    assert [message.seq for message in notes.copies] == [1]
    assert len(notes.of(MessageKind.EVENT)) == 1


def test_a_trouble_of_the_handler_is_told_once_and_so_is_its_end(address: Address, commune: str) -> None:
    """Promise 5."""

    class Full(Notes):
        def commit(self, messages: Sequence[InboundMessage]) -> None:
            if self.failures:
                self.failures -= 1
                raise NgatuError("/x/station.db: the disk is full", "free some space")
            super().commit(messages)

    with (
        capture_logs() as lines,
        running(subscriber(address, commune, Full(failures=3))) as station,
        FakeBox(address, commune=commune) as box,
    ):
        (stored,) = box.tell(an_event(1))
        for times in (1, 2, 3):
            until(lambda times=times: station.counters.failed_commits == times)
            until(lambda: box.station_online[-1:] == [False])
            box.publish(stored)
        until(lambda: box.receipted() == {1})
        until(lambda: box.station_online[-1] is True)
        box.tell(an_event(2))
        until(lambda: box.receipted() == {1, 2})
        assert box.station_online == [True, False, True]

    logged = [line for line in lines if line["event"] in ("commit_failed", "commits_again")]
    assert [line["event"] for line in logged] == ["commit_failed", "commits_again"]
    assert (logged[0]["why"], logged[0]["hint"]) == ("/x/station.db: the disk is full", "free some space")


def test_a_handler_has_time_for_its_own_work(embedded: Address, commune: str) -> None:
    class Busy(Notes):
        attended = 0

        def attend(self) -> None:
            self.attended += 1

    notes = Busy()
    with running(subscriber(embedded, commune, notes)):
        until(lambda: notes.attended == 2)


def test_an_event_does_not_wait_for_its_picture(address: Address, commune: str) -> None:
    """Promise 3."""
    notes = Notes()
    with running(subscriber(address, commune, notes)), FakeBox(address, commune=commune) as box:
        box.tell(an_event(1))
        until(lambda: notes.of(MessageKind.EVENT), within_s=2.0)


def test_hello_is_answered_with_what_the_logbook_has_after_a_restart(
    address: Address, commune: str, tmp_path: Path
) -> None:
    class Kept:
        def __init__(self) -> None:
            self.book = Logbook(tmp_path / "book.sqlite")
            self.new: list[InboundMessage] = []

        def commit(self, messages: Sequence[InboundMessage]) -> None:
            self.new += self.book.commit(messages)

        def committed(self, commune: str, device: str, stream: str) -> list[tuple[int, int]]:
            return self.book.committed(commune, device, stream)

        def digests(
            self, commune: str, device: str, stream: str, first: int, last: int, limit: int
        ) -> list[tuple[int, str]]:
            return self.book.digests(commune, device, stream, first, last, limit)

    def once(job: Callable[[Kept], None]) -> None:
        """SQLite's connection belongs to the thread that runs the subscriber, so all of it happens there."""
        kept: list[Kept] = []
        station: list[Subscriber] = []

        def serve() -> None:
            kept.append(Kept())
            station.append(subscriber(address, commune, kept[0]))
            station[0].run()
            kept[0].book.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        until(lambda: station and station[0].connected)
        try:
            job(kept[0])
        finally:
            station[0].stop()
            thread.join(5)

    with FakeBox(address, commune=commune) as box:

        def first(_: Kept) -> None:
            for number in range(3):
                box.tell(an_event(number, picture=True))
            until(lambda: box.receipted() == {1, 2, 3, 4, 5, 6})

        once(first)
        box.receipts.clear()

        def second(kept: Kept) -> None:
            box.hello()
            until(lambda: box.receipted() == {1, 2, 3, 4, 5, 6})
            assert [message for message in kept.new if message.kind is MessageKind.EVENT] == []

        once(second)


def test_the_station_says_that_it_is_there_and_that_it_leaves(address: Address, commune: str) -> None:
    with FakeBox(address, commune=commune) as box:
        with running(subscriber(address, commune, Notes())):
            until(lambda: box.station_online == [True])
        until(lambda: box.station_online[-1:] == [False])


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


def test_a_damaged_message_is_handed_over_with_its_problem_and_receipted(
    address: Address, commune: str
) -> None:
    notes = Notes()
    with running(subscriber(address, commune, notes)) as station, FakeBox(address, commune=commune) as box:
        event, picture = box.put(an_event(1, picture=True))
        box.publish(event)
        box.publish(picture, promised="0" * 64)
        until(lambda: box.receipted() == {1, 2})
        assert station.counters.problems == 1

    (damaged,) = notes.of(MessageKind.IMAGE)
    assert damaged.problem
    assert damaged.image is None


def test_bytes_that_nobody_understands_do_not_stop_the_station(address: Address, commune: str) -> None:
    notes = Notes()
    with running(subscriber(address, commune, notes)) as station, FakeBox(address, commune=commune) as box:
        for suffix in ("camera/north/event", "camera/north/count/r-1", "status", "hello", "ack/c-1", "health"):
            box.raw(suffix, b"\x00\xff not json {")
        box.raw("camera/north/unheard-of", b"?")
        box.tell(an_event(1))
        until(lambda: box.receipted() == {1})
        assert station.counters.problems == 7


def test_status_health_and_camera_status_arrive_as_what_they_are(address: Address, commune: str) -> None:
    notes, now = Notes(), Instant(1.0, 1_772_449_447.0)
    with FakeBox(address, commune=commune) as box:
        box.raw("status", codec.status("online", "life-1", now), retain=True)
        with running(subscriber(address, commune, notes)):
            until(lambda: notes.of(MessageKind.STATUS))
            box.raw("health", b'{"schema":"1.0","time":"2026-03-02T11:04:07.412Z","cpu_pct":12.5}')
            box.raw(
                "camera/north/status", b'{"state":"lost","since":"2026-03-02T11:04:07.412Z","reason":"cut"}'
            )
            until(lambda: notes.of(MessageKind.CAMERA_STATUS))
        box.raw("status", b"", retain=True)

    assert notes.of(MessageKind.STATUS)[0].retained
    assert getattr(notes.of(MessageKind.HEALTH)[0].payload, "cpu_pct", None) == 12.5
    assert getattr(notes.of(MessageKind.CAMERA_STATUS)[0].payload, "state", None) == "lost"


def test_pictures_over_mqtt_3_are_receipted_by_their_hash(embedded: Address, commune: str) -> None:
    notes = Notes()
    with (
        running(subscriber(embedded, commune, notes, port=embedded.port_311)),  # refuses MQTT 5: the fallback
        FakeBox(embedded, version=MQTT_311, commune=commune) as box,
    ):
        event, picture = box.tell(an_event(1, picture=True))
        until(lambda: [one for receipt in box.receipts for one in receipt.images] == [picture.sha256])
        assert box.receipted() == {event.seq}

    assert notes.of(MessageKind.IMAGE)[0].event == notes.of(MessageKind.EVENT)[0].event


@pytest.mark.broker
def test_what_comes_while_the_station_is_away_arrives_when_it_is_back(
    mosquitto: Mosquitto, commune: str
) -> None:
    """Promise 4: the broker keeps the session."""
    before, after = Notes(), Notes()
    with FakeBox(at(mosquitto), commune=commune) as box:
        with running(subscriber(at(mosquitto), commune, before)):
            box.tell(an_event(1))
            until(lambda: box.receipted() == {1})
        box.tell(an_event(2))
        with running(subscriber(at(mosquitto), commune, after)):
            until(lambda: box.receipted() == {1, 2})

    assert [message.event_id for message in after.of(MessageKind.EVENT)] == ["e-2"]


@pytest.mark.broker
def test_a_broker_that_is_killed_and_comes_back_is_found_again(mosquitto: Mosquitto, commune: str) -> None:
    """Promise 4."""
    notes = Notes()
    with running(subscriber(at(mosquitto), commune, notes)) as station:
        mosquitto.kill()
        until(lambda: not station.connected and station.trouble)
        mosquitto.start()
        until(lambda: station.connected, within_s=20)
        with FakeBox(at(mosquitto), commune=commune) as box:
            box.tell(an_event(1))
            until(lambda: box.receipted() == {1})
        assert station.counters.connects == 2


def test_however_long_the_broker_was_away_it_is_asked_again_within_five_seconds(
    commune: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 4."""
    longest: list[float] = []

    def drawn(_least_s: float, most_s: float) -> float:
        longest.append(most_s)
        return 0.0

    monkeypatch.setattr("station.ingest.subscriber.random.uniform", drawn)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        station = subscriber(Address("127.0.0.1", free.getsockname()[1], 0), commune, Notes())
    thread = threading.Thread(target=station.run, daemon=True)
    thread.start()
    until(lambda: len(longest) >= 10)
    station.stop()
    thread.join(5)

    assert longest[0] == 1.0
    assert max(longest) == 5.0


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


@pytest.mark.broker
def test_a_station_that_leaves_just_when_its_connection_is_lost_leaves_all_the_same(
    mosquitto: Mosquitto, commune: str
) -> None:
    """Its goodbye cannot be sent any more, and that is no error: the broker tells the will."""
    cable = Cable("127.0.0.1", mosquitto.port)

    class Unlucky(Notes):
        def commit(self, messages: Sequence[InboundMessage]) -> None:
            cable.cut()
            station.stop()

    station = subscriber(at(mosquitto), commune, Unlucky(), port=cable.port)
    with FakeBox(at(mosquitto), commune=commune) as box, ThreadPoolExecutor(1) as thread:
        served = thread.submit(station.run)
        until(lambda: box.station_online == [True])
        box.tell(an_event(1))
        assert served.exception(10) is None
        assert not station.connected
        assert station.trouble is None, "it never looked for the broker again"
        until(lambda: box.station_online == [True, False])


@pytest.mark.broker
def test_wrong_credentials_at_the_start_are_told_and_not_tried_for_ever(
    start_mosquitto: Callable[..., Mosquitto], commune: str, tmp_path: Path
) -> None:
    users = tmp_path / "users"
    users.write_text("")
    broker = start_mosquitto("allow_anonymous false", f"password_file {users}")
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    settings = SubscriberSettings(
        port=broker.port, communes=(commune,), username="nobody", password=Secret(file=secret), receipts=True
    )

    with pytest.raises(BrokerRefused, match=r"does not (accept user name or password|let this client in)"):
        Subscriber(settings, Notes()).run(5)


def test_run_ends_in_time_when_no_broker_is_there(commune: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = Address("127.0.0.1", free.getsockname()[1], 0)
    station = subscriber(nobody, commune, Notes())

    station.run(0.5)

    assert not station.connected
    assert station.trouble is not None
    assert station.counters.connects == 0


def test_what_the_handler_has_enough_of_is_not_receipted_and_comes_again(
    address: Address, commune: str
) -> None:
    class Full(Notes):
        """Takes no pictures, and only the first event, until it has room again."""

        full = True

        def refuses(self, commune: str, device: str, kind: MessageKind, size_bytes: int) -> bool:
            return self.full and kind is MessageKind.IMAGE

        def admitted(self, messages: Sequence[InboundMessage]) -> Sequence[InboundMessage]:
            return [message for message in messages if not self.full or message.event_id in (None, "e-1")]

    notes = Full()
    with running(subscriber(address, commune, notes)) as station, FakeBox(address, commune=commune) as box:
        stored = [one for number in (1, 2) for one in box.tell(an_event(number, picture=True))]
        until(lambda: station.counters.refused == 3)
        until(lambda: box.receipted() == {1})
        notes.full = False
        for one in stored:
            box.publish(one)
        until(lambda: box.receipted() == {1, 2, 3, 4})

    assert [message.seq for message in notes.kept if message.seq is not None] == [1, 2, 3, 4]


def test_a_handler_that_cannot_say_what_it_has_room_for_is_one_that_fails(
    embedded: Address, commune: str
) -> None:
    class Broken(Notes):
        broken = True

        def refuses(self, commune: str, device: str, kind: MessageKind, size_bytes: int) -> bool:
            return False

        def admitted(self, messages: Sequence[InboundMessage]) -> Sequence[InboundMessage]:
            if self.broken:
                raise OSError("disk full")
            return messages

    notes = Broken()
    with running(subscriber(embedded, commune, notes)) as station, FakeBox(embedded, commune=commune) as box:
        (stored,) = box.tell(an_event(1))
        until(lambda: station.counters.failed_commits == 1)
        notes.broken = False
        box.publish(stored)
        until(lambda: box.receipted() == {1})


def test_a_box_that_floods_takes_no_turn_from_the_others(
    start_mosquitto: Callable[..., Mosquitto], commune: str
) -> None:
    """Promise 7: while the handler is busy a hundred messages of one box come, and then one of another."""
    begun, go_on = threading.Event(), threading.Event()

    class Busy(Notes):
        def commit(self, messages: Sequence[InboundMessage]) -> None:
            begun.set()
            assert go_on.wait(10)
            super().commit(messages)

    busy, address = Busy(), at(start_mosquitto("max_inflight_messages 500"))
    with (
        running(subscriber(address, commune, busy)),
        FakeBox(address, commune=commune, device="flood-01") as flood,
        FakeBox(address, commune=commune, device="other-01") as other,
    ):
        flood.tell(an_event(1))
        assert begun.wait(10)
        for number in range(2, 102):
            flood.tell(an_event(number))
        other.tell(an_event(1))
        go_on.set()
        until(lambda: len(flood.receipted()) == 101 and other.receipted() == {1})

    assert [message.device for message in busy.kept if message.seq][-1] == "flood-01"


class Alarmed(Notes):
    """Also keeps what it is told that is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.alarms: list[tuple[AlarmKind, str]] = []

    def raise_alarm(self, kind: AlarmKind, box: tuple[str, str] | None, detail: str, count: int = 1) -> None:
        self.alarms.append((kind, detail))

    def close_alarm(self, kind: AlarmKind, box: tuple[str, str] | None) -> None:
        raise AssertionError("nobody says that it is over")


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
        assert one.counters.connects == 2


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


def test_what_the_broker_has_kept_although_it_is_no_state_is_counted_and_receipted(
    address: Address, commune: str
) -> None:
    alarmed = Alarmed()
    with FakeBox(address, commune=commune) as box:
        stored = [message for number in range(3) for message in box.put(an_event(number))]
        for number, one in enumerate(stored):
            body = codec.finish(one, box.stream, Instant(0.0, time.time()))
            box.raw(f"camera/made-up-{number}/event", body, retain=True)
        box.raw("health", b'{"time":"2026-03-02T11:04:07Z"}', retain=True)
        with running(subscriber(address, commune, alarmed)):
            until(lambda: alarmed.alarms)
            until(lambda: box.receipted() == {1, 2, 3})

    detail = "3 messages on topics of which the broker must keep none came with the subscription"
    assert alarmed.alarms == [(AlarmKind.RETAINED_FLOOD, detail)]
