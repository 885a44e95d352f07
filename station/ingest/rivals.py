"""Who else speaks for a commune: the stations' own statuses at the broker, and which of them were ours.

The station of a commune is whoever its retained status names. A broker puts all that is said on one topic in
one order, so two that begin at the same moment agree on which was last.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import paho.mqtt.client as paho

from agent.errors import BrokerUnreachable, NgatuError, WireError
from agent.translatable import tr
from agent.wire import codec
from agent.wire.payloads import StationStatusPayload
from agent.wire.topics import split, station_status_topic
from station.ingest.settings import SubscriberSettings

_KEPT_COMES_S = 0.5
"""How long after a subscription's answer the broker may take to bring what it has kept: it follows at once."""
_SUBSCRIBED_S = 10.0
_LIVES = 100
"""A broker whose power was cut may come back with a status of some lives before the last."""

Connect = Callable[[str, Callable[[paho.Client, Any, paho.MQTTMessage], None]], paho.Client]
"""A connection under a client id, with what hears its messages."""


class RemembersLives(Protocol):
    """Which sessions at the broker were earlier lives of this station."""

    def earlier(self) -> Iterable[str]:
        """Their names; raises NgatuError when they cannot be read."""
        ...

    def begin(self, session: str, /) -> None:
        """This one speaks from now on; raises NgatuError when that cannot be kept."""
        ...


class Lives:
    """The sessions of a station in a small file, one in a line, the latest last."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def earlier(self) -> tuple[str, ...]:
        """Of the latest lives.

        Raises:
            NgatuError: the file cannot be read.
        """
        try:
            return tuple(self._path.read_text(encoding="utf-8", errors="replace").split())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._fault(error) from error

    def begin(self, session: str) -> None:
        """Add one; on the disk when this returns.

        Raises:
            NgatuError: the file cannot be written.
        """
        lines = [*self.earlier(), session][-_LIVES:]
        unfinished = self._path.with_name(f"{self._path.name}.new")
        try:
            with unfinished.open("w", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path)
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: OSError) -> NgatuError:
        return NgatuError(
            f"{self._path}: {error.strerror or error}", tr("owner and mode of state_dir; its disk")
        )


class Lookout:
    """A connection that only listens to the statuses of the communes' stations."""

    def __init__(self, settings: SubscriberSettings, client_id: str, connect: Connect) -> None:
        """Connect and hear what the broker has kept.

        Raises:
            DeliveryError: as `connect`, or the connection is lost.
        """
        self._settings = settings
        self._heard: dict[str, StationStatusPayload] = {}
        subscribed: list[bool] = []
        self._client = connect(client_id, self._hear)
        self._client.on_subscribe = lambda *_: subscribed.append(True)
        communes = set(settings.communes)
        topics = [station_status_topic(commune, settings.root) for commune in communes or ("+",)]
        self._client.subscribe([(topic, 1) for topic in topics])
        deadline_s = time.monotonic() + _SUBSCRIBED_S
        while not subscribed and time.monotonic() < deadline_s:
            self.turn(0.1)
        deadline_s = time.monotonic() + _KEPT_COMES_S
        while time.monotonic() < deadline_s and not (communes and communes <= self._heard.keys()):
            self.turn(0.05)

    def turn(self, timeout_s: float) -> None:
        """Listen for at most so long.

        Raises:
            BrokerUnreachable: the connection is lost.
        """
        code = self._client.loop(timeout_s)
        if code != paho.MQTT_ERR_SUCCESS:
            raise BrokerUnreachable(f"connection lost: {paho.error_string(code)}")

    def rival(self, own: Container[str | None]) -> str | None:
        """A station that is online, and its session none of our `own`, in words."""
        for commune, status in self._heard.items():
            if status.state == "online" and status.session not in own:
                return named(status, commune)
        return None

    def close(self) -> None:
        """Hear no more."""
        self._client.disconnect()
        self._client.loop(0.1)  # paho closes when it has written that

    def _hear(self, _client: paho.Client, _data: Any, packet: paho.MQTTMessage) -> None:
        with suppress(WireError, UnicodeDecodeError):
            commune, _, _ = split(packet.topic, self._settings.root)
            self._heard[commune] = status_of(bytes(packet.payload))


def status_of(payload: bytes) -> StationStatusPayload:
    """A station's status; one that was cleared says offline.

    Raises:
        WireError: it is none.
    """
    return codec.parse(StationStatusPayload, payload) if payload else StationStatusPayload(state="offline")


def named(status: StationStatusPayload, commune: str) -> str:
    """The station that says so, in words."""
    when = "" if status.time is None else f", since {status.time.isoformat(' ', 'seconds')}"
    who = f"station {status.station or 'without a name'}, session {status.session or 'unknown'}"
    return f"{who}, is {status.state} for {commune}{when}"
