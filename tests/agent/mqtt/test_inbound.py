"""agent.mqtt.inbound"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from agent.outbox import database
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire import codec as wire
from agent.wire.channels import MessageKind
from tests.support.brokers import Mosquitto, until
from tests.support.forwarders import CLOCK, Box, Notes, client, event, of_file, picture, station


@pytest.mark.broker
def test_with_confirm_broker_its_word_is_enough(mosquitto: Mosquitto, open_box: Callable[..., Box]) -> None:
    box = open_box(mosquitto.port, confirm="broker")
    with client(mosquitto.port, box.topics.below("#")) as (_, seen):
        box.outbox.put([picture(1), event(2)])
        until(lambda: box.pending() == 0)
        until(lambda: sum("camera" in message.topic for message in seen) == 2)


@pytest.mark.broker
def test_even_with_confirm_broker_what_nobody_gets_is_kept(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box = open_box(mosquitto.port, confirm="broker")
    box.outbox.put([event(1)])
    until(lambda: "nobody subscribes" in (box.forwarder.figures().trouble or ""))
    assert box.pending() == 1


@pytest.mark.broker
def test_a_refused_message_is_kept_and_the_trouble_is_told(
    start_mosquitto: Callable[..., Mosquitto],
    open_box: Callable[..., Box],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agent.mqtt.inflight.REFUSED_S", 0.2)
    acl = tmp_path / "acl"
    writable = ("status", "receipt", "hello")
    acl.write_text("topic read #\n" + "".join(f"topic write +/+/+/+/{each}\n" for each in writable))
    broker = start_mosquitto(f"acl_file {acl}")
    box, notes = open_box(broker.port), Notes()
    with station(box, notes):
        box.outbox.put([event(1)])
        until(lambda: "Not authorized" in (box.forwarder.figures().trouble or ""))
        assert box.pending() == 1
        acl.write_text("topic readwrite #\n")
        broker.signal(signal.SIGHUP)
        until(lambda: box.pending() == 0, 15)
    assert notes.seqs() == [1]


@pytest.mark.broker
def test_receipts_that_are_not_for_us_or_cannot_be_read_change_nothing(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box = open_box(mosquitto.port, receipt_timeout_s=600)
    with client(mosquitto.port, box.topics.below("camera/#")) as (plain, seen):
        box.outbox.put([event(n) for n in range(3)])
        until(lambda: len(seen) == 3)
        all_of_it = of_file(box, (1, 3))
        of_another = wire.receipt("duty", str(uuid4()), all_of_it, CLOCK.now())
        numbers = {**json.loads(of_another), "stream": box.outbox.stream, "proofs": []}
        for payload in (b"", b"{", b"\xff" * 100, of_another, json.dumps(numbers).encode()):
            plain.publish(box.topics.of(MessageKind.RECEIPT), payload, qos=1)
        plain.publish(box.topics.of(MessageKind.STATION_STATUS), b"what?", qos=1)
        plain.publish(
            box.topics.of(MessageKind.RECEIPT),
            wire.receipt("duty", box.outbox.stream, all_of_it[1:2], CLOCK.now()),
            qos=1,
        )
        until(lambda: box.pending() == 2)
    assert box.outbox.bounds() == (1, 3)


@pytest.mark.broker
def test_a_receipt_that_the_broker_kept_removes_nothing_and_is_told_once(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box = open_box(mosquitto.port, receipt_timeout_s=600)
    box.outbox.put([event(n) for n in range(3)])
    forged = wire.receipt("duty", box.outbox.stream, of_file(box, (1, 3)), CLOCK.now())
    with client(mosquitto.port) as (plain, _), capture_logs() as lines:
        assert box.forwarder.stop()
        plain.publish(box.topics.of(MessageKind.RECEIPT), forged, qos=1, retain=True).wait_for_publish(10)
        for _ in range(2):
            box.restart_forwarder()
            until(lambda: box.forwarder.figures().in_flight == 3)
            until(lambda: any(line["event"] == "receipt_retained" for line in lines))
        assert box.pending() == 3
        plain.publish(box.topics.of(MessageKind.RECEIPT), forged, qos=1)
        until(lambda: box.pending() == 0)


@pytest.mark.broker
def test_a_receipt_that_contradicts_itself_proves_nothing_and_is_told_once(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    """It once let one message go for its right proof, and forked the stream for the wrong one."""
    box = open_box(mosquitto.port, receipt_timeout_s=600)
    stream = box.outbox.stream
    with client(mosquitto.port, box.topics.below("camera/#")) as (plain, seen), capture_logs() as lines:
        box.outbox.put([event(n) for n in range(3)])
        until(lambda: len(seen) == 3)
        right = of_file(box, (1, 3))
        for proofs in ([*right, (2, "f" * 64)], [(2, "e" * 64), *right], right[:1]):
            receipt = wire.receipt("duty", stream, proofs, CLOCK.now())
            plain.publish(box.topics.of(MessageKind.RECEIPT), receipt, qos=1)
        until(lambda: box.pending() < 3)

    assert (box.pending(), box.outbox.stream) == (2, stream)
    assert [line["event"] for line in lines if "contradicts" in line["event"]] == ["receipt_contradicts_itself"]


@pytest.mark.broker
def test_what_the_station_has_otherwise_is_sent_again_under_a_new_stream(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box, notes = open_box(mosquitto.port, receipt_timeout_s=1), Notes()
    stream = box.outbox.stream
    with station(box, notes):
        box.outbox.put([event(n) for n in range(20)])
        until(lambda: box.pending() == 0)
        assert box.forwarder.stop()
        box.outbox.close()
        box.file.unlink()
        with closing(database.connect(box.file, CLOCK.now(), 0, None)) as db:  # as if put back
            db.execute("update life set stream = ?", (stream,))
        box.outbox = Outbox(box.file, OutboxSettings(ballast_bytes=0), CLOCK)
        box.outbox.put([event(f"other-{n}") for n in range(5)])
        box.restart_forwarder()
        others = [b'"other-%d"' % n for n in range(5)]
        until(lambda: all(any(other in each.raw for each in notes.arrivals) for other in others))
        until(lambda: box.pending() == 0)
    assert box.outbox.stream != stream


@pytest.mark.broker
def test_a_command_goes_to_its_handler_and_comes_again_until_that_has_acknowledged(
    mosquitto: Mosquitto, open_box: Callable[..., Box]
) -> None:
    box = open_box(mosquitto.port)
    heard: list[tuple[str, bytes, bool]] = []
    acks: list[Callable[[], None]] = []

    def on_command(topic: str, payload: bytes, retained: bool, ack: Callable[[], None]) -> None:
        heard.append((topic, payload, retained))
        acks.append(ack)

    box.on_command = on_command
    until(lambda: box.forwarder.figures().connected_s is not None)
    with client(mosquitto.port) as (plain, _), ExitStack() as stack:
        until(lambda: plain.publish(box.topics.below("command/ping"), b"1", qos=1) and heard)
        count = len(heard)
        assert heard[0] == (box.topics.below("command/ping"), b"1", False)
        assert box.forwarder.stop()
        stack.callback(box.close)
        box.forwarder = box.new_forwarder()
        box.forwarder.start()
        until(lambda: len(heard) >= 2 * count)
        for ack in acks:
            ack()


@pytest.mark.broker
def test_a_command_handler_that_raises_ends_nothing(mosquitto: Mosquitto, open_box: Callable[..., Box]) -> None:
    box = open_box(mosquitto.port)
    heard: list[bytes] = []

    def on_command(_topic: str, payload: bytes, _retained: bool, _ack: Callable[[], None]) -> None:
        heard.append(payload)
        raise ZeroDivisionError

    box.on_command = on_command
    with client(mosquitto.port) as (plain, _):
        until(lambda: plain.publish(box.topics.below("command/ping"), b"1", qos=1) and heard)
    assert box.forwarder.figures().reconnects == 0
