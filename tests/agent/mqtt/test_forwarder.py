"""agent.mqtt.forwarder"""

from __future__ import annotations

import hashlib
import json
import re
import signal
import socket
import time
from collections.abc import Callable

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from structlog.testing import capture_logs

from agent.core.types import Instant
from agent.mqtt import forwarder
from agent.mqtt.connection import Connection
from agent.mqtt.packets import InboundPacket
from agent.wire import codec as wire
from agent.wire.channels import MessageKind
from agent.wire.message import Message, Priority
from station.watch.embedded import Address
from tests.acceptance.faults.strict_broker import Publish, StrictBroker
from tests.support.brokers import Mosquitto, until
from tests.support.forwarders import CLOCK, Box, Notes, client, event, of_file, picture, station


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long each turn of a connection may wait, in seconds, as they come."""
    waits: list[float] = []
    turn = Connection.turn

    def noted(connection: Connection, timeout_s: float) -> list[InboundPacket]:
        waits.append(timeout_s)
        return turn(connection, timeout_s)

    monkeypatch.setattr(Connection, "turn", noted)
    return waits


def test_a_box_that_starts_again_sends_pictures_also_where_the_broker_does_not_say_who_is_there(
    port: int, open_box: Callable[..., Box]
) -> None:
    """Its session goes on, and some brokers tell such a session nothing of what they retain."""
    box, notes = open_box(port), Notes()
    with station(box, notes):
        until(lambda: box.forwarder.figures().station_online)
        box.restart_forwarder()
        of_event = box.outbox.put([event("first")])
        until(lambda: notes.seqs() == of_event)
        of_picture = box.outbox.put([picture("shown")])
        until(lambda: notes.seqs() == of_event + of_picture)
    until(lambda: not box.forwarder.figures().station_online, 10, "its own word counts for more")


# ------------------------------------------------------------------------------------------ what it is for


def test_events_and_pictures_reach_the_station_and_are_forgotten_on_its_receipt(
    port: int, open_box: Callable[..., Box]
) -> None:
    box, notes = open_box(port), Notes()
    with station(box, notes):
        seqs = box.outbox.put([event(n) for n in range(20)] + [picture(n) for n in range(5)])
        until(lambda: box.pending() == 0)
    assert sorted(notes.seqs()) == seqs
    figures = box.forwarder.figures()
    assert (figures.confirmed, figures.in_flight, figures.trouble) == (25, 0, None)
    assert figures.connected_s is not None
    assert box.beats > 0


def test_what_was_put_before_the_station_came_is_delivered_too(port: int, open_box: Callable[..., Box]) -> None:
    box, notes = open_box(port, receipt_timeout_s=1), Notes()
    seqs = box.outbox.put([event(n) for n in range(20)])
    until(lambda: box.forwarder.figures().connected_s is not None)
    with station(box, notes):
        until(lambda: box.pending() == 0)
    assert sorted(notes.seqs()) == seqs


def test_events_overtake_the_pictures_that_wait(port: int, open_box: Callable[..., Box]) -> None:
    box, notes = open_box(port), Notes()
    with station(box, notes):
        until(lambda: box.forwarder.figures().station_online)
        box.outbox.put([picture(n) for n in range(60)])
        box.outbox.put([event(n) for n in range(10)])
        until(lambda: box.pending() == 0)
    order = [arrival.seq for arrival in notes.arrivals if arrival.seq is not None]
    last_event = max(order.index(seq) for seq in range(61, 71))
    assert last_event < 40, "ten events waited for sixty pictures"


@pytest.mark.broker
def test_pictures_wait_until_the_station_is_there(mosquitto: Mosquitto, open_box: Callable[..., Box]) -> None:
    box, notes = open_box(mosquitto.port, receipt_timeout_s=1), Notes()
    with client(mosquitto.port, box.topics.below("#")) as (_, seen):
        until(lambda: box.forwarder.figures().connected_s is not None)
        box.outbox.put([picture(1), event(2)])
        until(lambda: any(message.topic.endswith("event") for message in seen))
        assert not any("image" in message.topic for message in seen)
        with station(box, notes):
            until(lambda: box.pending() == 0)
        assert any("image" in message.topic for message in seen)


@pytest.mark.broker
def test_messages_bear_their_properties_and_what_only_the_sending_knows(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box = open_box(mosquitto.port)
    with client(mosquitto.port, box.topics.below("camera/#")) as (_, seen):
        box.outbox.put([event("e-1")])
        until(lambda: seen)
    event_sent = json.loads(seen[0].payload)
    place = event_sent["id"], event_sent["seq"], event_sent["stream"], event_sent["replayed"]
    assert place == ("e-1", 1, box.outbox.stream, False)
    assert seen[0].properties is not None
    assert dict(seen[0].properties.UserProperty)["event_id"] == "e-1"
    assert seen[0].properties.ContentType == "application/json"


# ---------------------------------------------------------------------------------------- brokers that fail


@pytest.mark.long
@pytest.mark.broker
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_that_ends_in_mid_run_costs_nothing(
    mosquitto: Mosquitto, open_box: Callable[..., Box], end: str
) -> None:
    box, notes = open_box(mosquitto.port, receipt_timeout_s=1), Notes()
    with station(box, notes) as subscriber:
        box.outbox.put([event(n) for n in range(300)])
        until(lambda: len(notes.seqs()) > 20)
        getattr(mosquitto, end)()
        box.outbox.put([event(f"away-{n}") for n in range(20)])
        until(lambda: box.forwarder.figures().connected_s is None)
        mosquitto.start()
        until(lambda: box.pending() == 0 and subscriber.connected, 30)
    assert sorted(notes.seqs()) == list(range(1, 329)), "each exactly once in the store, and the seals"
    assert box.forwarder.figures().reconnects >= 1
    assert box.outbox.stats().quarantined == 0


@pytest.mark.broker
def test_a_box_whose_node_dies_goes_on_at_the_next_one_of_the_cluster(
    start_mosquitto: Callable[..., Mosquitto], open_box: Callable[..., Box]
) -> None:
    one, other = start_mosquitto(), start_mosquitto()
    box, notes = open_box(one.port, hosts=[f"127.0.0.1:{other.port}"], receipt_timeout_s=1), Notes()
    until(lambda: box.forwarder.figures().connected_s is not None)
    with station(box, notes, other.port):
        box.outbox.put([event(n) for n in range(20)])
        one.kill()
        until(lambda: box.pending() == 0, 30)
        other.kill()
        one.start()
        until(lambda: box.forwarder.figures().connected_s is not None, 30)
    assert sorted(notes.seqs())[:20] == list(range(1, 21))


@pytest.mark.broker
def test_a_station_that_cannot_commit_gets_it_all_again(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box, notes = open_box(mosquitto.port, receipt_timeout_s=1), Notes(failing=True)
    with station(box, notes):
        box.outbox.put([event(n) for n in range(30)])
        until(lambda: len(notes.refused) == 30)
        assert box.pending() == 30
        notes.failing = False
        until(lambda: box.pending() == 0)
    assert sorted(notes.seqs()) == list(range(1, 31))
    assert box.forwarder.figures().resent >= 30


@pytest.mark.broker
def test_an_oversize_message_is_set_aside_and_blocks_nobody(
    start_mosquitto: Callable[..., Mosquitto], open_box: Callable[..., Box]
) -> None:
    broker = start_mosquitto("max_packet_size 20000")
    box, notes = open_box(broker.port), Notes()
    with station(box, notes):
        box.outbox.put([event("large", size=30_000), *[event(n) for n in range(20)]])
        until(lambda: box.pending() == 0)
    assert sorted(notes.seqs()) == list(range(2, 22))
    assert box.outbox.stats().quarantined == 1
    assert box.forwarder.figures().reconnects == 0


@pytest.mark.long
@pytest.mark.broker
def test_a_message_that_the_broker_hangs_up_on_is_found_out_and_set_aside(
    start_mosquitto: Callable[..., Mosquitto], open_box: Callable[..., Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MQTT 3.1.1 tells nobody how large a packet may be; the broker just ends the connection."""
    monkeypatch.setattr("agent.mqtt.inflight.REFUSED_S", 0.2)
    broker = start_mosquitto("max_packet_size 20000")
    box, notes = open_box(broker.port, protocol="3.1.1"), Notes()
    with station(box, notes):
        box.outbox.put([event("large", size=30_000), *[event(n) for n in range(20)]])
        until(lambda: len(notes.seqs()) == 20)
        until(lambda: box.outbox.stats().quarantined == 1)
    assert sorted(notes.seqs()) == list(range(2, 22))
    assert box.pending() == 0


