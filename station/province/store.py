"""The province's store: what stations were receipted for is here.

Invariants
 1. When commit() returns, all of it is on disk; when it raises, none of it has a row.
 2. A message is kept once by commune, stream and seq; an event's by its id, box and revision; a seal and an
    interval by box, stream and seq. What comes again changes nothing.
 3. The same key with other content never overwrites: the first stays, the other is kept beside it.
 4. An event shows its highest revision, an hour and a box what was said last, in whatever order they come.
 5. What cannot be read is kept with its bytes and the reason, and holds up nothing else.
 6. Only the worker that has the shard's lock writes, and over the connection that holds it (shard_lock.py).
 7. It grows by no more than the quota of each commune and day; what is refused is not receipted (quota.py).

It is a handler of station.ingest.subscriber: connection -> inbound -> store -> receipts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from agent.translatable import tr
from station.ingest.handler import OutboundCommand
from station.ingest.inbound import InboundMessage, MessageKind
from station.province import months
from station.province.inbound import UpMessage
from station.province.items import ItemRows
from station.province.quota import CommuneUsage
from station.province.requests.carrier import commands_due, forget_old
from station.province.requests.footage import FootageCheck
from station.province.settings import MAX_FOOTAGE_BYTES, CommuneQuota
from station.province.shard_lock import LockLost, ShardLock
from station.province.writer import UpWriter
from station.store.database import StoreError, in_words

log = structlog.get_logger("station.province.store")
T = TypeVar("T")

VERSION: Final = 5
_STEPS: Final = {2: "schema_3.sql", 3: "schema_4.sql", 4: "schema_5.sql"}
"""What brings a database of a version to the next one."""
DAY_MS: Final = 86_400_000
PROVEN_MS: Final = 60 * DAY_MS
"""So long what a receipt proves is remembered; that it is committed is known for ever."""
_TEND_S: Final = 60.0
_REPORT_S: Final = 5.0
_LIVES: Final = 100

_COMMITTED = text(
    "select first, last from up_span join up_stream on up_stream.id = stream_id "
    "join commune on commune.id = commune_id where commune.name = :commune and up_stream.name = :stream "
    "order by first"
)
_DIGESTS = text(
    "select seq, digest from up_message join up_stream on up_stream.id = stream_id "
    "join commune on commune.id = commune_id where commune.name = :commune and up_stream.name = :stream "
    "and seq between :first and :last order by seq limit :most"
)
_OLD = text("delete from up_message where received_ms < :before_ms")
_EARLIER = text("select session from worker_life where shard = :shard order by began_ms desc limit :most")
_BEGIN = text("insert into worker_life values (:shard, :session, :now_ms) on conflict do nothing")


def upgrade(engine: Engine) -> None:
    """Make the tables, if they are not there.

    Raises:
        StoreError: it is no PostgreSQL, belongs to another program or a newer version, or cannot be written.
    """
    if engine.dialect.name != "postgresql":
        raise StoreError(tr("the province's database must be PostgreSQL"), tr("set database.url"))
    folder = Path(__file__).parent
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(7163375935662319)"))
            connection.execute(text("create table if not exists province_version (number integer not null)"))
            found = connection.scalar(text("select number from province_version"))
            if found is None:
                connection.exec_driver_sql((folder / "schema.sql").read_text(encoding="utf-8"))
                connection.execute(text("insert into province_version values (2)"))
                found = 2
            while found in _STEPS:
                connection.exec_driver_sql((folder / _STEPS[found]).read_text(encoding="utf-8"))
                found += 1
                connection.execute(text("update province_version set number = :number"), {"number": found})
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    if found == 1:
        raise StoreError(
            tr("the province's database was written by a trial before the first version"),
            tr("name an empty database, and have each station send all of it anew: remove its folder uplink/"),
        )
    if found != VERSION:
        raise StoreError(
            tr("the province's database was written by a newer version ({found})", found=found),
            tr("install the newer ngatu again"),
        )


class ProvinceStore:
    """The store of one shard's worker; used by one thread."""

    def __init__(
        self,
        engine: Engine,
        shard: str,
        retention_months: int | None = None,
        now: Callable[[], float] = time.time,
        on_lost: Callable[[], None] = lambda: None,
        quota: CommuneQuota | None = None,
        picture_days: int = 30,
        max_footage_bytes: int = MAX_FOOTAGE_BYTES,
    ) -> None:
        """`on_lost` is called when another worker has the shard."""
        self._max_footage_bytes = max_footage_bytes
        self._usage = CommuneUsage(quota or CommuneQuota())
        self._reported_s = float("-inf")
        self.lock = ShardLock(engine, shard)
        self._engine, self._shard, self._now = engine, shard, now
        self._retention_months, self._on_lost = retention_months, on_lost
        self._picture_days = picture_days
        self._check = FootageCheck(shard)
        self._made: set[months.Month] = set()
        self._tended_s = float("-inf")

    def commit(self, messages: Sequence[InboundMessage]) -> None:
        """Keep these (invariant 1).

        Raises:
            StoreError: the database will not, or the shard is another's.
        """
        now_ms, items = self._now_ms(), ItemRows()
        for message in messages:
            if isinstance(message, UpMessage) and message.envelope is not None:
                items.add(message.device, message.envelope.items, now_ms)
        self._have_months(items.months(now_ms), now_ms)
        day = now_ms // DAY_MS

        def write(writer: UpWriter, connection: Connection) -> None:
            writer.write(messages, items)
            self._usage.load(connection, messages, day)
            self._usage.write(connection, self._usage.charge(messages))  # invariant 7

        self._write(write, now_ms)
        for row in items.unreadable:
            log.warning("up_item_unreadable", commune=row["commune"], kind=row["kind"], why=row["reason"][:300])

    def compare(self, copies: Sequence[InboundMessage]) -> None:
        """What came again although it is committed: the same, or a conflict (invariant 3).

        Raises:
            StoreError: as commit.
        """
        numbered = [copy for copy in copies if copy.seq is not None]
        if not numbered:
            return
        now_ms = self._now_ms()

        def write(writer: UpWriter, connection: Connection) -> None:
            writer.write_conflicts(numbered)
            self._usage.load(connection, numbered, now_ms // DAY_MS)
            self._usage.write(connection, self._usage.charge_conflicts(writer.new_conflicts))

        self._write(write, now_ms)

    def refuses(self, _shard: str, commune: str, kind: MessageKind, size_bytes: int) -> bool:
        """Whether the quota of a commune is used up (invariant 7); what it says of itself is always taken."""
        is_envelope = kind is MessageKind.UNKNOWN
        return is_envelope and self._usage.is_full(commune, size_bytes, self._now_ms() // DAY_MS)

    def admitted(self, messages: Sequence[InboundMessage]) -> list[InboundMessage]:
        """Those for which the quotas of their communes have room (invariant 7).

        Raises:
            StoreError: as commit.
        """
        day = self._now_ms() // DAY_MS
        if self._usage.lacks(messages, day):
            self._transact(lambda connection: self._usage.load(connection, messages, day))
        return self._usage.admitted(messages, day)

    def committed(self, _shard: str, commune: str, stream: str) -> list[tuple[int, int]]:
        """What is committed of a stream of a commune's uplink.

        Raises:
            StoreError: the database cannot be read.
        """
        named = {"commune": commune, "stream": stream}
        return self._transact(lambda c: [(row.first, row.last) for row in c.execute(_COMMITTED, named)])

    def digests(
        self, _shard: str, commune: str, stream: str, first: int, last: int, limit: int
    ) -> list[tuple[int, str]]:
        """Of the lowest `limit` messages that are remembered from `first` to `last`, by seq.

        Raises:
            StoreError: the database cannot be read.
        """
        asked = {"commune": commune, "stream": stream, "first": first, "last": last, "most": limit}
        return self._transact(lambda c: [(row.seq, row.digest) for row in c.execute(_DIGESTS, asked)])

    def attend(self) -> None:
        """Have the lock again if it was lost, and look after the partitions; called about once a second.

        Raises:
            StoreError: the database cannot be used.
        """
        if not self.lock.held:
            if not self.lock.take():
                self._on_lost()
                return
            log.info("shard_taken_again", shard=self._shard)
        self._report()
        for name, fields in self._transact(lambda connection: self._check.turn(connection, self._now_ms())):
            log.warning(name, **fields)
        if time.monotonic() - self._tended_s < _TEND_S:
            self._transact(lambda connection: connection.scalar(text("select 1")))
            return
        self._tended_s, now_ms = time.monotonic(), self._now_ms()
        self._have_months(set(months.ahead(now_ms)), now_ms)
        if (oldest := self._oldest(now_ms)) is not None:
            self._made.clear()
            for month in self._transact(lambda connection: months.drop(connection, oldest)):
                log.info("month_dropped", month=f"{month // 12}-{month % 12 + 1:02d}")
        self._transact(lambda connection: connection.execute(_OLD, {"before_ms": now_ms - PROVEN_MS}))
        self._transact(lambda connection: forget_old(connection, self._picture_days, now_ms))

    def commands(self) -> list[OutboundCommand]:
        """Requests of the console that are to go to stations of the shard now.

        Raises:
            StoreError: the database cannot be used.
        """
        if not self.lock.held:
            return []
        now_ms = self._now_ms()
        return self._transact(lambda connection: commands_due(connection, self._shard, now_ms))

    def earlier(self) -> tuple[str, ...]:
        """Sessions of workers of this shard: whatever the broker has kept of these is no other station's."""
        asked = {"shard": self._shard, "most": _LIVES}
        return self._transact(lambda connection: tuple(connection.scalars(_EARLIER, asked)))

    def begin(self, session: str) -> None:
        """This one speaks from now on.

        Raises:
            StoreError: it cannot be written.
        """
        life = {"shard": self._shard, "session": session, "now_ms": self._now_ms()}
        self._transact(lambda connection: connection.execute(_BEGIN, life))

    def close(self) -> None:
        """Let go of the shard and of the database."""
        self.lock.release()
        self._engine.dispose()

    # --------------------------------------------------------------------------------------------- the inside

    def _report(self) -> None:
        if time.monotonic() - self._reported_s < _REPORT_S:
            return
        self._reported_s, now_ms = time.monotonic(), self._now_ms()
        day = now_ms // DAY_MS
        for name, fields in self._transact(lambda connection: self._usage.report(connection, day, now_ms)):
            log.warning(name, **fields)

    def _write(self, job: Callable[[UpWriter, Connection], None], now_ms: int) -> None:
        oldest = self._oldest(now_ms)

        def write(connection: Connection) -> UpWriter:
            writer = UpWriter(connection, now_ms, oldest, self._max_footage_bytes)
            job(writer, connection)
            return writer

        for name, fields in self._transact(write).notices:
            log.warning(name, **fields)

    def _have_months(self, wanted: set[months.Month], now_ms: int) -> None:
        """Partitions lie ready before the rows come: made in a transaction of their own."""
        oldest = self._oldest(now_ms)
        lacking = {each for each in wanted - self._made if oldest is None or each >= oldest}
        if lacking:
            self._transact(partial(months.make, months=lacking))
            self._made |= lacking

    def _oldest(self, now_ms: int) -> months.Month | None:
        """The oldest month that is kept; None: all are."""
        return None if self._retention_months is None else months.month_of(now_ms) - self._retention_months

    def _transact(self, job: Callable[[Connection], T]) -> T:
        try:
            return self.lock.transact(job)
        except LockLost:
            self._made.clear()
            self._usage.forget()
            raise
        except SQLAlchemyError as error:
            self._made.clear()
            self._usage.forget()
            raise in_words(error, self._engine.url) from error

    def _now_ms(self) -> int:
        return round(self._now() * 1000)
