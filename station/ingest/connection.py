"""A station's connection to its broker: made, read from, and left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes

from agent.errors import BrokerUnreachable
from agent.translatable import tr
from agent.transport.burst_client import BurstClient
from agent.transport.client import OnMessage, Will, blank, connect
from agent.transport.errors import HungUp, VersionRefused, lost
from agent.transport.settings import Version
from station.ingest.settings import SubscriberSettings

_AT_ONCE = 50
"""Times that is read without asking the system in between whether there is anything."""
_SESSION_TAKEN = 0x8E


class BrokerConnection:
    """The way to one broker, over several connections one after the other."""

    def __init__(self, settings: SubscriberSettings, hear: OnMessage, filters: Sequence[str]) -> None:
        """`filters` are the topics below a device that are listened to."""
        self.heard = 0
        """Messages that have come."""
        self._settings = settings
        self._hear = hear
        self._filters = filters
        self._version: Version = "5"
        self._was_accepted = False
        self._ended_with: int | None = None
        """The broker's reason for ending the connection, if it gave one."""

    def open(self, will: Will | None) -> paho.Client:
        """Connect as the station, and subscribe.

        Raises:
            DeliveryError: the broker cannot be reached, or refuses.
        """
        settings = self._settings
        client = self.dial(settings.mqtt_id, self._count, will, keep_session=settings.receipts)
        self._was_accepted, self._ended_with = True, None
        client.on_disconnect = self._note_end
        client.subscribe(
            [
                (f"{settings.root}/{commune}/{device}/{suffix}", 1)
                for commune in settings.communes or ("+",)
                for device in settings.devices or ("+",)
                for suffix in self._filters
            ]
        )
        return client

    def dial(
        self, client_id: str, hear: OnMessage, will: Will | None = None, *, keep_session: bool = False
    ) -> paho.Client:
        """Connect under a name.

        Raises:
            DeliveryError: the broker cannot be reached, or refuses.
        """
        try:
            return connect(
                self._settings,
                client_id,
                self._version,
                will,
                keep_session=keep_session,
                on_message=hear,
                burst=True,
            )
        except (HungUp, VersionRefused) as error:
            if not self._was_accepted:  # MQTT 5 first, and in turns until the broker has accepted one
                self._version = "3.1.1" if self._version == "5" else "5"
            raise BrokerUnreachable(error.what, error.hint) from error

    def read(self, client: paho.Client, wait_s: float) -> MQTTErrorCode:
        """Read what has come, or wait for it: paho's loop takes one packet, and asks the system before each."""
        before = self.heard
        rc = client.loop(wait_s)
        for _ in range(_AT_ONCE):
            if rc != paho.MQTT_ERR_SUCCESS or self.heard == before:
                break
            before = self.heard
            rc = client.loop_read()
        if isinstance(client, BurstClient) and rc == paho.MQTT_ERR_SUCCESS:
            return client.acknowledge()
        return rc

    def check(self, rc: MQTTErrorCode) -> None:
        """Whether it still stands.

        Raises:
            DeliveryError: it is lost; a SessionTaken where another client has taken it.
        """
        if self._ended_with == _SESSION_TAKEN:
            raise lost(_SESSION_TAKEN, self._settings.where)
        if rc != paho.MQTT_ERR_SUCCESS:
            raise BrokerUnreachable(tr("connection lost: {rc}", rc=paho.error_string(rc)))

    def leave(self, client: paho.Client, goodbyes: Sequence[paho.MQTTMessageInfo]) -> None:
        """Disconnect once the broker has heard the goodbyes and the last receipts.

        Bytes that are unread when the connection is closed would reset it, and the broker would tell the will.
        """
        if any(goodbye.rc != paho.MQTT_ERR_SUCCESS for goodbye in goodbyes):
            return  # the connection is lost, and the broker tells the will
        deadline_s = time.monotonic() + 2.0
        while not all(goodbye.is_published() for goodbye in goodbyes) and time.monotonic() < deadline_s:
            if client.loop(0.05) != paho.MQTT_ERR_SUCCESS:
                return
        client.loop(0.05)
        client.disconnect()

    def leave_to_another(self, client: paho.Client) -> None:
        """Disconnect without a word, and have the broker keep nothing for us: what comes, that one has."""
        forgotten = blank(PacketTypes.DISCONNECT) if self._version == "5" else None
        if forgotten is not None:
            forgotten.SessionExpiryInterval = 0
        client.disconnect(properties=forgotten)

    def _count(self, client: paho.Client, data: Any, packet: paho.MQTTMessage) -> None:
        self.heard += 1
        self._hear(client, data, packet)

    def _note_end(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._ended_with = int(getattr(reason, "value", 0))