def test_an_old_broker_is_served_in_the_old_version(embedded: Address, open_box: Callable[..., Box]) -> None:
    box, notes = open_box(embedded.port_311), Notes()
    with station(box, notes, embedded.port):
        box.outbox.put([event(n) for n in range(5)] + [picture(n) for n in range(3)])
        until(lambda: box.pending() == 0)
    assert box.forwarder.figures().version == "3.1.1"
    assert len(notes.arrivals) >= 8


@pytest.mark.broker
def test_a_line_that_hangs_up_makes_no_old_broker_of_one_that_spoke_mqtt_5(
    start_mosquitto: Callable[..., Mosquitto], open_box: Callable[..., Box]
) -> None:
    broker = start_mosquitto()
    box = open_box(broker.port)
    until(lambda: box.forwarder.figures().version == "5")
    broker.kill()
    with socket.create_server(("127.0.0.1", broker.port)) as line:
        line.settimeout(20)
        line.accept()[0].close()
    reconnects = box.forwarder.figures().reconnects
    broker.start()
    until(lambda: box.forwarder.figures().reconnects > reconnects)
    assert box.forwarder.figures().version == "5"


def test_without_a_broker_it_keeps_trying_and_says_why(open_box: Callable[..., Box]) -> None:
    box = open_box(1)
    box.outbox.put([event(1)])
    until(lambda: "nothing listens" in (box.forwarder.figures().trouble or ""))
    beats = box.beats
    until(lambda: box.beats > beats + 2)
    assert box.pending() == 1


