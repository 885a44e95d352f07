"""A subscriber that loses nothing: it hands messages to a handler and gives a receipt when that has committed.

    the broker       fair_queue.py          inbound.py       receipts.py        the handler        receipts.py
    bytes come in ─▶ a turn for each box ─▶ read, checked ─▶ new, or a copy? ─▶ commit, compare ─▶ receipts

Promises
1. A receipt goes out only after `handler.commit` has returned. An exception there means: no receipt; the box
   sends again.
2. What is committed is not committed again, however often it arrives; a handler that wants to may compare.
3. An event is handed over within 20 ms, without waiting for its picture, and behind a flood with the next
   batch. The picture is a message of its own, with the event attached.
4. A lost broker is asked again at most 5 s apart, with jitter; the broker keeps what comes meanwhile, and the
   box keeps the rest.
5. While the handler fails, the station says that it is away: boxes then hold their pictures back instead of
   sending them in vain. It says that it is back when the handler can again, or after half a minute, to try.
6. Of several that would give the receipts of a commune one does, the one that said so last: who finds another
   there stays back, and who hears that another has begun after it steps back. Both raise an alarm, and go on by
   themselves when that one has gone. Who gives no receipts says nothing at all.
7. A box that floods takes no turn from the others: each batch has some of every box that has sent something.

One thread does all of it, the one that calls `run`: while the handler commits, nothing more is read. The broker
has one queue for the station, and throws away what does not fit into it, of whatever box: so while more comes,
reading has more of the time than committing, and what a flood leaves no room for is let go here.
Guide: docs/guide/subscriber.md.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.packettypes import PacketTypes

from agent.errors import BrokerRefused, DeliveryError, WireError
from agent.transport.client import blank
from agent.transport.errors import SessionTaken
from agent.wire import codec
from agent.wire.topics import STATION, Topics, split
from station.ingest.batches import Batches
from station.ingest.connection import BrokerConnection
from station.ingest.handler import (
    Attends,
    Compares,
    GivesCommands,
    Handler,
    LimitsBoxes,
    RaisesAlarms,
    RemembersSeqs,
)
from station.ingest.handler_calls import HandlerCalls, IngestCounters
from station.ingest.inbound import BOXES, Dialect, InboundMessage, MessageKind
from station.ingest.presence import Presence
from station.ingest.rivals import Lookout, RemembersLives
from station.ingest.settings import SubscriberSettings

__all__ = [
    "Attends",
    "Compares",
    "GivesCommands",
    "Handler",
    "InboundMessage",
    "IngestCounters",
    "LimitsBoxes",
    "MessageKind",
    "RaisesAlarms",
    "RemembersSeqs",
    "Subscriber",
    "SubscriberSettings",
]

log = structlog.get_logger("station.ingest.subscriber")

_QUIET_S, _WAIT_S = 0.002, 0.25
"""How long a message is waited for: while others wait to be handed over, and while none does."""
_ATTEND_S = 1.0
_LAST_S = 2.0
"""How long what waits is still handed over once the end was asked for."""
_AWAY_WAIT_S, _REFUSED_WAIT_S = 5.0, 60.0
"""Longest waits before a broker is asked again. A broker has few stations, so a short one storms nobody, and
until the station is back nothing arrives; who is refused is refused for longer."""


class Subscriber:
    """Serves one broker for as long as `run` runs."""

    def __init__(
        self,
        settings: SubscriberSettings,
        handler: Handler,
        *,
        lives: RemembersLives | None = None,
        take_over: bool = False,
        dialect: Dialect = BOXES,
    ) -> None:
        """Without `lives` a status that an earlier life left at the broker is another station's.

        With `take_over` it begins although another one speaks for the commune; once, at its first connection.
        `dialect` is that of whoever is listened to.

        Raises:
            NgatuError: the lives cannot be read.
        """
        self.connected = False
        self.trouble: str | None = None
        """Why it is not connected."""
        self._settings = settings
        self._calls = HandlerCalls(handler)
        self.counters = self._calls.counters
        self._presence = Presence(settings, self._calls, lives, take_over=take_over)
        self._batches = Batches(settings, handler, self._calls, self._presence, dialect)
        self._connection = BrokerConnection(settings, self._take, dialect.filters)
        self._stop = threading.Event()
        self._connected_s = 0.0
        self._attended_s = 0.0

    def standing(self) -> dict[str, str | None]:
        """How the intake goes, from any thread: why nothing is kept, why no broker is there."""
        return {"failing": self._calls.unkept, "away": None if self.connected else self.trouble}

    def stop(self) -> None:
        """End `run` soon; from any thread, from a signal handler or from `commit`."""
        self._stop.set()

    def run(self, for_s: float | None = None) -> None:
        """Serve until `stop`, or for so many seconds.

        Raises:
            BrokerRefused: the broker refused before it ever accepted. Later refusals are waited out.
            NgatuError: `lives` cannot be written.
        """
        ends_s = time.monotonic() + for_s if for_s is not None else float("inf")
        wait_s = 1.0
        while not self._is_over(ends_s):
            try:
                self._serve(ends_s)
            except DeliveryError as error:
                if isinstance(error, BrokerRefused) and not self.counters.connects:
                    raise
                if self.connected or self.trouble is None:
                    self._tell_lost(error)
                    wait_s = 1.0
                was_connected, self.connected, self.trouble = self.connected, False, error.what
                # Full jitter (Brooker, "Exponential backoff and jitter"): a restarted broker is not stormed.
                pause_s = random.uniform(0.1, wait_s)  # noqa: S311  (no secret hangs on it)
                if was_connected and isinstance(error, SessionTaken):
                    pause_s = self._presence.taken_by(error.what, self._connected_s)
                self._stop.wait(max(0.0, min(pause_s, ends_s - time.monotonic())))
                worst_s = _REFUSED_WAIT_S if isinstance(error, BrokerRefused) else _AWAY_WAIT_S
                wait_s = min(wait_s * 2, worst_s)
        self.connected = False

    def _is_over(self, ends_s: float) -> bool:
        return self._stop.is_set() or time.monotonic() >= ends_s

    def _tell_lost(self, error: DeliveryError) -> None:
        if isinstance(error, SessionTaken):
            hint = "a second program under one client id: give one of the two another name, or stop it"
            log.warning("connection_taken", client_id=self._settings.mqtt_id, why=error.what, hint=hint)
        else:
            log.warning("broker_lost", why=error.what, hint=error.hint)

    # -------------------------------------------------------------------------------------- one connection

    def _has_turn(self, ends_s: float) -> bool:
        """Wait until no other station speaks for the communes (promise 6); False: the end came first.

        Raises:
            DeliveryError: as `_serve`.
            NgatuError: this life cannot be written down.
        """
        self._presence.look_anew()
        with closing(Lookout(self._settings, self._settings.lookout_id, self._connection.dial)) as lookout:
            while (rival := self._presence.in_the_way(lookout)) is not None:
                if self._is_over(ends_s):
                    return False
                self.trouble = f"stays back: {rival}"
                self._presence.wait_for(rival)
                lookout.turn(0.25)
                self._attend()
        self._presence.begin()
        return True

    def _serve(self, ends_s: float) -> None:
        """Connect, and read until stopped.

        Raises:
            DeliveryError: the broker cannot be reached, refuses, or the connection is lost.
        """
        if self._settings.receipts and not self._has_turn(ends_s):
            return
        client = self._connection.open(self._presence.will())
        self._presence.connected()
        self._greet(client)
        rc = paho.MQTT_ERR_SUCCESS
        while not self._is_over(ends_s) and self._presence.rival is None and rc == paho.MQTT_ERR_SUCCESS:
            before, waited = self._connection.heard, bool(self._batches)
            rc = self._connection.read(client, _QUIET_S if waited else _WAIT_S)
            if waited and self._batches.ripe(quiet=before == self._connection.heard):
                self._batches.deliver(client)
            if self._attend():
                self._command(client)
            self._presence.be_seen(client)
        if self._presence.rival is not None:
            self._step_down(client, self._presence.rival)
            return
        last_s = time.monotonic() + _LAST_S
        while self._batches and time.monotonic() < last_s:
            self._batches.deliver(client)
        self._connection.check(rc)
        self._connection.leave(client, self._presence.say_offline(client))

    def _greet(self, client: paho.Client) -> None:
        """Say that the station is there, once it is subscribed: a box that hears it may send at once."""
        self._presence.greet(client)
        self.connected, self.trouble, self._connected_s = True, None, time.monotonic()
        self.counters.connects += 1
        log.info("broker_connected", host=client.host, port=client.port)

    def _step_down(self, client: paho.Client, rival: str) -> None:
        """Leave without a word, which would be taken for the other's; what is unread, that one gets as well."""
        log.warning("steps_back", other=rival)
        self.connected, self.trouble = False, f"steps back: {rival}"
        self._batches.drop()
        self._connection.leave_to_another(client)

    def _take(self, _client: paho.Client, _data: Any, packet: paho.MQTTMessage) -> None:
        """To whom it is: what stations say of themselves, or what a box has sent."""
        try:
            commune, device, suffix = split(packet.topic, self._settings.root)
        except (WireError, UnicodeDecodeError):  # paho decodes the topic when it is asked for
            self.counters.ignored += 1
            return
        if device == STATION:
            self.counters.ignored += 1
            self._presence.hear(commune, bytes(packet.payload))
        else:
            self._batches.put((commune, device), suffix, packet)

    def _attend(self) -> bool:
        """Let the handler do work of its own, about once a second; whether it was its turn."""
        now_s = time.monotonic()
        if now_s - self._attended_s < _ATTEND_S:
            return False
        self._attended_s = now_s
        self._calls.attend()
        self._batches.tell_troubles()
        return True

    def _command(self, client: paho.Client) -> None:
        """Carry what the handler has for boxes."""
        for each in self._calls.commands():
            properties = blank(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = max(1, round(each.life_s))
            properties.ContentType = codec.JSON
            topic = Topics(*each.box, self._settings.root).of(MessageKind.COMMAND, verb=each.verb)
            client.publish(topic, each.body, qos=1, properties=properties)
