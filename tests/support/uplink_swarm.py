"""Many uplinks from one program: real MQTT sessions that send envelopes of made-up alerts and hear receipts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.transport.client import connect
from agent.transport.settings import EndpointSettings
from agent.wire import codec
from agent.wire.payloads import ReceiptPayload
from station.uplink.envelope import Envelope, UpItem, pack
from station.uplink.settings import UP_ROOT
from tests.support.provinces_up import NOW_MS, an_alert


class SwarmUplink:
    """One commune's session."""

    def __init__(self, port: int, commune: str) -> None:
        self.commune, self.seq = commune, 0
        self.receipted: dict[int, float] = {}
        """Number -> when its receipt came, by the clock that never steps."""
        self.sent: dict[int, float] = {}
        self._client = connect(EndpointSettings(port=port), commune, on_message=self._hear)
        self._client.subscribe(f"{UP_ROOT}/s01/{commune}/receipt", 1)

    def send(self, number: int) -> None:
        """One alert in an envelope of its own."""
        self.seq += 1
        item: UpItem = an_alert(number, commune=self.commune)
        data = pack(Envelope(self.commune, NOW_MS, (item,)))
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = [("stream", f"u-{self.commune}"), ("seq", str(self.seq))]
        self.sent[self.seq] = time.monotonic()
        self._client.publish(f"{UP_ROOT}/s01/{self.commune}/envelope", data, 1, False, properties)

    def turn(self) -> None:
        """Read and write what is there."""
        self._client.loop(0.0)

    def close(self) -> None:
        self._client.disconnect()

    def _hear(self, _client: paho.Client, _data: object, packet: paho.MQTTMessage) -> None:
        receipt = codec.parse(ReceiptPayload, bytes(packet.payload))
        now_s = time.monotonic()
        for first, last in receipt.committed:
            self.receipted |= {seq: now_s for seq in range(first, last + 1) if seq not in self.receipted}


@contextmanager
def swarm(port: int, number: int) -> Iterator[list[SwarmUplink]]:
    """So many of them."""
    uplinks = [SwarmUplink(port, f"xa-{index:03d}") for index in range(number)]
    try:
        yield uplinks
    finally:
        for each in uplinks:
            each.close()