@pytest.mark.broker
def test_a_box_with_nothing_to_send_waits_long_and_still_sends_and_stops_at_once(
    mosquitto: Mosquitto, open_box: Callable[..., Box], waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarder, "QUIET_S", 19.0)
    box, notes = open_box(mosquitto.port), Notes()
    with station(box, notes):
        box.outbox.put([event("e1")])
        until(lambda: box.pending() == 0 and waits[-1] == 19.0)
        began = CLOCK.now()
        box.outbox.put([event("e2")])
        until(lambda: len(notes.seqs()) == 2)
        box.forwarder.keep("health", b"{}")
        until(lambda: box.forwarder.settled)
        until(lambda: box.pending() == 0 and waits[-1] == 19.0)
        assert box.forwarder.stop(5.0)
        assert CLOCK.now().since(began) < 15


@pytest.mark.long
def test_while_a_message_has_no_receipt_no_turn_is_long(
    mosquitto: Mosquitto, open_box: Callable[..., Box], waits: list[float]
) -> None:
    box = open_box(mosquitto.port)
    box.outbox.put([event("e1")])
    until(lambda: box.forwarder.figures().in_flight == 1)
    before = len(waits)
    until(lambda: len(waits) >= before + 3)
    assert max(waits[before:]) <= forwarder.TURN_S
    assert box.pending() == 1


