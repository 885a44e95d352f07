"""station.ingest.subscriber"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.core.types import Instant
from agent.wire import codec
from station.ingest.alarms import AlarmKind
from station.ingest.subscriber import Handler, InboundMessage, MessageKind, Subscriber, SubscriberSettings
from station.watch.embedded import Address
from tests.support.brokers import Mosquitto, until
from tests.support.fake_box import FakeBox, an_event
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


def test_run_ends_in_time_when_no_broker_is_there(commune: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = Address("127.0.0.1", free.getsockname()[1], 0)
    station = subscriber(nobody, commune, Notes())

    station.run(0.5)

    assert not station.connected
    assert station.trouble is not None
    assert station.counters.connects == 0


class Alarmed(Notes):
    """Also keeps what it is told that is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.alarms: list[tuple[AlarmKind, str]] = []

    def raise_alarm(self, kind: AlarmKind, box: tuple[str, str] | None, detail: str, count: int = 1) -> None:
        self.alarms.append((kind, detail))

    def close_alarm(self, kind: AlarmKind, box: tuple[str, str] | None) -> None:
        raise AssertionError("nobody says that it is over")
