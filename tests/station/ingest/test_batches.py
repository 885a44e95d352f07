"""station.ingest.batches"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import paho.mqtt.client as paho
import pytest

from agent.core.types import Instant
from agent.wire import codec
from station.ingest import batches
from station.ingest.alarms import AlarmKind
from station.ingest.handler_calls import HandlerCalls
from station.ingest.presence import Presence
from station.ingest.settings import SubscriberSettings
from station.ingest.subscriber import InboundMessage, MessageKind
from station.watch.embedded import Address
from tests.station.ingest.test_subscriber import Alarmed, Notes, at, running, subscriber
from tests.support.brokers import Mosquitto, until
from tests.support.fake_box import MQTT_311, FakeBox, an_event


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


def test_an_event_does_not_wait_for_its_picture(address: Address, commune: str) -> None:
    """Promise 3."""
    notes = Notes()
    with running(subscriber(address, commune, notes)), FakeBox(address, commune=commune) as box:
        box.tell(an_event(1))
        until(lambda: notes.of(MessageKind.EVENT), within_s=2.0)


def test_what_comes_is_gathered_for_a_moment_however_fast_the_handler_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A commit costs the disk nearly as much for one message as for ten."""
    now_s = [100.0]
    monkeypatch.setattr(batches, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    notes, settings = Notes(), SubscriberSettings(communes=("hai-ninh",))
    calls = HandlerCalls(notes)
    waiting = batches.Batches(settings, notes, calls, Presence(settings, calls, None, take_over=True))
    waiting.put(("hai-ninh", "north-01"), "health", paho.MQTTMessage(1, b"ngatu/v1/hai-ninh/north-01/health"))

    assert not waiting.ripe(quiet=True)
    now_s[0] = 100.019
    assert not waiting.ripe(quiet=True)
    now_s[0] = 100.021
    assert waiting.ripe(quiet=True)


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