def test_a_broker_that_hangs_does_not_hold_up_the_stop(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box = open_box(mosquitto.port)
    until(lambda: box.forwarder.figures().connected_s is not None)
    mosquitto.signal(signal.SIGSTOP)
    box.outbox.put([event(n) for n in range(1000)])
    until(lambda: box.forwarder.figures().in_flight >= 8)
    began = time.monotonic()
    assert box.forwarder.stop(10)
    assert time.monotonic() - began < 8
    mosquitto.signal(signal.SIGCONT)


def test_a_mistake_of_ours_does_not_silence_the_box(
    embedded: Address, open_box: Callable[..., Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, notes = open_box(embedded.port), Notes()
    real, failures = wire.hello, iter(range(2))

    def hello(*args: object) -> bytes:
        if next(failures, None) is not None:
            raise ZeroDivisionError
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(wire, "hello", hello)
    with station(box, notes):
        box.outbox.put([event(n) for n in range(10)])
        until(lambda: box.pending() == 0 and next(failures, None) is None)
        until(lambda: box.forwarder.figures().connected_s is not None)
    assert sorted(notes.seqs()) == list(range(1, 11))


def test_a_message_that_cannot_even_be_written_is_set_aside(
    embedded: Address, open_box: Callable[..., Box]
) -> None:
    box, notes = open_box(embedded.port), Notes()
    broken = Message("camera/+/event", b"{}", wire.JSON, Priority.EVENT, CLOCK.now())  # no topic may have a '+'
    with station(box, notes):
        box.outbox.put([event(0), broken, *[event(n) for n in range(10)]])
        until(lambda: box.pending() == 0)
    assert sorted(notes.seqs()) == [1, *range(3, 13)]
    assert box.outbox.stats().quarantined == 1


# ------------------------------------------------------------------------------------------ states and hello


@pytest.mark.broker
def test_states_are_retained_at_connect_on_change_and_at_the_end(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box = open_box(mosquitto.port)
    box.forwarder.keep("info", b'{"version":1}')
    box.forwarder.keep("camera/north/status", b'{"state":"streaming"}')

    def retained() -> dict[str, bytes]:
        with client(mosquitto.port, box.topics.below("#")) as (_, seen):
            until(lambda: len(seen) >= 3)
            return {message.topic: message.payload for message in seen if message.retain}

    until(lambda: box.forwarder.figures().connected_s is not None and box.forwarder.settled)
    first = retained()
    assert json.loads(first[box.topics.of(MessageKind.STATUS)])["state"] == "online"
    assert first[box.topics.of(MessageKind.INFO)] == b'{"version":1}'
    box.forwarder.keep("info", b'{"version":2}')
    until(lambda: retained()[box.topics.of(MessageKind.INFO)] == b'{"version":2}')
    mosquitto.kill()
    mosquitto.start()
    until(lambda: len(retained()) == 3)
    assert box.forwarder.stop()
    last = json.loads(retained()[box.topics.of(MessageKind.STATUS)])
    assert last["state"] == "stopped"
    assert last["session"] == json.loads(first[box.topics.of(MessageKind.STATUS)])["session"]


@pytest.mark.broker
def test_hello_is_said_at_each_connect_and_when_the_station_comes(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box, notes = open_box(mosquitto.port), Notes()
    box.outbox.put([event(n) for n in range(3)])
    with client(mosquitto.port, box.topics.of(MessageKind.HELLO)) as (_, seen):
        until(lambda: box.forwarder.figures().connected_s is not None)
        with station(box, notes):
            until(lambda: seen)
            until(lambda: box.pending() == 0)
        hello = json.loads(seen[-1].payload)
    assert hello["stream"] == box.outbox.stream
    assert hello["newest"] == 3


@pytest.mark.broker
def test_a_station_that_has_it_already_says_so_after_hello(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    """The receipts were lost, not the messages: nothing need be sent again."""
    box = open_box(mosquitto.port, receipt_timeout_s=600)
    with client(mosquitto.port, box.topics.below("camera/#")) as (_, seen):
        box.outbox.put([event(n) for n in range(10)])
        until(lambda: len(seen) == 10)
    assert box.pending() == 10
    with client(mosquitto.port) as (answering, _):
        answering.publish(
            box.topics.of(MessageKind.RECEIPT),
            wire.receipt("duty", box.outbox.stream, of_file(box, (1, 10)), CLOCK.now()),
            qos=1,
        )
        until(lambda: box.pending() == 0)
    assert box.forwarder.figures().resent == 0


@pytest.mark.broker
def test_who_loses_its_name_counts_it_and_comes_back_after_half_a_minute(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box = open_box(mosquitto.port)
    until(lambda: box.forwarder.figures().connected_s is not None)
    thief = paho.Client(CallbackAPIVersion.VERSION2, client_id=box.topics.device, protocol=paho.MQTTv5)
    with capture_logs() as lines:
        thief.connect("127.0.0.1", mosquitto.port)
        until(lambda: thief.loop(0.1) == paho.MQTT_ERR_SUCCESS and box.forwarder.figures().taken == 1)
        until(lambda: any(line["event"] == "broker_lost" for line in lines))
    thief.disconnect()
    (lost,) = [line for line in lines if line["event"] == "broker_lost"]
    assert re.search(r"it tries again at 20\d\d-\d\d-\d\dT[\d:]{8}Z, in \d\d s$", lost["hint"])
    assert box.forwarder.figures().connected_s is None


# -------------------------------------------------------------------------------------------------- commands


def test_an_old_message_is_marked_as_replayed(embedded: Address, open_box: Callable[..., Box]) -> None:
    box = open_box(embedded.port)
    now = CLOCK.now()
    old = event("old")
    with client(embedded.port, box.topics.below("camera/#")) as (_, seen):
        box.outbox.put(
            [Message(old.topic, old.body, wire.JSON, Priority.EVENT, Instant(now.mono_s - 90, now.wall_s - 90))]
        )
        until(lambda: seen)
    assert json.loads(seen[0].payload)["replayed"] is True


def test_a_suspect_whose_receipt_comes_before_the_broker_s_word_holds_nobody_up(
    open_box: Callable[..., Box],
) -> None:
    """It was in the air when the line broke, and had arrived: the answer to hello names it."""
    came: list[int] = []

    def answer(publish: Publish) -> int | None:
        if not publish.topic.endswith("/event"):
            return 0
        if broker.connects == 1:
            came.append(0)
            if len(came) == 3:
                broker.hang_up()
            return None
        seq, stream = (json.loads(publish.payload)[name] for name in ("seq", "stream"))
        came.append(seq)
        digest = hashlib.sha256(wire.body(publish.payload)).hexdigest()
        broker.say(box.topics.of(MessageKind.RECEIPT), wire.receipt("st", stream, [(seq, digest)], CLOCK.now()))
        return 0

    broker = StrictBroker(answer)
    try:
        box = open_box(broker.port)
        box.outbox.put([event(n) for n in range(20)])
        until(lambda: box.pending() == 0, 20, "everything goes out and is receipted")
    finally:
        broker.close()
    assert {*came} >= set(range(1, 21))
