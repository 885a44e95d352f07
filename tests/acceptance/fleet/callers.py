"""Who calls at the doors of a broker: one client with one pair, which notes what it hears and how it fares."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.acceptance.fleet.doors import Pair
from tests.support.brokers import until

FIVE, OLDER = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
PROTOCOLS = (FIVE, OLDER)
Heard = tuple[str, str, bool]
"""Topic, payload, and whether it was retained."""


class Caller:
    """One connection; it never comes back by itself."""

    def __init__(
        self, where: tuple[str, int], ca: Path, pair: Pair, client_id: str | None = None, *,
        protocol: MQTTProtocolVersion = FIVE, user: str | None = None, will: tuple[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        """`client_id` and `user` are what it claims to be; `will` is a topic and a payload, to be retained."""
        five = protocol == FIVE
        name = pair.name if client_id is None else client_id
        self.name, self.where = pair.name, where
        self.heard: list[Heard] = []
        self.ends: list[str] = []
        """Why the connection ended, each time that one did."""
        self.answer: str | None = None
        """What the broker said to CONNECT."""
        self.published = self.acked = 0
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol,
            clean_session=None if five else True, reconnect_on_failure=False,
        )  # fmt: skip
        self.client.tls_set_context(context or pair.context(ca))
        self.client.connect_timeout = 20.0
        self.client.max_queued_messages_set(0)
        if user is not None:
            self.client.username_pw_set(user, "guessed")
        if will is not None:
            self.client.will_set(*will, qos=1, retain=True)
        self.client.on_connect = self._connected
        self.client.on_disconnect = self._ended
        self.client.on_message = self._hear
        self.client.on_publish = self._acked
        self.client.on_subscribe = self._subscribed
        self._subscriptions = 0
        self._leaving = False
        self.on_heard: Callable[[Heard], None] = lambda _heard: None

    def __enter__(self) -> Self:
        self.call()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def call(self, within_s: float = 20) -> None:
        """Connect; AssertionError unless the broker lets it in."""
        self.client.connect(*self.where, keepalive=60)
        self.client.loop_start()
        until(lambda: self.answer is not None or self.ends, within_s, f"{self.name} is answered")
        assert self.answer == "Success", f"{self.name} was not let in: {self.answer} {self.ends}"

    def leave(self) -> None:
        """Say goodbye."""
        self._leaving = True
        self.client.disconnect()
        self.client.loop_stop()

    def die(self, within_s: float = 20) -> bool:
        """Connect, and drop the line at once, so that the will is told; whether it was let in."""
        try:
            self.client.connect(*self.where, keepalive=60)
        except OSError:
            return False
        deadline = time.monotonic() + within_s
        while self.answer is None and not self.ends and time.monotonic() < deadline:
            self.client.loop(0.05)
        line = self.client.socket()
        if line is not None:
            line.close()
        return self.answer == "Success"

    def subscribe(self, filters: Sequence[str], within_s: float = 30) -> None:
        """Ask for all of them, and wait for the answers, whatever they are."""
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        for at in range(0, len(filters), 50):
            some = filters[at : at + 50]
            self._subscriptions = 0
            if self.client.protocol == FIVE:
                self.client.subscribe([(each, options) for each in some])
            else:
                self.client.subscribe([(each, 1) for each in some])
            until(lambda: self._subscriptions or self.ends, within_s, "SUBACK")

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> paho.MQTTMessageInfo:
        """At QoS 1; whether it was taken is for others to see."""
        self.published += 1
        return self.client.publish(topic, payload, qos=1, retain=retain)

    def publish_all(
        self, messages: Sequence[tuple[str, str]], *, retain: bool = False, within_s: float = 60
    ) -> None:
        """Publish many, and wait for the answers, whatever they are."""
        wanted = self.acked + len(messages)
        for topic, payload in messages:
            self.publish(topic, payload, retain=retain)
        until(lambda: self.acked >= wanted or self.ends, within_s, f"{self.name}: PUBACK of {len(messages)}")

    def wait_for(self, payload: str, within_s: float = 30) -> None:
        """Until it has heard this."""
        until(lambda: any(each[1] == payload for each in self.heard), within_s, f"{self.name} hears {payload}")

    def _connected(self, _client: object, _data: object, _flags: object, code: Any, _more: object) -> None:
        self.answer = str(code)

    def _ended(self, _client: object, _data: object, _flags: object, code: Any, _more: object) -> None:
        if not self._leaving:
            self.ends.append(str(code))

    def _acked(self, *_: object) -> None:
        self.acked += 1

    def _subscribed(self, *_: object) -> None:
        self._subscriptions += 1

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        heard = message.topic, message.payload.decode(errors="replace"), message.retain
        self.heard.append(heard)
        self.on_heard(heard)


def let_in(where: tuple[str, int], ca: Path, pair: Pair, source: str = "") -> bool:
    """Whether a door opens for a pair, without a word of MQTT: nobody's connection is taken.

    By TLS 1.2, in which the client learns that before it has sent anything. OSError: nobody listens.
    """
    with socket.create_connection(where, 5, (source, 0)) as line:
        try:
            with pair.context(ca, ssl.TLSVersion.TLSv1_2).wrap_socket(line, server_hostname=where[0]):
                return True
        except ssl.SSLError as error:
            assert "alert" in str(error).lower(), f"not the broker's word: {error}"
            return False


class Persistent:
    """A client that comes back at once whenever its line ends, publishes all the time, and counts its lines."""

    def __init__(self, make: Callable[[], Caller], topic: str, every_s: float = 0.1) -> None:
        self.make, self.topic, self.every_s = make, topic, every_s
        self.lines = 0
        """Connections that the broker let in."""
        self.refused: list[float] = []
        """When it was refused, by the steady clock."""
        self.ended: list[float] = []
        """When a connection ended that stood."""
        self.why = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def start(self) -> Persistent:
        """Back once it is connected."""
        self._thread.start()
        until(lambda: self.lines or self.refused, 30, f"a line of {self.topic}")
        return self

    def stop(self) -> None:
        """For good."""
        self._stop.set()
        self._thread.join(20)

    def _live(self) -> None:
        while not self._stop.is_set():
            caller = self.make()
            try:
                caller.call()
            except (OSError, AssertionError) as why:
                self.why = str(why)
                caller.leave()
                self.refused.append(time.monotonic())
                self._stop.wait(0.2)
                continue
            self.lines += 1
            while not caller.ends and not self._stop.wait(self.every_s):
                caller.publish(self.topic, f"{time.monotonic()}")
            if caller.ends:
                self.why = caller.ends[-1]
                self.ended.append(time.monotonic())
            caller.leave()
