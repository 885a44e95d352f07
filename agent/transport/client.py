"""A paho client, set up for one connection: an old one would resend at once all that it still held.

Source: paho issue 492; docs/design/delivery.md has the other traps.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.errors import BrokerRefused, BrokerUnreachable
from agent.settings.access import unreadable
from agent.translatable import tr
from agent.transport import errors
from agent.transport.burst_client import BurstClient
from agent.transport.settings import EndpointSettings, Version

SESSION_S: Final = 7 * 24 * 3600
"""How long the broker keeps what comes for a client that is away."""
KEEPALIVE_S: Final = 20
CONNECT_S: Final = 10.0
UNREAD: Final = tr("broker: a certificate, key or password cannot be read:")

OnMessage = Callable[[paho.Client, Any, paho.MQTTMessage], None]


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says in our name when the connection dies without a goodbye; retained.

    At once, and not after a delay, as MQTT 5 could: mosquitto drops a delayed will where each of its listeners
    has settings of its own (2.0.21: whoever has gone has no listener whose rights could be asked).
    """

    topic: str
    payload: bytes


def new_client(
    endpoint: EndpointSettings,
    client_id: str,
    version: Version,
    will: Will | None,
    *,
    keep_session: bool = True,
    manual_ack: bool = False,
    burst: bool = False,
) -> paho.Client:
    """A client that has never connected, and never will again by itself; with `burst` one that receives much.

    Raises:
        BrokerRefused: a certificate, key or password cannot be read.
    """
    client = (BurstClient if burst else paho.Client)(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if version == "5" else not keep_session,
        protocol=MQTTProtocolVersion.MQTTv5 if version == "5" else MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=manual_ack,
    )
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=True)
    try:
        if endpoint.username is not None:
            client.username_pw_set(endpoint.username, endpoint.password.read() if endpoint.password else None)
        if endpoint.tls is not None:
            client.tls_set_context(endpoint.tls.context())
    except KeyError as error:
        raise BrokerRefused(
            tr("broker.password: {error}", error=error), tr("set the environment variable that it names")
        ) from error
    except OSError as error:
        raise _unreadable(endpoint, error) from error
    return client


def _unreadable(endpoint: EndpointSettings, error: OSError) -> BrokerRefused:
    """Which of the files it was: the TLS library does not say."""
    files = [endpoint.password.file] if endpoint.password else []
    files += [endpoint.tls.ca, endpoint.tls.cert, endpoint.tls.key] if endpoint.tls else []
    for file in filter(None, files):
        try:
            file.open("rb").close()
        except OSError as why:
            reason, hint = unreadable(file, why)
            return BrokerRefused(tr("{unread} {file}: {reason}", unread=UNREAD, file=file, reason=reason), hint)
    return BrokerRefused(
        tr("{unread} {error}", unread=UNREAD, error=error),
        tr("check broker.tls: is each file what its name says, and does the key belong to the certificate?"),
    )


def connect_options(
    version: Version, keepalive_s: int, *, keep_session: bool = True, fresh: bool = False
) -> dict[str, Any]:
    """The arguments of paho's connect.

    The broker keeps the session only with an expiry; without it we leave no trace there. `fresh` begins anew.
    """
    if version != "5":
        return {"keepalive": keepalive_s}
    if not keep_session:
        return {"keepalive": keepalive_s, "clean_start": True}
    kept = blank(PacketTypes.CONNECT)
    kept.SessionExpiryInterval = SESSION_S
    return {"keepalive": keepalive_s, "clean_start": fresh, "properties": kept}


def connect(
    endpoint: EndpointSettings,
    client_id: str,
    version: Version = "5",
    will: Will | None = None,
    *,
    keep_session: bool = False,
    on_message: OnMessage | None = None,
    burst: bool = False,
) -> paho.Client:
    """A client whose connection the broker has accepted, at the first of its addresses where it does.

    The caller turns it with `loop`; `burst` as above.

    Raises:
        BrokerUnreachable: nothing answers; HungUp if something listened: an old broker does so with MQTT 5.
        BrokerRefused: wrong credentials, certificate or client id; VersionRefused if only the version is wrong.
    """
    *first, last = (endpoint.at(turn) for turn in range(len(endpoint.addresses)))
    for node in first:
        with suppress(BrokerUnreachable, BrokerRefused):  # the last one's word is told
            return _connected(node, client_id, version, will, keep_session, on_message, burst)
    return _connected(last, client_id, version, will, keep_session, on_message, burst)


def _connected(
    endpoint: EndpointSettings,
    client_id: str,
    version: Version,
    will: Will | None,
    keep_session: bool,
    on_message: OnMessage | None,
    burst: bool,
) -> paho.Client:
    client = new_client(endpoint, client_id, version, will, keep_session=keep_session, burst=burst)
    codes: list[int] = []
    client.on_connect = lambda _client, _data, _flags, code, _properties: codes.append(int(code.value))
    client.on_message = on_message
    client.on_socket_open = _tune
    deadline_s = time.monotonic() + CONNECT_S
    try:
        options = connect_options(version, KEEPALIVE_S, keep_session=keep_session)
        client.connect(endpoint.host, endpoint.port, **options)
        while not codes and time.monotonic() < deadline_s:
            if client.loop(0.1) != paho.MQTT_ERR_SUCCESS:
                break
    except (OSError, ValueError) as error:
        raise errors.unreachable(error, endpoint.where) from error
    connection: Any = client.socket()
    if connection is not None and codes != [0]:
        connection.close()
    if not codes:
        hint = errors.hint_of_hang_up(endpoint.port, endpoint.tls is not None)
        if time.monotonic() >= deadline_s:
            raise errors.Silent(
                tr("broker {where} took the connection but never answered", where=endpoint.where), hint
            )
        raise errors.HungUp(tr("broker {where} hung up before it answered", where=endpoint.where), hint)
    if codes[0] != 0:
        raise errors.refused(codes[0], endpoint.where, endpoint.whom)
    return client


def blank(packet: int) -> Properties:
    """Properties of one kind of packet, none set."""
    return Properties(packet)  # type: ignore[no-untyped-call]


def _tune(_client: Any, _data: Any, connection: Any) -> None:
    """Notice a cut cable after 11 s (39 s without, measured); let no receipt wait for another packet's ACK."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
