"""station.watch.embedded"""

from __future__ import annotations

import socket

import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from agent.errors import BrokerUnreachable
from station.watch.embedded import Address, embedded_broker
from tests.support.brokers import until
from tests.support.fake_box import MQTT_5, MQTT_311


@pytest.mark.parametrize("version", [MQTT_5, MQTT_311])
def test_a_picture_of_the_largest_size_passes_and_what_is_retained_is_kept(
    embedded: Address, commune: str, version: MQTTProtocolVersion
) -> None:
    topic, got = f"ngatu/v1/{commune}/north-01/x", []
    port = embedded.port if version == MQTT_5 else embedded.port_311
    clients = []
    for name in ("sender", "reader"):
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=commune + name, protocol=version)
        client.on_message = lambda _client, _data, message: got.append((message.retain, len(message.payload)))
        client.connect(embedded.host, port)
        client.loop_start()
        until(client.is_connected)
        clients.append(client)
    sender, reader = clients

    sender.publish(topic, b"x" * 256 * 1024, qos=1, retain=True).wait_for_publish(5)
    reader.subscribe(topic, 1)

    until(lambda: got)
    assert got[0] == (True, 256 * 1024)
    for client in clients:
        client.disconnect()
        client.loop_stop()


def test_it_listens_on_loopback_only(embedded: Address) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr.port in (embedded.port, embedded.port_311)
    }

    assert listening == {"127.0.0.1"}


def test_it_is_gone_when_the_block_is_left() -> None:
    with embedded_broker() as address:
        socket.create_connection((address.host, address.port), 1).close()

    with pytest.raises(OSError):
        socket.create_connection((address.host, address.port), 1)


def test_a_port_that_is_taken_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BrokerUnreachable, match=str(port)), embedded_broker(port):
            pass
