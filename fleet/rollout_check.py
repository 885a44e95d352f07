"""Does a box prove that it works? By its own retained words at the broker: status, info, health.

The judging is pure; `Listener` only fetches what the box has said.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.errors import BrokerRefused, BrokerUnreachable, NgatuError, WireError
from agent.wire import codec
from agent.wire.channels import CHANNEL, MessageKind
from agent.wire.payloads import HealthPayload, InfoPayload, StatusPayload
from agent.wire.topics import Topics

SEES: Final = "streaming"


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the boxes' words arrive."""

    host: str = "127.0.0.1"
    port: int = 8883
    ca: Path | None = None
    """Turns TLS on."""
    cert: Path | None = None
    key: Path | None = None
    root: str = "ngatu/v1"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be seen of a box before a release may stay."""

    version: str
    config_sha256: str | None = None
    """None: any configuration will do."""
    cameras: Sequence[str] | None = None
    """Those that must stream; None: all that it has."""


@dataclass(slots=True)
class ObservedBox:
    """What a box has said last."""

    status: StatusPayload | None = None
    info: InfoPayload | None = None
    health: HealthPayload | None = None
    wrong: dict[str, str] = field(default_factory=dict)
    """Payloads that nobody can read, by topic."""
    met: str | None = None
    """The session in which the box was met first: any other began after that."""

    def cameras(self) -> dict[str, str]:
        """State of each camera, as its health says."""
        return (
            {name: each.state or "unknown" for name, each in self.health.cameras.items()} if self.health else {}
        )


def missing(seen: ObservedBox, wanted: Wanted) -> list[str]:
    """What keeps the box from being taken as working, in words; nothing: it works."""
    told = [f"{topic}: {why}" for topic, why in seen.wrong.items()]
    if seen.status is None:
        return [*told, "it has never been at this broker"]
    if seen.status.state != "online":
        return [*told, f"it is {seen.status.state}"]
    if seen.info is None or seen.info.session != seen.status.session:
        return [*told, "it has not said yet what it is"]
    if (runs := seen.info.versions.get("ngatu")) != wanted.version:
        told.append(f"it runs {runs}, not {wanted.version}")
    if wanted.config_sha256 is not None and seen.info.config_sha256 != wanted.config_sha256:
        told.append("it runs with another configuration")
    if seen.health is None or seen.health.session != seen.status.session:
        return [*told, "it has not said yet how it is"]
    return told + _unwell(seen.health, wanted.cameras)


def gone_back(seen: ObservedBox, wanted: Wanted) -> bool:
    """Whether a life of the box that began meanwhile runs another release: waiting any longer is in vain."""
    if seen.status is None or seen.info is None or seen.met in (None, seen.status.session):
        return False
    ours = seen.status.state == "online" and seen.info.session == seen.status.session
    return ours and seen.info.versions.get("ngatu") != wanted.version


def _unwell(health: HealthPayload, wanted: Sequence[str] | None) -> list[str]:
    names = list(health.cameras) if wanted is None else list(wanted)
    told = [] if names else ["it has no camera"]
    for name in names:
        camera = health.cameras.get(name)
        if camera is None:
            told.append(f"camera {name}: it is not there")
        elif camera.state != SEES:
            told.append(f"camera {name}: {camera.state or 'not opened yet'}")
        elif not camera.fps_analysed:
            told.append(f"camera {name}: no picture has been looked at")
    words = ("config_refused", "storage_ram_only")
    told += [word for word in health.degraded if word in words]
    told += [word for word in health.degraded if word.startswith("detector_failed") and word[16:] in names]
    return told


class Listener:
    """What one box says, fetched from the broker; use as a context manager."""

    def __init__(self, broker: Broker, commune: str, device: str) -> None:
        self.seen = ObservedBox()
        self._broker = broker
        self._topics = Topics(commune, device, broker.root)
        self._refused = ""
        name = f"gate-{uuid4().hex[:12]}"
        self._client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = self._connected
        self._client.on_message = self._heard

    def __enter__(self) -> Listener:
        broker = self._broker
        try:
            if broker.ca is not None:
                context = ssl.create_default_context(cafile=str(broker.ca))
                if broker.cert is not None:
                    context.load_cert_chain(broker.cert, broker.key)
                self._client.tls_set_context(context)
            self._client.connect(broker.host, broker.port, keepalive=20)
        except OSError as error:  # ssl's errors are some of these
            raise BrokerUnreachable(
                f"{broker.host}:{broker.port}: {error.strerror or error}",
                "is the broker up, are the files right?",
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()

    def wait(self, enough: Callable[[ObservedBox], bool], within_s: float) -> bool:
        """Listen until it is enough; False when the time is over.

        Raises:
            BrokerRefused: it does not let us in.
        """
        deadline = time.monotonic() + within_s
        while not enough(self.seen):
            if time.monotonic() > deadline:
                return False
            if self._client.loop(0.2) != 0 and not self._refused:
                time.sleep(0.5)
                self._again()
            if self._refused:
                raise BrokerRefused(f"{self._broker.host}: {self._refused}", "may this identity read there?")
        return True

    def _again(self) -> None:
        try:
            self._client.reconnect()
        except OSError:
            return  # the deadline ends it

    def _connected(
        self,
        client: Client,
        _data: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            return
        topics = self._topics
        client.subscribe(
            [
                (topic, 1)
                for topic in (
                    topics.of(MessageKind.STATUS),
                    topics.of(MessageKind.INFO),
                    topics.of(MessageKind.HEALTH),
                )
            ]
        )

    def _heard(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        topics, seen = self._topics, self.seen
        kind, _ = topics.read("box", message.topic)
        model = CHANNEL[kind].payload
        assert isinstance(model, type)
        try:
            setattr(seen, kind, codec.parse(model, bytes(message.payload)))
            seen.wrong.pop(message.topic, None)
            if seen.met is None and seen.status is not None:
                seen.met = seen.status.session
        except WireError as error:
            seen.wrong[message.topic] = error.what


def proven(broker: Broker, commune: str, device: str, wanted: Wanted, within_s: float) -> ObservedBox:
    """Wait until the box works as wanted.

    Raises:
        NgatuError: it does not within the time, or it went back already; the text says why.
    """
    began = time.monotonic()
    with Listener(broker, commune, device) as listener:
        listener.wait(lambda seen: not missing(seen, wanted) or gone_back(seen, wanted), within_s)
        if why := missing(listener.seen, wanted):
            took_s = time.monotonic() - began
            raise NgatuError(
                f"{device}: not within {took_s:.0f} s: {'; '.join(why)}",
                "it has gone back by itself" if gone_back(listener.seen, wanted) else "it goes back by itself",
            )
        return listener.seen


def look(broker: Broker, commune: str, device: str, within_s: float = 3.0) -> ObservedBox:
    """What the box has said last; as much of it as arrives in time."""
    with Listener(broker, commune, device) as listener:
        listener.wait(lambda seen: None not in (seen.status, seen.info, seen.health), within_s)
        return listener.seen
