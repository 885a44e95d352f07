"""paho's client for whoever receives much: it reads what has come at once, and acknowledges it together.

paho asks the system three times and more for each packet, copies a packet once for each of its properties, and
sends each acknowledgement by itself: for a station half of what a message cost (measured, 2.2.0). Only those
steps of paho are replaced here; whatever is unusual is left to paho, which then judges it as ever.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import MessageState, MQTTErrorCode, MQTTProtocolVersion

READ_BYTES: Final = 65_536
_WHOLE_BYTES: Final = 4 * READ_BYTES
"""Of a packet that is gathered before it is read; a longer one paho reads as it comes."""
_FIXED_HEADER_BYTES: Final = 5
"""At most: the kind of packet, and its length in up to four bytes (MQTT 5, 2.1.1)."""
_QOS_1: Final = 0x02
_QOS: Final = 0x06
_RETAIN: Final = 0x01
_DUP: Final = 0x08
_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_USER_PROPERTY: Final = 0x26
_SIZES: Final = {0x01: 1, 0x02: 4, 0x23: 2}
"""Properties of a PUBLISH with a fixed length (MQTT 5, 3.3.2.3): format, expiry, alias."""
_TEXTS: Final = {0x03, 0x08, 0x09}
"""With a length of two bytes before them: content type, response topic, correlation data."""


@dataclass(slots=True)
class GivenProperties:
    """What of a message's properties is read: those that its sender made up, in their order."""

    UserProperty: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ReadPublish:
    """A PUBLISH of quality 1, taken apart."""

    topic: bytes
    mid: int
    properties: GivenProperties | None
    payload: bytes


def read_publish(packet: bytes | bytearray | memoryview, *, with_properties: bool) -> ReadPublish | None:
    """What stands behind the fixed header; None: something is unusual, and paho is to judge it."""
    view = memoryview(packet)
    try:
        at = 2 + int.from_bytes(view[:2], "big")
        topic, mid, at = bytes(view[2:at]), int.from_bytes(view[at : at + 2], "big"), at + 2
        if not topic or not mid or at > len(view):
            return None
        if not with_properties:
            return ReadPublish(topic, mid, None, bytes(view[at:]))
        length, at = _number(view, at)
        end = at + length
        given = None if end > len(view) else _properties(bytes(view[at:end]))
        return None if given is None else ReadPublish(topic, mid, given, bytes(view[end:]))
    except (IndexError, UnicodeDecodeError):
        return None


def _properties(section: bytes) -> GivenProperties | None:
    """Those that the sender made up; None: there is one that no PUBLISH has, or one is cut short."""
    at, end = 0, len(section)
    pairs: list[tuple[str, str]] = []
    while at < end:
        kind = section[at]
        if kind == _USER_PROPERTY:
            name_end = at + 3 + (section[at + 1] << 8 | section[at + 2])
            value_at = name_end + 2
            after = value_at + (section[name_end] << 8 | section[name_end + 1])
            pairs.append((_text(section[at + 3 : name_end]), _text(section[value_at:after])))
            at = after
        elif kind in _SIZES:
            at += 1 + _SIZES[kind]
        elif kind in _TEXTS:
            at += 3 + (section[at + 1] << 8 | section[at + 2])
        else:
            return None
    return GivenProperties(pairs) if at == end else None


def _number(view: memoryview, at: int) -> tuple[int, int]:
    """A variable byte integer (1.5.5), and where the next thing begins."""
    number = shift = 0
    while shift < 28:
        byte = view[at]
        number, at = number | (byte & 0x7F) << shift, at + 1
        if byte < 0x80:
            return number, at
        shift += 7
    raise IndexError


def _text(data: bytes) -> str:
    """A text; with what MQTT forbids in one it is unusual."""
    text = data.decode()
    if "\0" in text or "\ufeff" in text:
        raise IndexError
    return text


class _HeardMessage(paho.MQTTMessage):
    """Without `info`, which is for who publishes: each has a lock."""

    __slots__ = ()

    def __init__(self, mid: int, topic: bytes) -> None:
        self.mid, self._topic, self.state = mid, topic, MessageState.MQTT_MS_INVALID


