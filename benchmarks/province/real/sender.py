"""Sends a plan: `python -m benchmarks.province.real.sender PORT FILE FILTER`, in a process of its own.

Says `ready` and how long a message takes through the broker, waits for a line, sends each message when it is
due, and prints one line of JSON once all receipts have come, or LAST_S after the last message. It is all boxes.
"""

from __future__ import annotations

import json
import pickle
import socket
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.transport.burst_client import BurstClient
from agent.wire import codec
from agent.wire.payloads import ReceiptPayload
from benchmarks.province.traffic import Sending

LAST_S: Final = 60.0
LONGEST_LOOK_S: Final = 0.02
ECHOES: Final = 40
ECHO: Final = "echo/of/this/sender"
PLACE: Final = 4
"""Levels of a topic that say whose it is."""


class PlanSender:
    """One connection that sends for everybody."""

    def __init__(self, port: int, plan: list[Sending], heard: str) -> None:
        self.took_ms: list[float] = []
        """Of each that is timed, from its sending to its receipt."""
        self.late_ms: list[float] = []
        """How long after its moment each was sent."""
        self.ways: list[tuple[str, int, float, float]] = []
        """Whose and which message, sent when, and when its receipt came; by the clock that never steps."""
        self._plan = plan
        self._waiting: dict[tuple[str, int], tuple[float, bool]] = {}
        self._properties = [self._of(each) for each in plan]
        self._echoed = 0
        version, protocol = CallbackAPIVersion.VERSION2, MQTTProtocolVersion.MQTTv5
        self._client = BurstClient(version, client_id="plan-sender", protocol=protocol)
        self._client.max_inflight_messages_set(10_000)
        self._client.on_message = self._hear
        self._client.on_socket_open = _disable_nagle
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(heard, 1), (ECHO, 1)])
        self._turn_for(0.5)

    def hop_s(self) -> float:
        """From a publish through the broker to a message heard, the median of some."""
        took = []
        for number in range(ECHOES):
            began_s = time.monotonic()
            self._client.publish(ECHO, b"x" * 1_400, 1)
            while self._echoed <= number and time.monotonic() < began_s + LAST_S:
                self._client.loop(LONGEST_LOOK_S)
            took.append(time.monotonic() - began_s)
        return median(took)

    def run(self) -> float:
        """Send all of it; the seconds until the last receipt."""
        began_s, at = time.monotonic(), 0
        ends_s = began_s + self._plan[-1].due_s + LAST_S
        while (at < len(self._plan) or self._waiting) and (now_s := time.monotonic()) < ends_s:
            while at < len(self._plan) and began_s + self._plan[at].due_s <= now_s:
                self._send(at, began_s)
                at, now_s = at + 1, time.monotonic()
            rest_s = LONGEST_LOOK_S if at == len(self._plan) else began_s + self._plan[at].due_s - now_s
            self._client.loop(min(LONGEST_LOOK_S, max(0.0, rest_s)))
        return time.monotonic() - began_s

    def _turn_for(self, seconds: float) -> None:
        ends_s = time.monotonic() + seconds
        while (left_s := ends_s - time.monotonic()) > 0:
            self._client.loop(left_s)

    def _send(self, at: int, began_s: float) -> None:
        each, now_s = self._plan[at], time.monotonic()
        self.late_ms.append(1000 * (now_s - began_s - each.due_s))
        self._waiting[_place(each.topic), each.seq] = now_s, each.timed
        self._client.publish(each.topic, each.body, 1, False, self._properties[at])

    def _hear(self, _client: paho.Client, _data: object, packet: paho.MQTTMessage) -> None:
        if packet.topic == ECHO:
            self._echoed += 1
            return
        receipt = codec.parse(ReceiptPayload, bytes(packet.payload))
        place, now_s = _place(packet.topic), time.monotonic()
        for first, last in receipt.committed:
            for seq in range(first, last + 1):
                sent_s, timed = self._waiting.pop((place, seq), (None, False))
                if sent_s is None:
                    continue
                self.ways.append((place, seq, sent_s, now_s))
                if timed:
                    self.took_ms.append(1000 * (now_s - sent_s))

    @staticmethod
    def _of(each: Sending) -> Properties:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = list(each.user)
        return properties


def _disable_nagle(_client: paho.Client, _data: object, connection: Any) -> None:
    """As boxes and stations do: a small packet would wait for the answer to the one before."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _place(topic: str) -> str:
    return "/".join(topic.split("/", PLACE)[:PLACE])


def main(port: int, file: Path, heard: str) -> None:
    """Send, and say how it went."""
    sender = PlanSender(port, pickle.loads(file.read_bytes()), heard)
    print("ready", sender.hop_s(), flush=True)
    sys.stdin.readline()
    lasted_s = sender.run()
    said = {
        "sent": len(sender.late_ms), "ways": sender.ways, "lasted_s": lasted_s,
        "took_ms": sorted(sender.took_ms), "late_ms": sorted(sender.late_ms),
    }  # fmt: skip
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
