"""The boxes of `benchmarks intake`: `… .intake_sender PORT RATE SECONDS BOXES FIRST`, in a process of its own.

Each event is one JSON and one thumbnail, as the agent makes them. With RATE 0 as many as are receipted,
and at most IN_FLIGHT wait. Prints one JSON line: how many were sent and receipted, in how many seconds, and how
long receipts took.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from hashlib import sha256
from random import Random
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.core.types import Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Message, Priority, Stored
from agent.wire.payloads import ReceiptPayload, rfc3339
from agent.wire.topics import Topics
from tests.support.fake_box import an_event

COMMUNE = "hai-ninh"
STREAM = "s-1"
THUMBNAIL_BYTES = 12_000
"""A road user at 320 pixels, as the agent encodes it."""
IN_FLIGHT = 400
_ALERT_EACH = 20
"""As in the filled store."""
STEP_S = 0.01
LAST_S = 30.0


class SendingBoxes:
    """All boxes over one connection; each has a stream of its own."""

    def __init__(self, port: int, boxes: int, first: int) -> None:
        self.sent = 0
        self.took_ms: list[float] = []
        """From sending an event's JSON to its receipt."""
        self._first = first
        self._seqs = [2 * first] * boxes
        self._topics = [Topics(COMMUNE, f"box-{number:03}") for number in range(boxes)]
        senders = [Sender(COMMUNE, topics.device, "north", "b-1", "yolox", "a" * 64) for topics in self._topics]
        self._bodies = [
            next(each.body for each in event_messages(an_event(0), sender) if b'"kind"' in each.body)
            for sender in senders
        ]
        picture = Random(1).randbytes(THUMBNAIL_BYTES).replace(b"\xff", b"\x00")
        whole = next(
            each.body for each in event_messages(an_event(0, picture=True), senders[0]) if each.body[:1] != b"{"
        )
        self._picture = whole[:-2] + picture, whole[-2:]
        self._waiting: dict[tuple[str, int], float] = {}
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(10_000)
        self._client.on_message = self._hear
        self._client.on_socket_open = _disable_nagle
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("ngatu/v1/+/+/receipt", 1)
        self._turn(0.5)

    def run(self, rate: float, seconds: float) -> float:
        """Send for so long, then wait for the last receipts; the seconds until then."""
        began_s = time.monotonic()
        while (passed_s := time.monotonic() - began_s) < seconds:
            due = passed_s * rate if rate else self.sent + IN_FLIGHT - len(self._waiting)
            while self.sent < due:
                self._send()
            self._turn(STEP_S)
        while self._waiting and time.monotonic() - began_s < seconds + LAST_S:
            self._turn(STEP_S)
        return time.monotonic() - began_s

    @property
    def receipted(self) -> int:
        """Events."""
        return len(self.took_ms)

    def _turn(self, seconds: float) -> None:
        ends_s = time.monotonic() + seconds
        while (left_s := ends_s - time.monotonic()) > 0:
            self._client.loop(left_s)

    def _send(self) -> None:
        number, box = self._first + self.sent, self.sent % len(self._topics)
        self.sent += 1
        event_id = f"e-{number:012d}"
        head, tail = self._picture
        data = head + event_id.encode() + tail
        body = json.loads(self._bodies[box])
        body |= {"id": event_id, "severity": "info" if number % _ALERT_EACH else "alert"}
        body["clock"] |= {"state": "ntp"}
        body["image"] = {
            "topic": f"camera/north/image/{event_id}/thumbnail", "sha256": sha256(data).hexdigest(),
            "width_px": 64, "height_px": 48, "bytes": len(data),
        }  # fmt: skip
        at = Instant(time.monotonic(), time.time())
        body["time"] = body["start_time"] = rfc3339(codec.moment(at))
        raw = json.dumps(body, separators=(",", ":")).encode()
        self._publish(box, "camera/north/event", raw, codec.JSON, event_id, at)
        self._publish(box, body["image"]["topic"], data, "image/jpeg", event_id, at)

    def _publish(self, box: int, suffix: str, raw: bytes, kind: str, event_id: str, at: Instant) -> None:
        self._seqs[box] += 1
        message = Message(suffix, raw, kind, Priority.EVENT, at, event_id)
        stored = Stored(self._seqs[box], message, sha256(raw).hexdigest(), at)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = list(codec.properties(stored, STREAM).items())
        if kind == codec.JSON:
            self._waiting[self._topics[box].device, stored.seq] = time.monotonic()
        topic = self._topics[box].below(suffix)
        self._client.publish(topic, codec.finish(stored, STREAM, at), 1, False, properties)

    def _hear(self, _client: object, _data: object, packet: paho.MQTTMessage) -> None:
        device = packet.topic.split("/")[3]
        receipt = codec.parse(ReceiptPayload, bytes(packet.payload))
        now_s = time.monotonic()
        for first, last in receipt.committed:
            for seq in range(first, last + 1):
                since_s = self._waiting.pop((device, seq), None)
                if since_s is not None:
                    self.took_ms.append(1000 * (now_s - since_s))


def _disable_nagle(_client: object, _data: object, connection: Any) -> None:
    """As boxes do: a small packet would wait for the answer to the one before."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main(port: int, rate: float, seconds: float, boxes: int, first: int) -> None:
    """Send, and say how it went."""
    sending = SendingBoxes(port, boxes, first)
    lasted_s = sending.run(rate, seconds)
    took_ms = sorted(sending.took_ms) or [0.0]
    said = {
        "sent": sending.sent, "receipted": sending.receipted, "lasted_s": lasted_s,
        "p50_ms": took_ms[len(took_ms) // 2], "p95_ms": took_ms[int(0.95 * len(took_ms))],
    }  # fmt: skip
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
