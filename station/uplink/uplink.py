"""The uplink of a station: out of its store into an outbox of its own, and up to the province.

Invariants
1. A number is noted as handed only after the envelope that holds it is in the outbox, on its disk.
2. The outbox holds what is on its way and no more: beyond MOST_WAITING the rest waits in the store. What is not
   urgent stops at MOST_BULK: where the province takes no more of it today, alerts still go up.
3. Nothing here holds up the station: it reads its store, writes a line of its audit log for each request of the
   province (requests/desk.py), and whatever fails here is told once and tried again.
4. What is requested goes behind everything else: it is put there only below MOST_REQUESTED, and a request that
   cannot be served holds up nothing that goes up by itself.
docs/design/uplink.md has the contract.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent.clock import Clock, SystemClock
from agent.core.types import Instant
from agent.errors import NgatuError, OutboxError
from agent.mqtt.forwarder import Forwarder, ForwarderStats
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Condition, Outbox, OutboxSettings
from agent.transport.settings import EndpointSettings
from agent.wire.codec import BYTES
from agent.wire.message import Message, Priority
from agent.wire.ranges import Ranges
from agent.wire.topics import Topics
from station.store.database import in_words
from station.uplink.envelope import (
    ENVELOPE,
    MAX_ITEMS,
    MAX_PLAIN_BYTES,
    Envelope,
    UpItem,
    fitting,
    packed,
)
from station.uplink.gather import Gathered, gather, hours, is_over_ms
from station.uplink.handed import HandedBook, HandedNumbers, LineHour, Stream
from station.uplink.requests.desk import RequestDesk
from station.uplink.settings import UplinkSettings
from station.uplink.states import StateNews

log = structlog.get_logger("station.uplink.uplink")

FOLDER: Final = "uplink"
"""Of the station's folder."""
LOOK_S: Final = 1.0
BULK_S: Final = 300.0
"""So long what is not urgent waits for more of its kind: twenty in one message cost a third more each than a
hundred."""
BULK_ITEMS: Final = 200
SLOW_S: Final = 10.0
"""Between two looks at states and hours."""
HOURS_AT_ONCE: Final = 200
MOST_WAITING: Final = 64
"""Envelopes without a receipt."""
MOST_BULK: Final = 48
"""Beyond so many nothing is put there that is not urgent."""
MOST_REQUESTED: Final = 24
"""Beyond so many nothing is put there that was asked for."""
MOST_GATHERED: Final = 2_000
"""Items that wait in memory for their turn; while there are more, only what is urgent is read."""
TROUBLE_S: Final = 10.0


