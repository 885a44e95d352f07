"""A subscriber that loses nothing: it hands messages to a handler and gives a receipt when that has committed.

    the broker         inbound.py      receipts.py              the handler       receipts.py
    bytes come in ──▶  read, checked ──▶ new, or a copy? ──▶  commit, compare ──▶ receipts go out

Promises
1. A receipt goes out only after `handler.commit` has returned. An exception there means: no receipt; the box
   sends again.
2. What is committed is not committed again, however often it arrives; a handler that wants to may compare.
3. An event is handed over within 20 ms, without waiting for its picture. The picture is a message of its
   own, with the event attached.
4. A lost broker is asked again at most 5 s apart, with jitter; the broker keeps what comes meanwhile, and the
   box keeps the rest.
5. While the handler fails, the station says that it is away: boxes then hold their pictures back instead of
   sending them in vain. It says that it is back when the handler can again, or after half a minute, to try.

One thread does all of it, the one that calls `run`: while the handler commits, nothing more is read, and a slow
handler slows the broker down instead of filling memory. Guide: docs/guide/subscriber.md.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import paho.mqtt.client as paho
import structlog

from agent.core.types import Instant
from agent.errors import BrokerRefused, BrokerUnreachable, DeliveryError, NgatuError, WireError
from agent.transport.client import Will, connect
from agent.transport.errors import HungUp, VersionRefused
from agent.transport.settings import Version
from agent.wire import codec
from agent.wire.topics import Topics, station_status_topic, subscriptions
from station.ingest.handler import Attends, Compares, Handler, Memory, RemembersSeqs
from station.ingest.inbound import InboundMessage, MessageKind, read
from station.ingest.receipts import Receipts
from station.ingest.settings import SubscriberSettings

__all__ = [
    "Attends",
    "Compares",
    "Handler",
    "InboundMessage",
    "IngestCounters",
    "MessageKind",
    "RemembersSeqs",
    "Subscriber",
    "SubscriberSettings",
]

log = structlog.get_logger("station.ingest.subscriber")

_QUIET_S = 0.002
_BATCH_S = 0.02
_BATCH = 200
_ATTEND_S = 1.0
_AWAY_S = 30.0
_AWAY_WAIT_S, _REFUSED_WAIT_S = 5.0, 60.0
"""Longest waits before a broker is asked again. A broker has few stations, so a short one storms nobody, and
until the station is back nothing arrives; who is refused is refused for longer."""


@dataclass
class IngestCounters:
    """What a subscriber has seen and done since it began."""

    committed: int = 0
    """Handed over and committed."""
    duplicates: int = 0
    """Came again although they were committed."""
    problems: int = 0
    """Committed, but could not be read."""
    ignored: int = 0
    """Not by a topic of a box; the station's own status comes back to it and is one of them."""
    receipted: int = 0
    """Messages of which a box was told that they are committed."""
    failed_commits: int = 0
    connects: int = 0