class BurstClient(paho.Client):
    """For one connection, turned with `loop` and `loop_read`, and `acknowledge` after them.

    What was received is acknowledged by `acknowledge` and by each `loop`, not before.
    """

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self._received, self._at = b"", 0
        self._lacks_more = False
        """Of the packet that comes next only its beginning has come."""
        self._acknowledgements = bytearray()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """All that was received with the packet, for the system tells nobody of it again."""
        self._lacks_more = False
        rc = super().loop_read(max_packets)
        while rc == MQTTErrorCode.MQTT_ERR_SUCCESS and self._at < len(self._received) and not self._lacks_more:
            rc = super().loop_read(max_packets)
        return rc

    def loop_misc(self) -> MQTTErrorCode:
        """What is due at each turn."""
        rc = self.acknowledge()
        return super().loop_misc() if rc == MQTTErrorCode.MQTT_ERR_SUCCESS else rc

    def acknowledge(self) -> MQTTErrorCode:
        """Send what acknowledges all that was received."""
        if not self._acknowledgements:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        packets, self._acknowledgements = bytes(self._acknowledgements), bytearray()
        return self._packet_queue(_PUBACK, packets, 0, 1)

    def message_callback_add(self, sub: str, callback: Any) -> None:
        """There are none here: to look for those of a topic costs every message."""
        raise NotImplementedError("this client has one on_message for all topics")

    def _packet_read(self) -> MQTTErrorCode:
        """A usual PUBLISH is taken as a whole, once it is here; of any other paho reads byte by byte."""
        if self._in_packet["command"] != 0 or self._manual_ack:
            return super()._packet_read()
        try:
            body = self._next_publish()
        except BlockingIOError:
            self._lacks_more = True
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError:  # paho will meet with the same, and says what it comes to
            body = None
        if body is None:
            return super()._packet_read()
        header, begin, end = body
        is_5 = self._protocol == MQTTProtocolVersion.MQTTv5
        read = read_publish(memoryview(self._received)[begin:end], with_properties=is_5)
        if read is None:
            return super()._packet_read()
        self._at = end
        self._hear(header, read)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _next_publish(self) -> tuple[int, int, int] | None:
        """Fixed header, begin and end of the PUBLISH of quality 1 that comes next; None: paho is to read it.

        Raises:
            BlockingIOError: only its beginning has come.
            OSError: the connection is lost.
        """
        while True:
            data, at = self._received, self._at
            have = len(data) - at
            if have and data[at] & ~(_RETAIN | _DUP) != _PUBLISH | _QOS_1:
                return None
            try:
                length, begin = _number(memoryview(data), at + 1)
            except IndexError:
                if have >= _FIXED_HEADER_BYTES:
                    return None
            else:
                if begin + length <= len(data):
                    return data[at], begin, begin + length
                if length > _WHOLE_BYTES:
                    return None
            if not self._receive_more():
                return None

    def _receive_more(self) -> bool:
        """Whether the other side has not hung up."""
        more = super()._sock_recv(READ_BYTES)
        self._received, self._at = self._received[self._at :] + more, 0
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        return bool(more)

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._at >= len(self._received):
            self._received, self._at = super()._sock_recv(READ_BYTES), 0
        data = self._received[self._at : self._at + bufsize]
        self._at += len(data)
        return data

    def _handle_publish(self) -> MQTTErrorCode:
        header = self._in_packet["command"]
        is_5 = self._protocol == MQTTProtocolVersion.MQTTv5
        read = None
        if header & _QOS == _QOS_1 and not self._manual_ack:
            read = read_publish(self._in_packet["packet"], with_properties=is_5)
        if read is None:
            return super()._handle_publish()
        self._hear(header, read)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _hear(self, header: int, read: ReadPublish) -> None:
        message = _HeardMessage(read.mid, read.topic)
        message.qos, message.payload, message.timestamp = 1, read.payload, time.monotonic()
        message.dup, message.retain = bool(header & _DUP), bool(header & _RETAIN)
        message.properties = read.properties  # type: ignore[assignment]
        on_message = self.on_message
        if on_message is not None:
            with self._in_callback_mutex:
                on_message(self, self._userdata, message)
        self._acknowledgements += bytes((_PUBACK, 2)) + read.mid.to_bytes(2, "big")
