"""agent.transport.burst_client"""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from agent.transport.burst_client import READ_BYTES, BurstClient, read_publish
from tests.support.brokers import Mosquitto, until

TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\ufeff"), max_size=300)
USER = st.lists(st.tuples(TEXTS, TEXTS), max_size=6)


def publish(topic: str, payload: bytes, properties: Properties | None, mid: int = 7) -> bytes:
    """As a broker sends it."""
    head = struct.pack("!H", len(topic.encode())) + topic.encode() + struct.pack("!H", mid)
    return head + (b"" if properties is None else properties.pack()) + payload


@given(USER, st.binary(max_size=2_000), st.booleans(), st.booleans())
def test_a_packet_is_read_as_paho_reads_it(
    user: list[tuple[str, str]], payload: bytes, expires: bool, typed: bool
) -> None:
    properties = Properties(PacketTypes.PUBLISH)
    if user:
        properties.UserProperty = user
    if expires:
        properties.MessageExpiryInterval = 600
        properties.PayloadFormatIndicator = 1
        properties.TopicAlias = 3
    if typed:
        properties.ContentType = "image/jpeg"
        properties.ResponseTopic = "elsewhere"
        properties.CorrelationData = b"\0\1"

    read = read_publish(publish("a/b", payload, properties), with_properties=True)

    theirs, _ = Properties(PacketTypes.PUBLISH).unpack(properties.pack())
    assert read is not None
    assert (read.topic, read.mid, read.payload) == (b"a/b", 7, payload)
    assert read.properties is not None
    assert read.properties.UserProperty == getattr(theirs, "UserProperty", [])


def test_a_packet_of_mqtt_3_has_no_properties() -> None:
    read = read_publish(publish("a/b", b"\x26payload", None), with_properties=False)

    assert read is not None
    assert (read.topic, read.payload, read.properties) == (b"a/b", b"\x26payload", None)


@given(st.binary(max_size=60))
def test_no_rubbish_raises_anything(packet: bytes) -> None:
    read_publish(packet, with_properties=True)
    read_publish(packet, with_properties=False)


def test_what_is_unusual_is_left_to_paho() -> None:
    whole = Properties(PacketTypes.PUBLISH)
    whole.UserProperty = [("name", "value")]
    packet = publish("a/b", b"payload", whole)
    for odd in (
        publish("", b"payload", whole),
        publish("a/b", b"payload", whole, mid=0),
        packet.replace(b"name", b"na\0e"),
        packet.replace(b"name", b"na\xff\xfe"),
        packet.replace(b"\x26", b"\x27"),
        packet[: packet.index(b"value")],
        b"",
    ):
        assert read_publish(odd, with_properties=True) is None


