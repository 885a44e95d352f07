"""agent.mqtt.packets"""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import paho.mqtt.client as paho
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from agent.mqtt.packets import Puback, packet_bytes, publish_properties


def test_only_success_is_taken_and_nobody_there_is_no_refusal() -> None:
    success, nobody, refused = (Puback(1, code, "") for code in (0x00, 0x10, 0x87))

    assert (success.taken, success.no_subscribers) == (True, False)
    assert (nobody.taken, nobody.no_subscribers) == (False, True)
    assert (refused.taken, refused.no_subscribers) == (False, False)


def test_a_publish_bears_only_the_properties_that_it_was_given() -> None:
    assert publish_properties(None, None, {}).json() == {}
    assert publish_properties("image/jpeg", 60, {"seq": "1"}).json() == {
        "ContentType": "image/jpeg",
        "MessageExpiryInterval": 60,
        "UserProperty": [("seq", "1")],
    }


@given(
    topic=st.text(st.characters(codec="utf-8", exclude_characters="+#\0"), min_size=1, max_size=60),
    size=st.sampled_from([0, 1, 100, 110, 120, 16_250, 16_300, 16_380, 70_000]),
    user=st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_the_computed_size_is_what_goes_over_the_wire(topic: str, size: int, user: dict[str, str]) -> None:
    properties = publish_properties("image/jpeg", 60, user)
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as reader:
        client.connect("127.0.0.1", server.getsockname()[1])
        far, _ = server.accept()
        with far, far.makefile("rb") as stream:
            far.recv(1000)  # CONNECT
            rest = reader.submit(stream.read)
            client.publish(topic, bytes(size), qos=1, properties=properties)
            while client.want_write():
                client.loop_write()
            near = client.socket()
            assert near is not None
            near.close()
            assert len(rest.result(10)) == packet_bytes(topic, bytes(size), properties)
