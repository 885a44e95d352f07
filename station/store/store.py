"""The station's store: what the boxes were told is committed is here.

Invariants
 1. When commit() returns, all of it is on disk; when it raises, none of it has a row.
 2. A picture's row is committed only after its bytes are on disk.
 3. A message is kept once by box, stream and seq, an event's message once by box, id and revision.
 4. The same id with other content never overwrites: it becomes a conflict, with its bytes, and is told.
 5. An event shows its highest revision, in whatever order they come.
 6. What cannot be read, or what the database refuses, is kept with topic, bytes and reason, and holds up
    nothing else.
 7. What is committed of a stream is known for ever, even when the messages themselves were deleted.
 8. A number that is missing while later ones are here is told as a gap once it has lasted, and closed when it
    comes.
 9. What a receipt proves is the digest under which the message is kept; a conflict does not change it.
10. It grows by no more than its quota for each box and day; what is refused is not receipted.
11. What has a number, and each picture, is handed to the journal before it is committed.
12. Footage is admitted only of what was asked for, and lies in the folder of its request (station/footage/).

It is a handler of station.ingest.subscriber: connection -> inbound -> store -> receipts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from agent.translatable import tr
from station.config import FootageSettings, QuotaSettings
from station.footage.arrival.intake import FootageIntake
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage, MessageKind
from station.store.alarms import LogLine, close_alarm, close_quiet, raise_alarm
from station.store.blobs import BLOBS
from station.store.columns import HOUR_MS
from station.store.database import StoreError, in_words, upgrade
from station.store.events import trim_feed
from station.store.gap_scan import GapScan
from station.store.id_cache import Box, IdCache
from station.store.pictures.rows import committed_end
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.pictures.writer import PictureWriter
from station.store.quota import DAY_MS, QUIET_MS, Quota
from station.store.schema import box, message, span, stream
from station.store.statements.analysis import analyze
from station.store.titles import watch_titles
from station.store.writer import BatchWriter, Notice

log = structlog.get_logger("station.store.store")

_REPORT_S = 5.0
_TRIM_S = 60.0
_OVER_AFTER_MS = {
    AlarmKind.SECOND_STATION: QUIET_MS,
    AlarmKind.SECOND_HOLDER: DAY_MS,  # somebody has to look for the other box; it may be switched off meanwhile
    AlarmKind.OUTBOX_WENT_BACK: DAY_MS,
    AlarmKind.CLOCK_APART: 3 * HOUR_MS,  # looked at each hour
    AlarmKind.RETAINED_FLOOD: DAY_MS,  # they are seen at a connect only
}
T = TypeVar("T")


class Store:
    """One database and one folder of blobs; owned by one process, used by one thread.

    Raises:
        StoreError: the database or the folder cannot be used.
    """

    def __init__(
        self,
        engine: Engine,
        state_dir: Path,
        gap_after_s: float = 60.0,
        now: Callable[[], float] = time.time,
        quota: QuotaSettings | None = None,
        duties: Iterable[Callable[[Store], None]] = (),
        journal: Callable[[Sequence[InboundMessage]], None] = lambda _: None,
        footage: FootageIntake | None = None,
    ) -> None:
        """`duties` are called at each `attend`: what else is looked after in the station's own turn.

        `journal` gets whatever is to be kept before it is kept; what it raises keeps it from being kept.
        `footage` takes in what was asked for.
        """
        self._engine = engine
        self._duties = tuple(duties)
        self._journal = journal
        self._now = now
        self._footage = footage or FootageIntake(state_dir, FootageSettings().max_bytes)
        self._ids = IdCache()
        self._gap_scan = GapScan(gap_after_s)
        self._quota = Quota(quota or QuotaSettings())
        self._reported_s = self._trimmed_s = 0.0
        self._titles_watched = False
        self._shelf = PictureShelf(state_dir / BLOBS)
        self._pictures = PictureWriter(self._shelf)
        try:
            before, after = upgrade(engine)
            if before != after:
                log.info("store_upgraded", before=before, after=after)
            if before not in (None, after):
                self._transact(analyze)  # of new indexes it knows nothing yet
            self._transact(self._resume)
            self._disk(self._footage.resume)
        except BaseException:
            engine.dispose()  # whoever made it has no store to close
            raise

    def commit(self, messages: Sequence[InboundMessage]) -> None:
        """Keep these.

        Raises:
            StoreError: disk or database will not; invariant 1.
        """
        self._journal(messages)  # invariant 11
        self._keep(messages, {False: messages})

    def take_over(self, messages: Sequence[InboundMessage]) -> None:
        """Keep what an earlier station of the commune had receipted: as `commit`, and it counts for no quota.

        Raises:
            StoreError: as commit.
        """
        self._journal(messages)  # invariant 11
        self._keep(messages, {})

    def refuses(self, commune: str, device: str, kind: MessageKind, size_bytes: int) -> bool:
        """Whether the quota of a box is used up for this kind of message (invariant 10)."""
        return self._quota.refuses((commune, device), kind, size_bytes, self._now_ms() // DAY_MS)

    def admitted(self, messages: Sequence[InboundMessage]) -> list[InboundMessage]:
        """Those for which the quotas of their boxes have room (invariant 10).

        Raises:
            StoreError: the database cannot be read.
        """
        day = self._now_ms() // DAY_MS
        judged = self._disk(lambda: [self._footage.judged(message) for message in messages])
        wanted = [message for message in judged if message is not None]
        if self._quota.lacks(wanted, day):
            self._transact(lambda connection: self._quota.load(connection, wanted, day))
        return self._quota.admitted(wanted, day)

    def compare(self, copies: Sequence[InboundMessage]) -> None:
        """What came again although it is committed: the same, or a conflict (invariant 4).

        Raises:
            StoreError: as commit.
        """
        numbered = [copy for copy in copies if copy.seq is not None]
        day = self._now_ms() // DAY_MS

        def differing(connection: Connection) -> list[InboundMessage]:
            self._quota.load(connection, copies, day)
            return BatchWriter(connection, self._ids, self._now_ms()).differing(numbered)

        others = self._transact(differing)
        kept = self._quota.admitted(others, day, unreadable=True)
        refused = {id(copy) for copy in others} - {id(copy) for copy in kept}
        unnumbered = [copy for copy in copies if copy.seq is None]
        same = [copy for copy in copies if id(copy) not in refused]
        self._journal(kept)  # invariant 11; the rest is committed, and was handed over before
        self._keep(same, {False: unnumbered, True: kept})

    def committed(self, commune: str, device: str, stream_name: str) -> list[tuple[int, int]]:
        """What is committed of a stream (invariant 7).

        Raises:
            StoreError: the database cannot be read.
        """
        query = (
            select(span.c.first, span.c.last)
            .join(stream, stream.c.id == span.c.stream_id)
            .join(box, box.c.id == stream.c.box_id)
            .where(box.c.commune == commune, box.c.device == device, stream.c.name == stream_name)
            .order_by(span.c.first)
        )
        return self._transact(lambda connection: [(row.first, row.last) for row in connection.execute(query)])

    def digests(
        self, commune: str, device: str, stream_name: str, first: int, last: int, limit: int
    ) -> list[tuple[int, str]]:
        """Of the lowest `limit` messages that are kept from `first` to `last`, by seq (invariant 9).

        Raises:
            StoreError: the database cannot be read.
        """
        query = (
            select(message.c.seq, message.c.digest)
            .join(stream, stream.c.id == message.c.stream_id)
            .join(box, box.c.id == stream.c.box_id)
            .where(box.c.commune == commune, box.c.device == device, stream.c.name == stream_name)
            .where(message.c.seq.between(first, last))
            .order_by(message.c.seq)
            .limit(limit)
        )
        return self._transact(lambda connection: [(row.seq, row.digest) for row in connection.execute(query)])

    def attend(self) -> None:
        """Look for gaps, report quotas, trim the feed, do the duties; called about once a second.

        Raises:
            StoreError: the database cannot be read or written.
        """
        if self._gap_scan.is_due(time.monotonic()):
            now_ms = self._now_ms()
            _log(self._transact(lambda connection: self._gap_scan.scan(connection, now_ms)))
        if time.monotonic() - self._reported_s >= _REPORT_S:
            self._reported_s, at_ms = time.monotonic(), self._now_ms()
            _log(Notice(*line) for line in self._transact(lambda connection: self._report(connection, at_ms)))
        if time.monotonic() - self._trimmed_s >= _TRIM_S:
            self._trimmed_s = time.monotonic()
            self._transact(trim_feed)
        for duty in self._duties:
            duty(self)

    def raise_alarm(
        self, kind: AlarmKind, of_box: Box | None, detail: str, count: int = 1, *, since_ms: int | None = None
    ) -> None:
        """Open an alarm, or raise it again; without a box it is about the station itself.

        `since_ms` is when it began, where that is known to be before now.

        Raises:
            StoreError: the database cannot be written.
        """
        now_ms = self._now_ms()

        def write(connection: Connection) -> LogLine | None:
            box_id = None if of_box is None else self._ids.box_id(connection, of_box, now_ms)
            return raise_alarm(connection, kind, box_id, now_ms, detail, count, since_ms)

        self._log_alarm(self._transact(write))

    def close_alarm(self, kind: AlarmKind, of_box: Box | None) -> None:
        """End an alarm, if it stands.

        Raises:
            StoreError: the database cannot be written.
        """
        now_ms = self._now_ms()

        def write(connection: Connection) -> LogLine | None:
            box_id = None if of_box is None else self._ids.box_id(connection, of_box, now_ms)
            return close_alarm(connection, kind, box_id, now_ms)

        self._log_alarm(self._transact(write))

    def _report(self, connection: Connection, at_ms: int) -> list[LogLine]:
        """What was not noticed for a while is over: nobody says so."""
        lines = [
            line
            for kind, quiet_ms in _OVER_AFTER_MS.items()
            for line in close_quiet(connection, kind, at_ms - quiet_ms, at_ms)
        ]
        if not self._titles_watched:  # of a store of before; later each that changes is held against the others
            self._titles_watched = True
            lines += watch_titles(connection, at_ms)
        return [*lines, *self._quota.report(connection, self._ids, at_ms)]

    def close(self) -> None:
        """Let go of the database and of the folder."""
        self._pictures.close()
        self._engine.dispose()

    # --------------------------------------------------------------------------------------------- the inside

    def _log_alarm(self, line: LogLine | None) -> None:
        if line is not None:
            _log([Notice(*line)])

    def _keep(
        self, messages: Sequence[InboundMessage], charged: Mapping[bool, Sequence[InboundMessage]]
    ) -> None:
        """Keep these; `charged` are those that count, by whether they count as unreadable."""
        self._disk(lambda: self._footage.keep(messages))  # invariant 12
        try:
            notices = self._transact(lambda connection: self._write(connection, messages, charged))
        except _Refused as refused:
            self._one_by_one(messages, str(refused))  # invariant 6
        else:
            _log(notices)

    def _write(
        self,
        connection: Connection,
        messages: Sequence[InboundMessage],
        charged: Mapping[bool, Sequence[InboundMessage]],
    ) -> list[Notice]:
        now_ms = self._now_ms()
        writer = BatchWriter(connection, self._ids, now_ms, _Shelf(self, connection))
        writer.write(messages)
        self._quota.load(connection, messages, now_ms // DAY_MS)
        for unreadable, these in charged.items():
            self._quota.charge(these, unreadable)
        self._quota.write(connection, self._ids, now_ms)  # invariant 10
        self._disk(self._pictures.sync)  # invariant 2
        return writer.notices

    def put_pictures(self, connection: Connection, pictures: Mapping[str, bytes]) -> Mapping[str, PicturePlace]:
        """Write them within a transaction, at whose end they are synced; where each lies.

        Raises:
            StoreError: the disk will not.
        """
        if pictures and not self._pictures.is_ready:
            self._resume(connection)
        return self._disk(lambda: self._pictures.append(pictures))

    def has_picture(self, place: PicturePlace) -> bool:
        """Whether it lies there.

        Raises:
            StoreError: the disk will not.
        """
        return self._disk(lambda: self._shelf.has(place))

    def _one_by_one(self, messages: Sequence[InboundMessage], why: str) -> None:
        """One of several is refused: find out which, and set it apart."""
        if len(messages) > 1:
            for message in messages:
                self._keep([message], {False: [message]})
            return
        refused = [_unreadable(message, why) for message in messages]
        try:
            _log(self._transact(lambda connection: self._write(connection, refused, {True: refused})))
        except _Refused as error:
            raise StoreError(
                tr("the database refuses a message even as bytes: {error}", error=error), tr("report it")
            ) from None

    def _transact(self, job: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                result = job(connection)
        except (SQLAlchemyError, ValueError, OverflowError) as error:
            self._forget()
            if _is_refusal(error):
                raise _Refused(" ".join(str(getattr(error, "orig", error)).split())[:300]) from error
            raise in_words(error, self._engine.url) from error
        except BaseException:
            self._forget()
            raise
        self._pictures.confirm()
        return result

    def _forget(self) -> None:
        """What was remembered of a transaction that failed is not so."""
        self._ids.clear()
        self._quota.forget()
        self._pictures.doubt()

    def _disk(self, job: Callable[[], T]) -> T:
        try:
            return job()
        except OSError as error:
            raise in_words(error, self._engine.url) from error

    def _resume(self, connection: Connection) -> None:
        """Go on behind the pictures that have rows; what a crash left behind them is cut off."""
        end = committed_end(connection)
        orphans = self._disk(lambda: self._pictures.resume(end))
        if orphans.removed:
            log.info("orphans_removed", pictures=orphans.removed)
        if orphans.spared:
            hint = tr("is this the database that belongs to these pictures? nothing was removed")
            log.warning("pictures_without_rows", pictures=orphans.spared, hint=hint)

    def _now_ms(self) -> int:
        return round(self._now() * 1000)


class _Shelf:
    """Where the pictures of one transaction go."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self._store, self._connection = store, connection

    def put(self, pictures: Mapping[str, bytes]) -> Mapping[str, PicturePlace]:
        return self._store.put_pictures(self._connection, pictures)

    def has(self, place: PicturePlace) -> bool:
        return self._store.has_picture(place)


class _Refused(Exception):
    """The database takes no such values, however healthy it is."""


def _is_refusal(error: Exception) -> bool:
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    return isinstance(error, ValueError | OverflowError)  # a driver cannot even write the value


def _unreadable(message: InboundMessage, why: str) -> InboundMessage:
    return replace(message, payload=None, event=None, image=None, problem=f"the database refuses it: {why}")


def _log(notices: Iterable[Notice]) -> None:
    for notice in notices:
        log.warning(notice.event, **notice.fields)
