"""The same in the words of other conventions, at the station's own broker: a client and a thread for each.

Invariants
1. Nothing is published outside the prefixes of the configuration.
2. What waits for the broker is bounded: while many messages have no answer, nothing more is read of the feed.
3. What is retained is sent when it changes, and all of it anew at each connection.
4. Nothing here ends or delays anything else: a broker that is away, or says no, is asked again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

import paho.mqtt.client as paho
import structlog
from paho.mqtt.reasoncodes import ReasonCode
from sqlalchemy import Engine

from agent.errors import NgatuError
from agent.transport.client import connect
from agent.transport.settings import EndpointSettings
from station.config import StationConfig
from station.outward.boxes_now import boxes_now, others_open
from station.outward.convention import Beside, Convention, OutMessage, is_news
from station.outward.feed import OutEvent, after, head
from station.outward.frigate import FrigateConvention
from station.outward.home_assistant import HomeAssistantConvention
from station.outward.onvif import OnvifConvention
from station.store.blobs import BLOBS
from station.store.pictures.rows import KeptPictures

log = structlog.get_logger("station.outward.republish")

LOOK_S: Final = 0.3
STATES_S: Final = 2.0
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
AT_ONCE: Final = 100
MOST_UNANSWERED: Final = 200
MOST_KEPT: Final = 20_000
"""Topics that are retained."""
MOST_PICTURES: Final = 100
PICTURE_S: Final = 60.0
"""How long one is waited for."""
MAY_NOT: Final = "the broker's access rules: ngatu_broker_outward of its role names these prefixes"
ANSWER_S: Final = 30.0
"""After so long without an answer the connection is taken for dead."""


def conventions(config: StationConfig) -> Iterable[Convention]:
    """Those that the configuration names."""
    wanted = config.outward.republish
    if wanted.home_assistant is not None:
        yield HomeAssistantConvention(wanted.home_assistant)
    if wanted.frigate is not None:
        yield FrigateConvention(wanted.frigate)
    if wanted.onvif is not None:
        yield OnvifConvention(wanted.onvif)


class BrokerLine:
    """One connection, turned by whoever publishes."""

    def __init__(self, client: paho.Client) -> None:
        self._client = client
        self._waiting: dict[int, float] = {}
        self.denied = 0
        """Messages to which the broker said no."""
        client.on_publish = self._answered

    def send(self, message: OutMessage) -> None:
        """Publish; returns when few enough are without an answer (invariant 2).

        Raises:
            ConnectionError: the connection is gone.
        """
        sent = self._client.publish(message.topic, message.payload, 1, message.retained)
        if sent.rc != paho.MQTT_ERR_SUCCESS:
            raise ConnectionError
        self._waiting[sent.mid] = time.monotonic()
        self.turn(0)
        while len(self._waiting) > MOST_UNANSWERED:
            self.turn(0.1)

    def turn(self, for_s: float) -> None:
        """Read and write what there is.

        Raises:
            ConnectionError: the connection is gone.
        """
        if self._client.loop(for_s) != paho.MQTT_ERR_SUCCESS:
            raise ConnectionError
        oldest_s = min(self._waiting.values(), default=None)
        if oldest_s is not None and time.monotonic() - oldest_s > ANSWER_S:
            raise ConnectionError

    def end(self, last: OutMessage | None) -> None:
        """Say goodbye: `last` is what the will would have said."""
        if last is not None:
            self.send(last)
            until_s = time.monotonic() + 1
            while self._waiting and time.monotonic() < until_s:
                self.turn(0.05)
        self._client.disconnect()
        self._client.loop(0.05)

    def close(self) -> None:
        """Let go of the connection, in whatever state it is."""
        connection = self._client.socket()
        if connection is not None:
            connection.close()

    def _answered(
        self, _client: object, _data: object, mid: int, code: ReasonCode, _properties: object
    ) -> None:
        self._waiting.pop(mid, None)
        self.denied += code.is_failure


class Republisher:
    """One convention at work, from `start` to `close`."""

    def __init__(
        self, config: StationConfig, reads: Engine, convention: Convention, now: Callable[[], float] = time.time
    ) -> None:
        self._endpoint = EndpointSettings(**dict(config.broker))
        self._client_id = f"ngatu-outward.{config.commune}.{config.name}.{convention.name}"
        self._kept_pictures = KeptPictures(reads, config.state_dir / BLOBS)
        self._reads, self._convention, self._now = reads, convention, now
        self._feed_id = 0
        self._kept: dict[str, bytes] = {}
        self._pictures: deque[tuple[float, OutEvent, str]] = deque(maxlen=MOST_PICTURES)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"out-{convention.name}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """It ends within moments."""
        self._closing.set()

    def close(self, within_s: float = 2.0) -> None:
        """End it."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(within_s)

    def _run(self) -> None:
        wait_s, was_logged = FIRST_WAIT_S, False
        while not self._closing.is_set():
            began_s = time.monotonic()
            try:
                self._feed_id = self._feed_id or head(self._reads)
                self._one_connection()
            except (NgatuError, OSError, ValueError) as error:
                if not was_logged:
                    log.warning(
                        "republisher_waits", convention=self._convention.name, why=str(error) or "hung up"
                    )
                was_logged = True
            if time.monotonic() - began_s > LONGEST_WAIT_S:
                wait_s, was_logged = FIRST_WAIT_S, False
            self._closing.wait(wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    def _one_connection(self) -> None:
        will = self._convention.will
        client = connect(self._endpoint, self._client_id, "5", will)
        line = BrokerLine(client)
        try:
            log.info("republisher_works", convention=self._convention.name)
            self._kept.clear()  # invariant 3
            self._say(line, self._convention.greeting())
            self._follow(line)
            line.end(OutMessage(will.topic, will.payload, retained=True) if will is not None else None)
        finally:
            line.close()

    def _follow(self, line: BrokerLine) -> None:
        looked_s, was_denied = -STATES_S, False
        while not self._closing.is_set():
            if time.monotonic() - looked_s >= STATES_S:
                looked_s = time.monotonic()
                self._say(line, self._convention.states(boxes_now(self._reads)))
            batch = after(self._reads, self._feed_id, AT_ONCE)
            for out in batch.events:
                self._feed_id = out.feed_id
                if is_news(out, round(self._now() * 1000)):
                    beside = Beside(others_open(self._reads, out))
                    self._say(line, self._convention.event(out, beside))
                    self._expect(out)
            self._feed_id = batch.last
            self._show(line)
            if line.denied and not was_denied:
                was_denied = True
                log.warning("republisher_denied", convention=self._convention.name, hint=MAY_NOT)
            line.turn(0 if batch.events else LOOK_S)

    def _say(self, line: BrokerLine, messages: Iterable[OutMessage]) -> None:
        for message in messages:
            sent = message
            if message.retained:
                kept = self._kept.get(message.topic)
                if kept == message.payload:
                    continue
                if kept is None and len(self._kept) >= MOST_KEPT:  # names come from outside
                    sent = replace(message, retained=False)
                else:
                    self._kept[message.topic] = message.payload
            line.send(sent)

    def _expect(self, out: OutEvent) -> None:
        if self._convention.wants_pictures and out.payload.image is not None:
            self._pictures.append((time.monotonic() + PICTURE_S, out, out.payload.image.sha256))

    def _show(self, line: BrokerLine) -> None:
        """Pictures that are here by now; they come behind their events."""
        here = self._kept_pictures.known({sha256 for _, _, sha256 in self._pictures})
        for each in list(self._pictures):
            until_s, out, sha256 = each
            jpeg = None
            with suppress(OSError):
                jpeg = self._kept_pictures.read(sha256) if sha256 in here else None
            if jpeg is not None or time.monotonic() > until_s:
                self._pictures.remove(each)
            if jpeg is not None:
                self._say(line, self._convention.picture(out, jpeg))


class Republishers:
    """All of them."""

    def __init__(self, config: StationConfig, reads: Engine) -> None:
        self._all = [Republisher(config, reads, each) for each in conventions(config)]

    def start(self) -> None:
        """Begin; returns at once."""
        for each in self._all:
            each.start()

    def close(self) -> None:
        """End all of them."""
        for each in self._all:
            each.ask_to_end()
        for each in self._all:
            each.close()
