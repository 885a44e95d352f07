"""A broker that is exact about packets and answers as it is told: MQTT 5 over TCP, one box at a time.

It announces Receive Maximum and Maximum Packet Size in CONNACK and notes each violation of them (MQTT 5.0,
sections 3.2.2.3.3 and 3.2.2.3.6). Each publish is answered by `answer(packet)`: a reason code, or None.
It is a judge of manners, so it shares no code with the box.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 14


@dataclass(frozen=True, slots=True)
class Publish:
    """One PUBLISH as it came."""

    topic: str
    number: int
    """Packet identifier; 0 for QoS 0."""
    payload: bytes
    duplicate: bool
    size: int
    """Of the whole packet, in bytes."""
    mono_s: float


@dataclass
class StrictBroker:
    """Listens on a free port until `close`."""

    answer: Callable[[Publish], int | None]
    receive_maximum: int = 65535
    maximum_packet_size: int = 0
    """0: none is announced."""
    violations: list[str] = field(default_factory=list)
    connects: int = 0
    largest: int = 0
    deepest: int = 0
    """Most publishes without an answer at one time."""

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: socket.socket | None = None
        self._lock = threading.Lock()
        self._in_flight: set[int] = set()
        self._announced = (self.receive_maximum, self.maximum_packet_size)
        threading.Thread(target=self._accept, daemon=True).start()

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish to the box, QoS 0."""
        name = topic.encode()
        self._send(PUBLISH << 4 | retain, struct.pack("!H", len(name)) + name + b"\0" + payload)

    def hang_up(self) -> None:
        """Close the connection without a word."""
        if self._open is not None:
            with suppress(OSError):
                self._open.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()
        self.hang_up()

    def acknowledge(self, number: int, reason: int = 0) -> None:
        """Answer a publish, now or later."""
        self._in_flight.discard(number)
        self._send(PUBACK << 4, struct.pack("!HBB", number, reason, 0))

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._open = near
                self._in_flight.clear()
                with suppress(OSError, ConnectionError):
                    self._serve(near)
                near.close()

    def _serve(self, near: socket.socket) -> None:
        while True:
            first = _exactly(near, 1)[0]
            length, head = 0, 1
            for shift in range(0, 28, 7):
                digit = _exactly(near, 1)[0]
                head += 1
                length |= (digit & 127) << shift
                if not digit & 128:
                    break
            body = _exactly(near, length)
            self._take(first, body, head + length)

    def _take(self, first: int, body: bytes, size: int) -> None:
        kind = first >> 4
        self.largest = max(self.largest, size if kind != CONNECT else 0)
        most, largest = self._announced
        if kind != CONNECT and largest and size > largest:
            self.violations.append(f"a packet of {size} bytes where {largest} are allowed")
        if kind == CONNECT:
            self.connects += 1
            self._announced = most, largest = self.receive_maximum, self.maximum_packet_size
            properties = struct.pack("!BH", 0x21, most) + (
                struct.pack("!BI", 0x27, largest) if largest else b""
            )
            self._send(CONNACK << 4, bytes((0, 0, len(properties))) + properties)
        elif kind == SUBSCRIBE:
            count = _filters(body)
            self._send(SUBACK << 4, body[:2] + b"\0" + b"\1" * count)
        elif kind == PINGREQ:
            self._send(13 << 4, b"")
        elif kind == PUBLISH:
            self._published(_publish(first, body, size))

    def _published(self, publish: Publish) -> None:
        if not publish.number:
            return
        self._in_flight.add(publish.number)
        self.deepest = max(self.deepest, len(self._in_flight))
        if len(self._in_flight) > self._announced[0]:
            self.violations.append(f"{len(self._in_flight)} in flight where {self._announced[0]} are allowed")
        reason = self.answer(publish)
        if reason is not None:
            self.acknowledge(publish.number, reason)

    def _send(self, first: int, body: bytes) -> None:
        length, digits = len(body), b""
        while True:
            length, digit = length >> 7, length & 127
            digits += bytes((digit | 128 if length else digit,))
            if not length:
                break
        with self._lock, suppress(OSError):
            if self._open is not None:
                self._open.sendall(bytes((first,)) + digits + body)


def _exactly(near: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = near.recv(count - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def _variable(body: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer, and where it ends (MQTT 5.0, section 1.5.5)."""
    value = shift = 0
    while True:
        value |= (body[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if not body[at - 1] & 128:
            return value, at


def _filters(body: bytes) -> int:
    length, at = _variable(body, 2)
    at, count = at + length, 0
    while at < len(body):
        (size,) = struct.unpack_from("!H", body, at)
        at, count = at + 2 + size + 1, count + 1
    return count


def _publish(first: int, body: bytes, size: int) -> Publish:
    (length,) = struct.unpack_from("!H", body)
    topic, at, number = body[2 : 2 + length].decode(), 2 + length, 0
    if first >> 1 & 3:
        (number,) = struct.unpack_from("!H", body, at)
        at += 2
    properties, at = _variable(body, at)
    return Publish(topic, number, body[at + properties :], bool(first >> 3 & 1), size, time.monotonic())
