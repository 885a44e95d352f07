"""Messages on their way through the station: a turn for each box, batches for the handler, and receipts.

Promises 1, 2, 3 and 7 of subscriber.py. What comes is gathered for a moment, for a commit costs the disk nearly
as much for one message as for ten. While a batch is being committed nothing more is read: a slow handler gets
larger batches.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import paho.mqtt.client as paho

from agent.core.types import Instant
from agent.wire import codec
from agent.wire.channels import CHANNELS
from agent.wire.topics import Topics
from station.ingest.alarms import AlarmKind
from station.ingest.fair_queue import Box, FairQueue
from station.ingest.handler import Handler, LimitsBoxes, Memory
from station.ingest.handler_calls import HandlerCalls
from station.ingest.inbound import BOXES, Dialect, InboundMessage, MessageKind
from station.ingest.presence import Presence
from station.ingest.receipts import Receipts
from station.ingest.settings import SubscriberSettings

_STATES = frozenset(channel.kind for channel in CHANNELS if channel.retained)
_BATCH_S = 0.02
"""At 150 events a second on a fast disk that makes 33 commits a second instead of 70: an event costs a third
less of the processor and a quarter less of the disk, and 95 of 100 receipts come within 40 ms."""
_BATCH = 400
"""An event of a backlog costs the disk an eighth less than by 200, for a commit writes each page once."""
_BATCH_BYTES = 8 * 2**20
"""So many with a picture of 40 kB each second one: they are in memory at once."""
_READ_SHARE, _READ_S = 4.0, 0.25
"""While the broker has more, it is read so many times as long as the last batch took, and at most so long."""

_Packet = tuple[str, bytes, tuple[tuple[str, str], ...], bool]
"""Topic, payload, user properties, retained: of paho's messages each would cost every collection of garbage."""


class Batches:
    """What waits of each box, and what became of it."""

    def __init__(
        self,
        settings: SubscriberSettings,
        handler: Handler,
        calls: HandlerCalls,
        presence: Presence,
        dialect: Dialect = BOXES,
    ) -> None:
        self._dialect = dialect
        self._settings, self._calls, self._presence = settings, calls, presence
        self._counters = calls.counters
        self._receipts = Receipts(Memory(handler), time.monotonic)
        self._limits = handler if isinstance(handler, LimitsBoxes) else None
        self._queue = FairQueue[_Packet]()
        self._kept_astray: dict[Box, int] = {}
        """Messages that the broker had kept although they are no states, by box, since the last look."""
        self._overrun: dict[Box, int] = {}
        """Messages for which the queue had no room, by box, since the last look."""
        self._waiting_since_s = 0.0
        self._batch_s = 0.0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._queue)

    def drop(self) -> None:
        """Let go of what is unread: another station gets it as well."""
        self._queue = FairQueue[_Packet]()

    def put(self, box: Box, suffix: str, packet: paho.MQTTMessage) -> None:
        """Let it wait for the turn of its box; unread, for reading costs more than a flood may cost others."""
        size_bytes, kind = len(packet.payload), self._dialect.kind_of(suffix)
        if packet.retain and kind not in _STATES:
            self._kept_astray[box] = self._kept_astray.get(box, 0) + 1
        if self._limits is not None and self._limits.refuses(*box, kind, size_bytes):
            self._counters.refused += 1
            return
        if not self._queue:
            self._waiting_since_s = time.monotonic()
        properties = getattr(packet.properties, "UserProperty", ()) if packet.properties else ()
        if not self._queue.put(
            box, (packet.topic, bytes(packet.payload), tuple(properties), packet.retain), size_bytes
        ):
            self._counters.refused += 1
            self._overrun[box] = self._overrun.get(box, 0) + 1

    def ripe(self, *, quiet: bool) -> bool:
        """Whether to hand over what waits; `quiet`: the broker has nothing more now."""
        waited_s = time.monotonic() - self._waiting_since_s
        longest_s = _BATCH_S if quiet else min(max(_BATCH_S, _READ_SHARE * self._batch_s), _READ_S)
        return waited_s >= longest_s

    def deliver(self, client: paho.Client) -> None:
        """Hand over what waits, then give the receipts."""
        begun_s = time.monotonic()
        batch = self._next_batch()
        deduplicated = self._receipts.deduplicate(batch)
        copies, conflicts = deduplicated.copies, deduplicated.conflicts
        self._counters.duplicates += len(copies) + len(conflicts)
        kept = not deduplicated.fresh or self._calls.committed(deduplicated.fresh)
        if kept:
            self._receipts.remember(deduplicated.fresh)
        if (copies or conflicts) and not (kept and self._calls.compared(copies, conflicts)):
            batch = deduplicated.fresh
        if self._calls.failing is not None:
            self._presence.step_back(client)
        if self._settings.receipts:
            self._give_receipts(client, batch)
            self._counters.receipted += sum(map(self._receipts.has, deduplicated.fresh))
        self._waiting_since_s = time.monotonic()
        self._batch_s = self._waiting_since_s - begun_s

    def tell_troubles(self) -> None:
        """Raise an alarm for each box that sends faster than is read, or of which the broker keeps too much."""
        overrun, self._overrun = self._overrun, {}
        for box, count in overrun.items():
            detail = f"{count} messages came faster than they can be read; they have no receipt"
            self._calls.raise_alarm(AlarmKind.QUOTA, box, detail, count)
        astray, self._kept_astray = self._kept_astray, {}
        for box, count in astray.items():
            detail = f"{count} messages on topics of which the broker must keep none came with the subscription"
            self._calls.raise_alarm(AlarmKind.RETAINED_FLOOD, box, detail, count)

    def _next_batch(self) -> Sequence[InboundMessage]:
        """Some of what waits of each box, read; what the handler has enough of is left out."""
        root = self._settings.root
        batch = [
            self._dialect.read(topic, raw, dict(properties), retained=retained, root=root)
            for topic, raw, properties, retained in self._queue.take(_BATCH, _BATCH_BYTES)
        ]
        limits, admitted = self._limits, list[InboundMessage]()
        if limits is None:
            return batch
        if self._calls.done(lambda: admitted.extend(limits.admitted(batch)), "admit"):
            self._counters.refused += len(batch) - len(admitted)
        return admitted

    def _give_receipts(self, client: paho.Client, batch: Sequence[InboundMessage]) -> None:
        for commune in {message.commune for message in batch}:
            self._presence.announce(client, commune)
        for commune in {message.commune for message in batch if message.kind is MessageKind.HELLO}:
            self._presence.asked(commune)
        now = Instant(time.monotonic(), time.time())
        for due in self._receipts.due(batch):
            commune, device = due.box
            station = self._settings.station
            payload = codec.receipt(station, due.stream, due.committed, now, due.images, due.newest)
            client.publish(Topics(commune, device, self._settings.root).of(MessageKind.RECEIPT), payload, qos=1)
