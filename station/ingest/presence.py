"""What a station says of itself to the boxes of its communes, and how it bears another one there.

Promises 5 and 6 of subscriber.py: while nothing is kept it says that it is away, and of several that would give
the receipts of a commune one does. Who gives no receipts says nothing at all.
"""

from __future__ import annotations

import time
from typing import Literal
from uuid import uuid4

import paho.mqtt.client as paho
import structlog

from agent.core.types import Instant
from agent.errors import WireError
from agent.transport.client import Will
from agent.wire import codec
from agent.wire.topics import station_status_topic
from station.ingest.alarms import AlarmKind
from station.ingest.handler_calls import HandlerCalls
from station.ingest.rivals import Lookout, RemembersLives, named, status_of
from station.ingest.settings import SubscriberSettings

log = structlog.get_logger("station.ingest.presence")

_AWAY_S = 30.0
_TAKEN_WAIT_S, _TAKEN_AGAIN_WAIT_S = 30.0, 300.0
"""Before the broker is asked again when another client has taken the connection, at first and later."""
_UNTAKEN_S = 600.0
"""After a connection of this length the waits begin at the first one again."""
_TELL_S = 60.0
"""How often it is told again that another station is there."""
_AGAIN_S = 2.0
"""Between two of the words that it is there, however many boxes ask for it."""


class Presence:
    """One life of a station, as the others see it."""

    def __init__(
        self,
        settings: SubscriberSettings,
        calls: HandlerCalls,
        lives: RemembersLives | None,
        *,
        take_over: bool,
    ) -> None:
        """Raises NgatuError where the lives cannot be read."""
        self.rival: str | None = None
        """The station that has begun after this one, in words."""
        self._settings, self._calls, self._lives = settings, calls, lives
        self._session = str(uuid4())
        self._own = {self._session, *(lives.earlier() if lives else ())}
        """This life, and earlier ones, whose last word the broker may still have."""
        self._take_over = take_over
        self._told: tuple[str, float] | None = None
        """The other station that was told of last, and when."""
        self._announced: set[str] = set()
        self._asked: set[str] = set()
        """Communes of which a box has come to another node, perhaps, where our word is not kept."""
        self._said_s = 0.0
        self._heard_self: set[str] = set()
        """Communes of which our own word of this connection has come back: what comes later was said later."""
        self._away_until_s = 0.0
        self._taken = 0
        """How often in a row another station took the connection."""

    # ------------------------------------------------------------------------------------ before the connection

    def look_anew(self) -> None:
        """Whoever is there is told of again."""
        self._told = None

    def in_the_way(self, lookout: Lookout) -> str | None:
        """The station for which this one waits, in words."""
        rival = lookout.rival(self._own)
        if rival is not None and self._take_over:
            log.warning("takes_over", other=rival)
            return None
        return rival

    def wait_for(self, rival: str) -> None:
        """Tell that this one stays back: once in the log, and as an alarm now and then."""
        known, known_s = self._told or (None, 0.0)
        if rival == known and time.monotonic() - known_s <= _TELL_S:
            return
        self._told = rival, time.monotonic()
        if rival != known:
            hint = "stop one of the two; if that one is gone for good, start once with --take-over"
            log.warning("stays_back", other=rival, hint=hint)
        self._alarm(f"{rival}; this one gives no receipts until it has gone")

    def begin(self) -> None:
        """Write this life down.

        Raises:
            NgatuError: it cannot be written.
        """
        if self._lives is not None and not self._calls.counters.connects:
            self._lives.begin(self._session)

    def will(self) -> Will | None:
        """What the broker says when the connection is lost."""
        settings = self._settings
        if not settings.receipts or not settings.communes:
            return None
        return Will(station_status_topic(settings.communes[0], settings.root), self._status("offline"))

    def taken_by(self, rival: str, connected_s: float) -> float:
        """Seconds to stay away, for another station has the connection, which was made at `connected_s`."""
        if time.monotonic() - connected_s > _UNTAKEN_S:
            self._taken = 0
        wait_s = _TAKEN_AGAIN_WAIT_S if self._taken else _TAKEN_WAIT_S
        self._taken += 1
        self._alarm(f"{rival}; asked again in {wait_s:g} s")
        return wait_s

    # ----------------------------------------------------------------------------------------- in a connection

    def connected(self) -> None:
        """A connection begins: nothing has been said in it, and nothing heard."""
        self._take_over = False
        self.rival = None

    def greet(self, client: paho.Client) -> None:
        """Say that the station is there."""
        self._announced.clear()
        self._asked.clear()
        self._heard_self.clear()
        self.be_seen(client)

    def be_seen(self, client: paho.Client) -> None:
        """Say it to every commune that has not heard it, or in which somebody asks."""
        if self._asked and time.monotonic() - self._said_s >= _AGAIN_S:
            self._announced -= self._asked
            self._heard_self -= self._asked  # a station that speaks before this word of ours spoke before us
            for commune in tuple(self._asked):
                self.announce(client, commune)
            self._asked.clear()
        for commune in self._settings.communes:
            self.announce(client, commune)

    def asked(self, commune: str) -> None:
        """A box has said hello: of a cluster each node keeps the words that were said at it, and no others."""
        if len(self._settings.addresses) > 1:
            self._asked.add(commune)

    def announce(self, client: paho.Client, commune: str) -> None:
        """Say that the station is there, once; without receipts there is nothing to say."""
        if self._settings.receipts and commune not in self._announced and not self._is_away():
            self._announced.add(commune)
            self._said_s = time.monotonic()
            topic = station_status_topic(commune, self._settings.root)
            client.publish(topic, self._status("online"), qos=1, retain=True)

    def step_back(self, client: paho.Client) -> None:
        """Promise 5."""
        if self._announced:
            self._away_until_s = time.monotonic() + _AWAY_S
            self.say_offline(client)

    def say_offline(self, client: paho.Client) -> list[paho.MQTTMessageInfo]:
        """Say to everyone who has heard otherwise that the station is away."""
        topics = [station_status_topic(commune, self._settings.root) for commune in self._announced]
        self._announced.clear()
        return [client.publish(topic, self._status("offline"), qos=1, retain=True) for topic in topics]

    def hear(self, commune: str, payload: bytes) -> None:
        """A station's status. What comes before our own word comes back was said before it."""
        try:
            status = status_of(payload)
        except WireError:
            return
        if status.session == self._session:
            if status.state == "online":
                self._heard_self.add(commune)
        elif self._settings.receipts and commune in self._heard_self:
            if status.state == "online":
                self.rival = named(status, commune)
            else:  # that one's farewell is not ours: the boxes must not hold back what waits for us
                self._announced.discard(commune)
            if status.session not in self._own:
                self._alarm(named(status, commune))

    def _is_away(self) -> bool:
        return self._calls.failing is not None and time.monotonic() < self._away_until_s

    def _alarm(self, detail: str) -> None:
        self._calls.raise_alarm(AlarmKind.SECOND_STATION, None, detail)

    def _status(self, state: Literal["online", "offline"]) -> bytes:
        now = Instant(time.monotonic(), time.time())
        return codec.station_status(state, self._settings.station, self._session, now)
