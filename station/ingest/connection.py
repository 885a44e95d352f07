"""One connection of a station to a broker: paho, and nothing kept."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from pydantic import Field

from agent.errors import BrokerRefused, BrokerUnreachable
from agent.settings.base import Name, Secret, Settings
from agent.wire.topics import ROOT

MQTT_5 = MQTTProtocolVersion.MQTTv5
MQTT_311 = MQTTProtocolVersion.MQTTv311

_KEEPALIVE_S = 20
_SESSION_S = 7 * 24 * 3600
_CONNECT_S = 10.0
_VERSION_REFUSED = {1, 132}
"""CONNACK codes: unacceptable protocol version (3.1.1), unsupported protocol version (5)."""


class SubscriberSettings(Settings):
    """Where the broker is, and whose messages to take."""

    host: str = Field("127.0.0.1", min_length=1, description="The broker's name or address.")
    port: int = Field(1883, ge=1, le=65535, description="The broker's port; 8883 is usual with TLS.")
    tls_ca: Path | None = Field(None, description="Certificate authority of the broker; turns TLS on.")
    tls_cert: Path | None = Field(None, description="The station's certificate, if the broker asks for one.")
    tls_key: Path | None = Field(None, description="The key of tls_cert.")
    username: str | None = Field(None, description="As the broker knows the station.")
    password: Secret | None = Field(None, description="Where the password lies.")
    root: str = Field(ROOT, description="First levels of all topics.")
    communes: tuple[Name, ...] = Field(
        (), description="Whose boxes; empty: all. One will guards the first only."
    )
    devices: tuple[Name, ...] = Field((), description="Which boxes; empty: all.")
    station: Name = Field("station", description="The station's name in its receipts.")
    client_id: str | None = Field(None, description="MQTT client id; without it ngatu- and the station's name.")
    receipts: bool = Field(True, description="Give receipts; off: look on while another station gives them.")


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says when the connection dies without a goodbye; retained."""

    topic: str
    payload: bytes


class HungUp(BrokerUnreachable):
    """Something listens but ends the connection unanswered: an old broker does so with MQTT 5."""


def connect(
    settings: SubscriberSettings,
    version: MQTTProtocolVersion,
    will: Will | None,
    on_message: Callable[[paho.Client, Any, paho.MQTTMessage], None],
) -> paho.Client:
    """A client whose connection the broker has accepted. The caller turns it with `loop`.

    It is a new client each time: an old one would resend at once all that it still held (paho issue 492).

    Raises:
        BrokerUnreachable: nothing answers; HungUp if something listened.
        BrokerRefused: wrong credentials, certificate or client id.
    """
    where = f"{settings.host}:{settings.port}"
    client, answer = _client(settings, version), _Answer()
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=True)
    client.on_connect = answer.hear
    client.on_message = on_message
    client.on_socket_open = _tune
    try:
        client.connect(settings.host, settings.port, **_options(settings, version))
        deadline_s = time.monotonic() + _CONNECT_S
        while answer.code is None and time.monotonic() < deadline_s:
            if client.loop(0.1) != paho.MQTT_ERR_SUCCESS:
                break
    except (OSError, ValueError) as error:
        raise BrokerUnreachable(f"{where}: {error}", "is the broker running, and reachable?") from error
    if answer.code is None or answer.code in _VERSION_REFUSED:
        raise HungUp(f"{where} hung up before it answered", "is it an MQTT broker?")
    if answer.code:
        hint = "check user name, password and certificate"
        raise BrokerRefused(f"{where} refused the station: {answer.text}", hint)
    return client


@dataclass
class _Answer:
    """The broker's answer to a connection, once it has come."""

    code: int | None = None
    text: str = ""

    def hear(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self.code, self.text = int(code.value), str(code)


def _client(settings: SubscriberSettings, version: MQTTProtocolVersion) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id or f"ngatu-{settings.station}",
        clean_session=None if version == MQTT_5 else not settings.receipts,
        protocol=version,
    )
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password.read() if settings.password else None)
    if settings.tls_ca is not None:
        context = ssl.create_default_context(cafile=str(settings.tls_ca))
        if settings.tls_cert is not None:
            context.load_cert_chain(settings.tls_cert, settings.tls_key)
        client.tls_set_context(context)
    return client


def _options(settings: SubscriberSettings, version: MQTTProtocolVersion) -> dict[str, Any]:
    """With receipts the broker keeps the session for a week; who only looks on leaves no trace."""
    if version != MQTT_5:
        return {"keepalive": _KEEPALIVE_S}
    if not settings.receipts:
        return {"keepalive": _KEEPALIVE_S, "clean_start": True}
    kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    kept.SessionExpiryInterval = _SESSION_S
    return {"keepalive": _KEEPALIVE_S, "clean_start": False, "properties": kept}


def _tune(_client: Any, _data: Any, connection: Any) -> None:
    """Notice a cut cable after 11 s (39 s without, measured); let no receipt wait for another packet's ACK."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
