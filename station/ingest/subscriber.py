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
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes

from agent.core.types import Instant
from agent.errors import BrokerRefused, BrokerUnreachable, DeliveryError, NgatuError, WireError
from agent.transport.client import OnMessage, Will, blank, connect
from agent.transport.errors import HungUp, SessionTaken, VersionRefused, lost
from agent.transport.settings import Version
from agent.wire import codec
from agent.wire.channels import CHANNELS
from agent.wire.topics import STATION, Topics, split, station_status_topic, subscriptions
from agent.wire.topics import read as read_topic
from station.ingest.alarms import AlarmKind
from station.ingest.fair_queue import Box, FairQueue
from station.ingest.handler import Attends, Compares, Handler, LimitsBoxes, Memory, RaisesAlarms, RemembersSeqs
from station.ingest.inbound import InboundMessage, MessageKind, read
from station.ingest.receipts import Receipts
from station.ingest.rivals import Lookout, RemembersLives, named, status_of
from station.ingest.settings import SubscriberSettings

__all__ = [
    "Attends",
    "Compares",
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

_STATES = frozenset(channel.kind for channel in CHANNELS if channel.retained)
_QUIET_S = 0.002
_BATCH_S = 0.02
_BATCH = 200
_BATCH_BYTES = 4 * 2**20
_READ_SHARE, _READ_S = 4.0, 0.25
"""While the broker has more, it is read so many times as long as the last batch took, and at most so long."""
_AT_ONCE = 50
"""Packets that are read without asking the system in between whether there are any."""
_ATTEND_S = 1.0
_AWAY_S = 30.0
_LAST_S = 2.0
"""How long what waits is still handed over once the end was asked for."""
_AWAY_WAIT_S, _REFUSED_WAIT_S = 5.0, 60.0
"""Longest waits before a broker is asked again. A broker has few stations, so a short one storms nobody, and
until the station is back nothing arrives; who is refused is refused for longer."""
_TAKEN_WAIT_S, _TAKEN_AGAIN_WAIT_S = 30.0, 300.0
"""Before the broker is asked again when another client has taken the connection, at first and later."""
_UNTAKEN_S = 600.0
"""After a connection of this length the waits begin at the first one again."""
_SESSION_TAKEN = 0x8E
_TELL_S = 60.0
"""How often it is told again that another station is there."""


_Packet = tuple[str, bytes, tuple[tuple[str, str], ...], bool]
"""Topic, payload, user properties, retained: of paho's messages each would cost every collection of garbage."""


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
    refused: int = 0
    """Not handed over: the handler had enough of this box, or it sent faster than can be read."""
    receipted: int = 0
    """Messages of which a box was told that they are committed."""
    failed_commits: int = 0
    connects: int = 0


class Subscriber:
    """Serves one broker for as long as `run` runs."""

    def __init__(
        self,
        settings: SubscriberSettings,
        handler: Handler,
        *,
        lives: RemembersLives | None = None,
        take_over: bool = False,
    ) -> None:
        """Without `lives` a status that an earlier life left at the broker is another station's.

        With `take_over` it begins although another one speaks for the commune; once, at its first connection.

        Raises:
            NgatuError: the lives cannot be read.
        """
        self.counters = IngestCounters()
        self.connected = False
        self.trouble: str | None = None
        """Why it is not connected."""
        self._settings = settings
        self._handler = handler
        self._session = str(uuid4())
        self._lives = lives
        self._own = {self._session, *(lives.earlier() if lives else ())}
        """This life, and earlier ones, whose last word the broker may still have."""
        self._take_over = take_over
        self._stop = threading.Event()
        self._version: Version = "5"
        self._receipts = Receipts(Memory(handler), time.monotonic)
        self._announced: set[str] = set()
        self._limits = handler if isinstance(handler, LimitsBoxes) else None
        self._queue = FairQueue[_Packet]()
        self._kept_astray: dict[Box, int] = {}
        """Messages that the broker had kept although they are no states, by box, since the last look."""
        self._overrun: dict[Box, int] = {}
        """Messages for which the queue had no room, by box, since the last look."""
        self._heard = 0
        self._waiting_since_s = 0.0
        self._connected_s = 0.0
        self._commit_s = 0.0
        self._batch_s = 0.0
        self._attended_s = 0.0
        self._failing: str | None = None
        """Why the handler did not keep the latest that it was given."""
        self._away_until_s = 0.0
        self._ended_with: int | None = None
        """The broker's reason for ending the connection, if it gave one."""
        self._rival: str | None = None
        """The station that has begun after this one, in words."""
        self._heard_self: set[str] = set()
        """Communes of which our own word of this connection has come back: what comes later was said later."""
        self._taken = 0
        """How often in a row another station took the connection."""

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
                    pause_s = self._yield_to(error.what)
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
            log.warning("broker_lost", why=error.what, **({"hint": error.hint} if error.hint else {}))

    # ------------------------------------------------------------------- the only station of the commune (6)

    def _has_turn(self, ends_s: float) -> bool:
        """Wait until no other station speaks for the communes; False: the end came first.

        Raises:
            DeliveryError: as `_serve`.
            NgatuError: this life cannot be written down.
        """
        latest, latest_s = None, 0.0
        with closing(Lookout(self._settings, self._settings.lookout_id, self._dial)) as lookout:
            while (rival := lookout.rival(self._own)) is not None and not self._take_over:
                if self._is_over(ends_s):
                    return False
                self.trouble = f"stays back: {rival}"
                if rival != latest or time.monotonic() - latest_s > _TELL_S:
                    self._tell_other(rival, is_new=rival != latest)
                    latest, latest_s = rival, time.monotonic()
                lookout.turn(0.25)
                self._attend()
        if rival is not None:
            log.warning("takes_over", other=rival)
        if self._lives is not None and not self.counters.connects:
            self._lives.begin(self._session)
        return True

    def _tell_other(self, rival: str, *, is_new: bool) -> None:
        if is_new:
            hint = "stop one of the two; if that one is gone for good, start once with --take-over"
            log.warning("stays_back", other=rival, hint=hint)
        detail = f"{rival}; this one gives no receipts until it has gone"
        self._raise_alarm(AlarmKind.SECOND_STATION, None, detail)

    def _step_down(self, client: paho.Client) -> None:
        """Leave without a word, which would be taken for the other's; what is unread, that one gets as well."""
        log.warning("steps_back", other=self._rival)
        self.connected, self.trouble = False, f"steps back: {self._rival}"
        self._queue = FairQueue[_Packet]()
        forgotten = blank(PacketTypes.DISCONNECT) if self._version == "5" else None
        if forgotten is not None:
            forgotten.SessionExpiryInterval = 0  # the broker need not keep for us what the other one has
        client.disconnect(properties=forgotten)

    # -------------------------------------------------------------------------------------- one connection

    def _serve(self, ends_s: float) -> None:
        """Connect, and read until stopped.

        Raises:
            DeliveryError: the broker cannot be reached, refuses, or the connection is lost.
        """
        if self._settings.receipts and not self._has_turn(ends_s):
            return
        client = self._connect()
        self._ended_with = self._rival = None
        client.on_disconnect = self._note_end
        self._greet(client)
        rc = paho.MQTT_ERR_SUCCESS
        while not self._is_over(ends_s) and self._rival is None and rc == paho.MQTT_ERR_SUCCESS:
            before, waited = self._heard, bool(self._queue)
            rc = client.loop(_QUIET_S if waited else 0.25)
            if rc == paho.MQTT_ERR_SUCCESS and self._heard > before:
                rc = self._read_on(client)
            if waited and self._ripe(quiet=before == self._heard):
                self._deliver(client)
            self._attend()
            self._be_seen(client)
        if self._rival is not None:
            self._step_down(client)
            return
        last_s = time.monotonic() + _LAST_S
        while self._queue and time.monotonic() < last_s:
            self._deliver(client)
        if self._ended_with == _SESSION_TAKEN:
            raise lost(_SESSION_TAKEN, self._settings.where)
        if rc != paho.MQTT_ERR_SUCCESS:
            raise BrokerUnreachable(f"connection lost: {paho.error_string(rc)}")
        self._leave(client)

    def _note_end(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._ended_with = int(getattr(reason, "value", 0))

    def _yield_to(self, rival: str) -> float:
        """Seconds to stay away, for another station has the connection (promise 6)."""
        if time.monotonic() - self._connected_s > _UNTAKEN_S:
            self._taken = 0
        wait_s = _TAKEN_AGAIN_WAIT_S if self._taken else _TAKEN_WAIT_S
        self._taken += 1
        self._raise_alarm(AlarmKind.SECOND_STATION, None, f"{rival}; asked again in {wait_s:g} s")
        return wait_s

    def _read_on(self, client: paho.Client) -> MQTTErrorCode:
        """Read what has come already: paho's loop takes one packet, and asks the system before each."""
        for _ in range(_AT_ONCE):
            before = self._heard
            rc = client.loop_read()
            if rc != paho.MQTT_ERR_SUCCESS or self._heard == before:
                return rc
        return paho.MQTT_ERR_SUCCESS

    def _connect(self) -> paho.Client:
        settings, will = self._settings, None
        if settings.receipts and settings.communes:
            topic = station_status_topic(settings.communes[0], settings.root)
            will = Will(topic, self._status("offline"))
        client = self._dial(settings.mqtt_id, self._take, will, keep_session=settings.receipts)
        self._take_over = False
        return client

    def _dial(
        self, client_id: str, hear: OnMessage, will: Will | None = None, *, keep_session: bool = False
    ) -> paho.Client:
        try:
            return connect(
                self._settings, client_id, self._version, will, keep_session=keep_session, on_message=hear
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
        self._heard_self.clear()
        self._be_seen(client)
        self.connected, self.trouble, self._connected_s = True, None, time.monotonic()
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
        """Let it wait for the turn of its box; unread, for reading costs more than a flood may cost others."""
        self._heard += 1
        try:
            commune, device, suffix = split(packet.topic, self._settings.root)
        except (WireError, UnicodeDecodeError):  # paho decodes the topic when it is asked for
            self.counters.ignored += 1
            return
        if device == STATION:
            self.counters.ignored += 1
            self._hear_station(commune, bytes(packet.payload))
            return
        box, size_bytes, kind = (commune, device), len(packet.payload), read_topic("box", suffix)[0]
        if packet.retain and kind not in _STATES:
            self._kept_astray[box] = self._kept_astray.get(box, 0) + 1
        if self._limits is not None and self._limits.refuses(*box, kind, size_bytes):
            self.counters.refused += 1
            return
        if not self._queue:
            self._waiting_since_s = time.monotonic()
        properties = getattr(packet.properties, "UserProperty", ()) if packet.properties else ()
        if not self._queue.put(
            box, (packet.topic, bytes(packet.payload), tuple(properties), packet.retain), size_bytes
        ):
            self.counters.refused += 1
            self._overrun[box] = self._overrun.get(box, 0) + 1

    def _hear_station(self, commune: str, payload: bytes) -> None:
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
                self._rival = named(status, commune)
            else:  # that one's farewell is not ours: the boxes must not hold back what waits for us
                self._announced.discard(commune)
            if status.session not in self._own:
                self._raise_alarm(AlarmKind.SECOND_STATION, None, named(status, commune))

    def _ripe(self, *, quiet: bool) -> bool:
        """Whether to hand over what waits: at once if the handler is fast; a slow one gets larger batches."""
        waited_s = time.monotonic() - self._waiting_since_s
        gathered = waited_s >= min(self._commit_s, _BATCH_S)
        return (quiet and gathered) or waited_s >= min(max(_BATCH_S, _READ_SHARE * self._batch_s), _READ_S)

    def _next_batch(self) -> Sequence[InboundMessage]:
        """Some of what waits of each box, read; what the handler has enough of is left out."""
        root = self._settings.root
        batch = [
            read(topic, raw, dict(properties), retained=retained, root=root)
            for topic, raw, properties, retained in self._queue.take(_BATCH, _BATCH_BYTES)
        ]
        limits, admitted = self._limits, list[InboundMessage]()
        if limits is None:
            return batch
        if self._done(lambda: admitted.extend(limits.admitted(batch))):
            self.counters.refused += len(batch) - len(admitted)
        return admitted

    def _deliver(self, client: paho.Client) -> None:
        """Hand over what waits, then give the receipts."""
        begun_s = time.monotonic()
        batch = self._next_batch()
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
        self._waiting_since_s = time.monotonic()
        self._batch_s = self._waiting_since_s - begun_s

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
        if now_s - self._attended_s < _ATTEND_S:
            return
        self._attended_s = now_s
        if isinstance(self._handler, Attends):
            self._done(self._handler.attend)
        self._tell_troubles()

    def _tell_troubles(self) -> None:
        overrun, self._overrun = self._overrun, {}
        for box, count in overrun.items():
            detail = f"{count} messages came faster than they can be read; they have no receipt"
            self._raise_alarm(AlarmKind.QUOTA, box, detail, count)
        astray, self._kept_astray = self._kept_astray, {}
        for box, count in astray.items():
            detail = f"{count} messages on topics of which the broker must keep none came with the subscription"
            self._raise_alarm(AlarmKind.RETAINED_FLOOD, box, detail, count)

    def _raise_alarm(self, kind: AlarmKind, box: Box | None, detail: str, count: int = 1) -> None:
        handler = self._handler
        if isinstance(handler, RaisesAlarms):
            self._done(lambda: handler.raise_alarm(kind, box, detail, count))

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