@pytest.fixture(params=[MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
def client(request: pytest.FixtureRequest, mosquitto: Mosquitto) -> Iterator[BurstClient]:
    """Connected and subscribed to all."""
    made = BurstClient(CallbackAPIVersion.VERSION2, client_id="burst", protocol=request.param)
    ready: list[object] = []
    made.on_subscribe = lambda *words: ready.append(words)
    made.connect("127.0.0.1", mosquitto.port)
    made.subscribe("#", 1)
    until(lambda: made.loop(0.05) or ready)
    yield made
    made.disconnect()


def sent(port: int, payloads: list[bytes], user: list[tuple[str, str]]) -> None:
    """By a client of paho's own."""
    other = paho.Client(CallbackAPIVersion.VERSION2, client_id="other", protocol=MQTTProtocolVersion.MQTTv5)
    other.connect("127.0.0.1", port)
    other.loop_start()
    properties = Properties(PacketTypes.PUBLISH)
    properties.UserProperty = user
    for payload in payloads:
        other.publish("some/where", payload, 1, False, properties).wait_for_publish(10)
    other.disconnect()
    other.loop_stop()


def test_all_comes_once_whole_and_in_order_however_large(client: BurstClient, mosquitto: Mosquitto) -> None:
    payloads = [b"%d" % number + b"x" * (number * 3_001) for number in range(60)]
    assert max(map(len, payloads)) > 2 * READ_BYTES
    heard: list[tuple[str, bytes, object]] = []
    client.on_message = lambda _client, _data, packet: heard.append(
        (packet.topic, bytes(packet.payload), getattr(packet.properties, "UserProperty", None))
    )

    sent(mosquitto.port, payloads, [("seq", "1"), ("tên", "giá trị")])
    until(lambda: client.loop(0.05) or client.loop_read() or len(heard) >= 60)

    assert [payload for _, payload, _ in heard] == payloads
    assert {topic for topic, *_ in heard} == {"some/where"}
    is_5 = client.protocol == MQTTProtocolVersion.MQTTv5
    assert all(user == ([("seq", "1"), ("tên", "giá trị")] if is_5 else None) for *_, user in heard)


def lived(port: int, heard: list[bytes], payloads: list[bytes]) -> None:
    """One life of a session that the broker keeps, in which so many come."""
    client = BurstClient(
        CallbackAPIVersion.VERSION2, client_id="b", clean_session=False, protocol=MQTTProtocolVersion.MQTTv311
    )
    ready: list[object] = []
    client.on_message = lambda _client, _data, packet: heard.append(bytes(packet.payload))
    client.on_subscribe = lambda *words: ready.append(words)
    client.connect("127.0.0.1", port)
    client.subscribe("#", 1)
    until(lambda: client.loop(0.05) or ready)
    sent(port, payloads, [])
    until(lambda: client.loop_read() or len(heard) >= len(payloads))
    assert client.acknowledge() == paho.MQTT_ERR_SUCCESS
    assert client.acknowledge() == paho.MQTT_ERR_SUCCESS
    for _ in range(10):
        client.loop(0.02)
    client.disconnect()


def test_what_was_received_is_acknowledged_together_and_not_sent_again(mosquitto: Mosquitto) -> None:
    """The broker would send it once more to a session that comes back."""
    payloads = [b"%d" % number for number in range(19)]
    heard: list[bytes] = []

    lived(mosquitto.port, heard, payloads)
    lived(mosquitto.port, heard, [])

    assert heard == payloads


def test_a_connection_that_the_broker_closes_is_lost(client: BurstClient, mosquitto: Mosquitto) -> None:
    mosquitto.stop()

    until(lambda: client.loop(0.05) != paho.MQTT_ERR_SUCCESS)


@contextmanager
def by_hand() -> Iterator[tuple[BurstClient, socket.socket]]:
    """A client, and the other end of its connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = BurstClient(CallbackAPIVersion.VERSION2, client_id="b", protocol=MQTTProtocolVersion.MQTTv5)
        client.connect("127.0.0.1", server.getsockname()[1])
        broker, _ = server.accept()
        with broker:
            broker.sendall(b"\x20\x03\x00\x00\x00")  # CONNACK
            until(lambda: client.loop(0.05) or client.is_connected())
            yield client, broker


def test_a_broken_packet_ends_the_connection_as_with_paho() -> None:
    """Properties longer than their packet, which no broker sends: paho judges it."""
    with by_hand() as (client, broker):
        body = struct.pack("!H", 3) + b"a/b" + struct.pack("!H", 9) + b"\x7f\x26\x00\x04na"
        broker.sendall(bytes((0x32, len(body))) + body)
        until(lambda: client.loop(0.05) != paho.MQTT_ERR_SUCCESS)


@pytest.mark.parametrize("size", [0, 100, 20_000, 200_000, 400_000])
def test_of_a_packet_that_comes_in_parts_its_end_is_waited_for(size: int) -> None:
    payload = random.Random(size).randbytes(size)
    body = publish("a/b", payload, Properties(PacketTypes.PUBLISH))
    packet = b"\x32" + VariableByteIntegers.encode(len(body)) + body
    ends = [1, 2, 3, 9, 9, *range(9 + size // 5, len(packet), max(1, size // 5)), len(packet)]
    heard: list[bytes] = []
    with by_hand() as (client, broker):
        client.on_message = lambda _client, _data, message: heard.append(bytes(message.payload))
        for begin, end in pairwise([0, *ends]):
            broker.sendall(packet[begin:end])
            assert client.loop(0.01) == paho.MQTT_ERR_SUCCESS
            assert client.loop_read() == paho.MQTT_ERR_SUCCESS
        until(lambda: client.loop(0.05) or heard)
        assert client.acknowledge() == paho.MQTT_ERR_SUCCESS
        broker.sendall(packet)
        until(lambda: client.loop(0.05) or len(heard) == 2)

    assert heard == [payload, payload]


def test_a_connection_that_ends_within_a_packet_is_lost() -> None:
    with by_hand() as (client, broker):
        broker.sendall(b"\x32\x40\x00\x03a/b")
        assert client.loop(0.05) == paho.MQTT_ERR_SUCCESS
        broker.shutdown(socket.SHUT_WR)
        until(lambda: client.loop(0.05) != paho.MQTT_ERR_SUCCESS)


def test_a_length_without_an_end_is_a_broken_packet() -> None:
    with by_hand() as (client, broker):
        broker.sendall(b"\x32\xff\xff\xff\xff\xff\x01")
        until(lambda: client.loop(0.05) != paho.MQTT_ERR_SUCCESS)


def test_it_hears_all_topics_in_one_way() -> None:
    made = BurstClient(CallbackAPIVersion.VERSION2, client_id="burst")

    with pytest.raises(NotImplementedError):
        made.message_callback_add("some/#", lambda *_: None)