@dataclass
class WaitingItems:
    """What was read, is not urgent, and was not handed over yet."""

    began_s: float
    items: list[UpItem] = field(default_factory=list)
    numbers: dict[Stream, list[tuple[int, int]]] = field(default_factory=dict)
    touched: set[LineHour] = field(default_factory=set)
    told_hours: list[LineHour] = field(default_factory=list)

    def take(self, found: Gathered) -> None:
        """Add what a look has found."""
        self.items += found.bulk
        self.touched |= found.touched
        for key, ranges in found.numbers.items():
            self.numbers.setdefault(key, []).extend(ranges)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to note."""
        return not (self.items or self.numbers or self.told_hours)

    def is_ripe(self, now: Instant) -> bool:
        """Whether it is to be handed over now."""
        waited = now.mono_s - self.began_s >= BULK_S
        return len(self.items) >= BULK_ITEMS or (waited and not self.is_empty)


class Uplink:
    """From `start` to `close`; the store must have its tables.

    Raises:
        NgatuError: the folder or a file in it cannot be used.
    """

    def __init__(
        self,
        settings: UplinkSettings,
        commune: str,
        state_dir: Path,
        reads: Engine,
        clock: Clock | None = None,
        requests: RequestDesk | None = None,
    ) -> None:
        """`requests` serves what the province asks for; it is closed with this. None: nobody is heard."""
        self._requests, self._requests_wait_s = requests, -math.inf
        self._settings, self._commune, self._reads = settings, commune, reads
        self._clock = clock or SystemClock()
        folder = state_dir / FOLDER
        try:
            folder.mkdir(mode=0o750, exist_ok=True)
        except OSError as error:
            raise in_words(error, reads.url) from error
        self._book = HandedBook(folder / "handed.db")
        bounds = OutboxSettings(max_bytes=settings.max_bytes)
        self.outbox = Outbox(folder / "outbox.db", bounds, self._clock)
        topics = Topics(settings.shard, commune, settings.root)
        endpoint = {name: getattr(settings, name) for name in EndpointSettings.model_fields}
        broker = BrokerSettings(**endpoint, protocol="5")
        heard = None if requests is None else requests.heard
        self._forwarder = Forwarder(self.outbox, broker, topics, str(uuid4()), self._clock, on_command=heard)
        self._states = StateNews()
        self._taken: dict[Stream, Ranges] = {}
        """Numbers that were read in this life; those of before are in the book."""
        self._gathering = WaitingItems(self._clock.now().mono_s)
        self._slow_s = -math.inf
        self._trouble: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="uplink", daemon=True)

    @property
    def figures(self) -> ForwarderStats:
        """How the way to the province goes."""
        return self._forwarder.figures()

    def start(self) -> None:
        """Begin; returns at once."""
        self._forwarder.start()
        self._thread.start()

    def close(self) -> None:
        """End within some seconds; what is not handed over is gathered again by the next life."""
        self._stop.set()
        self._forwarder.stop()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self.outbox.close()
        self._book.close()
        if self._requests is not None:
            self._requests.close()

    def turn(self) -> bool:
        """One look at the store, and what it brings into the outbox; whether there is more at once.

        Raises:
            NgatuError, SQLAlchemyError: store, outbox or book cannot be used.
        """
        self._mind_damage()
        if not self._has_room():
            return False
        now, waiting, for_bulk = self._clock.now(), self._gathering, self._has_room(MOST_BULK)
        found = self._look(now, only_urgent=not for_bulk and len(waiting.items) >= MOST_GATHERED)
        if found.urgent:
            self._hand_over(found.urgent, Priority.EVENT, now, HandedNumbers(found.urgent_numbers))
        if for_bulk and waiting.is_ripe(now):
            over = HandedNumbers(waiting.numbers, waiting.touched, waiting.told_hours)
            self._hand_over(waiting.items, Priority.COUNT, now, over)
            self._gathering = WaitingItems(now.mono_s)
        return self._serve_requests(now) or found.more

    # --------------------------------------------------------------------------------------------- the inside

    def _work(self) -> None:
        wait_s = 0.0
        while not self._stop.wait(wait_s):
            try:
                wait_s = 0.0 if self.turn() else LOOK_S
            except Exception as error:  # a mistake of ours must not end it either
                wait_s = TROUBLE_S
                self._begin_anew()
                self._note(error.what if isinstance(error, NgatuError) else repr(getattr(error, "orig", error)))
            else:
                self._note(None)

    def _look(self, now: Instant, *, only_urgent: bool) -> Gathered:
        """Read what is new in the store; what is not urgent waits, in memory or where it is."""
        gathering, now_ms = self._gathering, round(now.wall_s * 1000)
        with self._reads.connect() as connection, connection.begin():
            wanted = {"info_events": self._settings.info_events, "only_urgent": only_urgent}
            found = gather(connection, self._commune, self._taken_of, **wanted)
            if now.mono_s - self._slow_s >= SLOW_S:
                self._slow_s = now.mono_s
                due = self._book.due_hours(is_over_ms(now_ms), HOURS_AT_ONCE)
                waiting = set(gathering.told_hours)
                due = [] if only_urgent else [each for each in due if each not in waiting]
                items, told_hours = hours(connection, self._commune, due, now_ms)
                changed, heard = self._states.news(connection, self._commune, now_ms)
                found.urgent += changed
                found.bulk += [*items, *heard]
                gathering.told_hours += told_hours
        for key, ranges in found.numbers.items():
            for first, last in ranges:
                self._taken_of(key).add(first, last)
        if gathering.is_empty:
            gathering.began_s = now.mono_s
        gathering.take(found)
        return found

    def _taken_of(self, key: Stream) -> Ranges:
        if key not in self._taken:
            self._taken[key] = Ranges(self._book.handed(key))
        return self._taken[key]

    def _serve_requests(self, now: Instant) -> bool:
        """Whether there is more at once (invariant 4)."""
        if self._requests is None or now.mono_s < self._requests_wait_s:
            return False
        try:
            return self._requests.turn(
                lambda items, priority: self._put(items, priority, now),
                lambda: self._has_room(MOST_REQUESTED),
                now,
                self.outbox.stream,
            )
        except (NgatuError, SQLAlchemyError, OSError) as error:
            self._requests_wait_s = now.mono_s + TROUBLE_S
            why = error.what if isinstance(error, NgatuError) else str(getattr(error, "orig", error))
            log.warning("requests_wait", why=why)
            return False

    def _hand_over(
        self, items: Sequence[UpItem], priority: Priority, now: Instant, numbers: HandedNumbers
    ) -> None:
        """Invariant 1."""
        self._put(items, priority, now)
        self._book.note(numbers)

    def _put(self, items: Sequence[UpItem], priority: Priority, now: Instant) -> None:
        """Into the outbox; on its disk when this returns."""
        fit, large = fitting(items)
        for each in large:
            log.error("uplink_item_too_large", kind=each.kind, box=each.device, size_bytes=len(each.raw))
        envelopes = [data for part in _parts(fit) for data in packed(Envelope(self._commune, _ms(now), part))]
        self.outbox.put([Message(ENVELOPE, data, BYTES, priority, now) for data in envelopes])
        if self.outbox.condition().in_memory is not None:
            raise OutboxError("the uplink's outbox is in memory: nothing is noted as handed")

    def _has_room(self, most: int = MOST_WAITING) -> bool:
        """Invariant 2."""
        stats = self.outbox.stats()
        waiting = stats.pending + stats.quarantined
        is_well = self.outbox.condition() == Condition()
        return is_well and waiting < most and stats.bytes < self._settings.max_bytes // 2

    def _mind_damage(self) -> None:
        """Another file of the outbox than the one that it was handed to: nobody knows what of that was lost."""
        if self.outbox.unsaved:
            self.outbox.salvage()
        self.outbox.salvaged()
        if self.outbox.condition() == Condition() and self._book.outbox != self.outbox.stream:
            if self._book.outbox is not None:
                log.error("uplink_outbox_is_another", hint="all that the station keeps goes up once more")
            self._book.begin(self.outbox.stream)
            self._begin_anew()

    def _begin_anew(self) -> None:
        """What was read and is not noted is read again."""
        self._gathering = WaitingItems(self._clock.now().mono_s)
        self._taken.clear()
        self._states.forget()
        self._slow_s = -math.inf

    def _note(self, trouble: str | None) -> None:
        if trouble is not None and self._trouble is None:
            log.warning("uplink_waits", why=trouble)
        elif trouble is None and self._trouble is not None:
            log.info("uplink_goes_on")
        self._trouble = trouble


def _ms(at: Instant) -> int:
    return round(at.wall_s * 1000)


def _parts(items: Sequence[UpItem]) -> Iterator[tuple[UpItem, ...]]:
    """Few enough for one envelope each, before it is packed."""
    part, cost = list[UpItem](), 0
    for each in items:
        if part and (len(part) == MAX_ITEMS or cost + each.cost_bytes > MAX_PLAIN_BYTES // 2):
            yield tuple(part)
            part, cost = [], 0
        part.append(each)
        cost += each.cost_bytes
    if part:
        yield tuple(part)
