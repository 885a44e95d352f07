"""The broker as its role makes it, boxes in two communes, and who holds a certificate of theirs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho

from tests.acceptance.faults.suite import NotTried
from tests.support.brokers import until
from tests.support.role_broker import RoleBroker, missing, role_broker

COMMUNE, ROOT = "hai-ninh", "ngatu/v1"
HOSTILE, OTHER = "hai-ninh-01", "hai-ninh-02"
BOXES = {HOSTILE: COMMUNE, OTHER: COMMUNE, "hai-tay-01": "hai-tay"}
CAMERAS = {"ngatu_broker_cameras": {HOSTILE: ["north"], OTHER: ["fed", "road"], "hai-tay-01": ["north"]}}


class Line:
    """One MQTT connection with a pair; what became of it."""

    def __init__(
        self, broker: RoleBroker, stem: Path, client_id: str, *, port: int = 0,
        protocol: paho.MQTTProtocolVersion = paho.MQTTProtocolVersion.MQTTv5,
    ) -> None:  # fmt: skip
        self.answer, self.ended = "", 0.0
        self.codes: list[str] = []
        self.heard: list[str] = []
        self.kept: set[str] = set()
        self.subscribed: list[int] = []
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id, protocol=protocol, reconnect_on_failure=False
        )
        self.client.tls_set_context(broker.context(stem))
        self.client.max_inflight_messages_set(100)
        self.client.on_connect = lambda _c, _d, _f, code, _p: setattr(self, "answer", str(code))
        self.client.on_disconnect = lambda *_: setattr(self, "ended", time.monotonic())
        self.client.on_publish = lambda _c, _d, _mid, code, _p: self.codes.append(str(code))
        self.client.on_subscribe = lambda _c, _d, _mid, codes, _p: self.subscribed.extend(
            code.value for code in codes
        )
        self.client.on_message = self._hear
        self.client.connect("localhost", port or broker.port, keepalive=60)
        self.client.loop_start()
        until(lambda: self.answer or self.ended, 20, f"{client_id} is answered")

    @property
    def let_in(self) -> bool:
        """Whether the broker said yes."""
        return self.answer == "Success"

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1, never more than 100 without an answer."""
        sent = self.client.publish(topic, payload, qos=1, retain=retain)
        until(lambda: sent.mid - len(self.codes) < 100 or self.ended, 60, "the broker answers")

    def leave(self) -> None:
        """Say goodbye."""
        self.client.disconnect()
        self.client.loop_stop()

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.heard.append(message.topic)
        if message.retain and message.payload:
            self.kept.add(message.topic)


@contextmanager
def ready(folder: Path, **more: object) -> Iterator[RoleBroker]:
    """The broker runs; NotTried: it cannot."""
    if why := missing():
        raise NotTried(why)
    with role_broker(folder, BOXES, **CAMERAS, **more) as broker:
        yield broker