class Subscriber:
    """Serves one broker for as long as `run` runs."""

    def __init__(self, settings: SubscriberSettings, handler: Handler) -> None:
        self.counters = IngestCounters()
        self.connected = False
        self.trouble: str | None = None
        """Why it is not connected."""
        self._settings = settings
        self._handler = handler
        self._session = str(uuid4())
        self._stop = threading.Event()
        self._version: Version = "5"
        self._receipts = Receipts(Memory(handler), time.monotonic)
        self._announced: set[str] = set()
        self._waiting: list[InboundMessage] = []
        self._waiting_since_s = 0.0
        self._commit_s = 0.0
        self._attended_s = 0.0
        self._failing: str | None = None
        """Why the handler did not keep the latest that it was given."""
        self._away_until_s = 0.0

    def stop(self) -> None:
        """End `run` soon; from any thread, from a signal handler or from `commit`."""
        self._stop.set()

    def run(self, for_s: float | None = None) -> None:
        """Serve until `stop`, or for so many seconds.

        Raises:
            BrokerRefused: the broker refused before it ever accepted. Later refusals are waited out.
        """
        ends_s = time.monotonic() + for_s if for_s is not None else float("inf")
        wait_s = 1.0
        while not self._stop.is_set() and time.monotonic() < ends_s:
            try:
                self._serve(ends_s)
            except DeliveryError as error:
                if isinstance(error, BrokerRefused) and not self.counters.connects:
                    raise
                if self.connected or self.trouble is None:
                    log.warning("broker_lost", why=error.what)
                    wait_s = 1.0
                self.connected, self.trouble = False, error.what
                # Full jitter (Brooker, "Exponential backoff and jitter"): a restarted broker is not stormed.
                pause_s = random.uniform(0.1, wait_s)  # noqa: S311  (no secret hangs on it)
                self._stop.wait(max(0.0, min(pause_s, ends_s - time.monotonic())))
                worst_s = _REFUSED_WAIT_S if isinstance(error, BrokerRefused) else _AWAY_WAIT_S
                wait_s = min(wait_s * 2, worst_s)
        self.connected = False

    # -------------------------------------------------------------------------------------- one connection

    def _serve(self, ends_s: float) -> None:
        """Connect, and read until stopped.

        Raises:
            DeliveryError: the broker cannot be reached, refuses, or the connection is lost.
        """
        client = self._connect()
        self._greet(client)
        lost = paho.MQTT_ERR_SUCCESS
        while not self._stop.is_set() and time.monotonic() < ends_s and lost == paho.MQTT_ERR_SUCCESS:
            before = len(self._waiting)
            lost = client.loop(_QUIET_S if before else 0.25)
            if before and self._ripe(quiet=before == len(self._waiting)):
                self._deliver(client)
            self._attend()
            self._be_seen(client)
        if self._waiting:
            self._deliver(client)
        if lost != paho.MQTT_ERR_SUCCESS:
            raise BrokerUnreachable(f"connection lost: {paho.error_string(lost)}")
        self._leave(client)

    def _connect(self) -> paho.Client:
        settings, will = self._settings, None
        if settings.receipts and settings.communes:
            topic = station_status_topic(settings.communes[0], settings.root)
            will = Will(topic, self._status("offline"))
        try:
            return connect(
                settings,
                settings.mqtt_id,
                self._version,
                will,
                keep_session=settings.receipts,
                on_message=self._take,
            )
        except (HungUp, VersionRefused) as error:
            if not self.counters.connects:  # MQTT 5 first, and in turns until the broker has accepted one
                self._version = "3.1.1" if self._version == "5" else "5"
            raise BrokerUnreachable(error.what, error.hint) from error

    def _greet(self, client: paho.Client) -> None:
        """Subscribe, then say that the station is there: a box that hears it may send at once."""
        settings = self._settings
        client.subscribe(
            [
                (f"{settings.root}/{commune}/{device}/{suffix}", 1)
                for commune in settings.communes or ("+",)
                for device in settings.devices or ("+",)
                for suffix in subscriptions("box")
            ]
        )
        self._announced.clear()
        self._be_seen(client)
        self.connected, self.trouble = True, None
        self.counters.connects += 1
        log.info("broker_connected", host=settings.host, port=settings.port)

    def _announce(self, client: paho.Client, commune: str) -> None:
        """Say that the station is there, once; without receipts there is nothing to say."""
        if self._settings.receipts and commune not in self._announced and not self._is_away():
            self._announced.add(commune)
            topic = station_status_topic(commune, self._settings.root)
            client.publish(topic, self._status("online"), qos=1, retain=True)

    def _be_seen(self, client: paho.Client) -> None:
        for commune in self._settings.communes:
            self._announce(client, commune)

    def _is_away(self) -> bool:
        return self._failing is not None and time.monotonic() < self._away_until_s

    def _step_back(self, client: paho.Client) -> None:
        """Promise 5."""
        if self._announced:
            self._away_until_s = time.monotonic() + _AWAY_S
            self._say_offline(client)

    def _say_offline(self, client: paho.Client) -> list[paho.MQTTMessageInfo]:
        topics = [station_status_topic(commune, self._settings.root) for commune in self._announced]
        self._announced.clear()
        return [client.publish(topic, self._status("offline"), qos=1, retain=True) for topic in topics]

    def _leave(self, client: paho.Client) -> None:
        """Say goodbye, once the broker has heard it and the last receipts.

        Bytes that are unread when the connection is closed would reset it, and the broker would tell the will.
        """
        goodbyes = self._say_offline(client)
        if any(goodbye.rc != paho.MQTT_ERR_SUCCESS for goodbye in goodbyes):
            return  # the connection is lost, and the broker tells the will
        deadline_s = time.monotonic() + 2.0
        while not all(goodbye.is_published() for goodbye in goodbyes) and time.monotonic() < deadline_s:
            if client.loop(0.05) != paho.MQTT_ERR_SUCCESS:
                return
        client.loop(0.05)
        client.disconnect()

    # ----------------------------------------------------------------------------- from message to receipt

    def _take(self, _client: paho.Client, _data: Any, packet: paho.MQTTMessage) -> None:
        properties = dict(getattr(packet.properties, "UserProperty", ())) if packet.properties else {}
        try:
            message = read(
                packet.topic,
                bytes(packet.payload),
                properties,
                retained=packet.retain,
                root=self._settings.root,
            )
        except (WireError, UnicodeDecodeError):  # paho decodes the topic when it is asked for
            self.counters.ignored += 1
            return
        if not self._waiting:
            self._waiting_since_s = time.monotonic()
        self._waiting.append(message)

    def _ripe(self, *, quiet: bool) -> bool:
        """Whether to hand over what waits: at once if the handler is fast; a slow one gets larger batches."""
        waited_s = time.monotonic() - self._waiting_since_s
        gathered = waited_s >= min(self._commit_s, _BATCH_S)
        return (quiet and gathered) or waited_s >= _BATCH_S or len(self._waiting) >= _BATCH

    def _deliver(self, client: paho.Client) -> None:
        """Hand over what waits, then give the receipts."""
        batch, self._waiting = self._waiting, []
        deduplicated = self._receipts.deduplicate(batch)
        copies, conflicts = deduplicated.copies, deduplicated.conflicts
        self.counters.duplicates += len(copies) + len(conflicts)
        kept = not deduplicated.fresh or self._committed(deduplicated.fresh)
        if kept:
            self._receipts.remember(deduplicated.fresh)
        if (copies or conflicts) and not (kept and self._compared(copies, conflicts)):
            batch = deduplicated.fresh
        if self._failing is not None:
            self._step_back(client)
        if self._settings.receipts:
            self._give_receipts(client, batch)
            self.counters.receipted += sum(map(self._receipts.has, deduplicated.fresh))

    def _give_receipts(self, client: paho.Client, batch: Sequence[InboundMessage]) -> None:
        for commune in {message.commune for message in batch}:
            self._announce(client, commune)
        for due in self._receipts.due(batch):
            commune, device = due.box
            station = self._settings.station
            payload = codec.receipt(station, due.stream, due.committed, _now(), due.images, due.newest)
            client.publish(Topics(commune, device, self._settings.root).of(MessageKind.RECEIPT), payload, qos=1)

    def _committed(self, fresh: Sequence[InboundMessage]) -> bool:
        begun_s = time.monotonic()
        if not self._done(lambda: self._handler.commit(fresh)):
            return False
        self._commit_s = time.monotonic() - begun_s
        self.counters.committed += len(fresh)
        self.counters.problems += sum(message.problem is not None for message in fresh)
        return True

    def _compared(self, copies: Sequence[InboundMessage], conflicts: Sequence[InboundMessage]) -> bool:
        """Show the handler what came again; one that does not compare keeps conflicts as if they were new."""
        handler = self._handler
        if isinstance(handler, Compares):
            return self._done(lambda: handler.compare([*copies, *conflicts]))
        return not conflicts or self._done(lambda: handler.commit(conflicts))

    def _attend(self) -> None:
        now_s = time.monotonic()
        if isinstance(self._handler, Attends) and now_s - self._attended_s >= _ATTEND_S:
            self._attended_s = now_s
            self._done(self._handler.attend)

    def _done(self, job: Callable[[], None]) -> bool:
        """Whether the handler could do it; a failure is told once, and so is its end."""
        try:
            job()
        except NgatuError as error:
            if self._failing != error.what:
                log.error("commit_failed", why=error.what, hint=error.hint)  # noqa: TRY400  (it says all)
            self._failing = error.what
        except Exception as error:  # whatever the handler's storage raises: promise 1
            if self._failing != repr(error):
                log.exception("commit_failed")
            self._failing = repr(error)
        else:
            if self._failing is not None:
                log.info("commits_again", failed=self.counters.failed_commits)
            self._failing = None
            return True
        self.counters.failed_commits += 1
        return False

    def _status(self, state: Literal["online", "offline"]) -> bytes:
        return codec.station_status(state, self._settings.station, self._session, _now())


def _now() -> Instant:
    return Instant(time.monotonic(), time.time())
