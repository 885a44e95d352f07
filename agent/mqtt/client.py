"""A paho client set up as delivery needs it; its callbacks only note down what they heard."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, cast

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties

from agent.mqtt.packets import InboundPacket, InboundPublish, Puback, Suback
from agent.mqtt.settings import BrokerSettings
from agent.transport import client as transport
from agent.transport.client import Will
from agent.transport.settings import Version

RECEIVE_MAXIMUM: Final = 20
MAX_PACKET_BYTES: Final = 68 * 1024
"""A receipt may have 64 KiB; nothing larger is meant for a box."""


@dataclass
class ClientState:
    """What paho's callbacks leave behind; they do nothing else."""

    connack: tuple[int, bool, Properties | None] | None = None
    error: BaseException | None = None
    """The last one that paho only logs."""
    lost: tuple[bool, int] | None = None
    """(the broker said so, code)."""
    packets: deque[InboundPacket] = field(default_factory=deque)


class _ErrorCatcher(logging.Logger):
    """Catches the exceptions that paho mentions in its log and nowhere else."""

    def __init__(self, state: ClientState) -> None:
        super().__init__(__name__)
        self._state = state

    def log(self, level: int, msg: object, *args: object, **_: object) -> None:
        if level >= logging.ERROR:
            self._state.error = next((arg for arg in args if isinstance(arg, BaseException)), self._state.error)


def new_client(
    settings: BrokerSettings,
    client_id: str,
    will: Will,
    version: Version,
    state: ClientState,
    fresh: bool = False,
) -> paho.Client:
    """A client that has never connected; a `fresh` one does not go on with a session of the broker's.

    Raises:
        BrokerRefused: a certificate, key or password cannot be read.
    """
    client = transport.new_client(settings, client_id, version, will, keep_session=not fresh, manual_ack=True)
    client.connect_timeout = settings.connect_timeout_s
    client.max_inflight_messages_set(0)  # our own window is smaller, and paho's would hold messages back unseen
    client.enable_logger(cast(logging.Logger, _ErrorCatcher(state)))
    _listen(client, state)
    return client


def _listen(client: paho.Client, state: ClientState) -> None:
    """Callbacks only note down: one that raised would break paho's state."""

    def on_connect(_c: Any, _u: Any, flags: Any, code: Any, properties: Any) -> None:
        state.connack = (int(code.value), bool(flags.session_present), properties)

    def on_disconnect(_c: Any, _u: Any, flags: Any, code: Any, _p: Any) -> None:
        if state.lost is None:
            state.lost = (bool(flags.is_disconnect_packet_from_server), int(code.value))

    def on_publish(_c: Any, _u: Any, mid: int, code: Any, _p: Any) -> None:
        state.packets.append(Puback(mid, int(code.value), str(code)))

    def on_subscribe(_c: Any, _u: Any, _mid: int, codes: Any, _p: Any) -> None:
        state.packets.append(Suback(tuple(int(code.value) for code in codes)))

    def on_message(_c: Any, _u: Any, message: Any) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        state.packets.append(
            InboundPublish(topic, bytes(message.payload), bool(message.retain), message.mid, message.qos)
        )

    client.on_connect = on_connect
    client.on_disconnect = on_disconnect
    client.on_publish = on_publish
    client.on_subscribe = on_subscribe
    client.on_message = on_message


def connect_options(settings: BrokerSettings, version: Version, fresh: bool = False) -> dict[str, Any]:
    """The arguments of paho's connect. Without a session that is kept, commands would be lost."""
    options = transport.connect_options(version, settings.keepalive_s, fresh=fresh)
    if version == "5":
        options["properties"].ReceiveMaximum = RECEIVE_MAXIMUM
        options["properties"].MaximumPacketSize = MAX_PACKET_BYTES
    return options
