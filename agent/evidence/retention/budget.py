"""What footage takes of its disk: counted, taken before it is written, and freed, the oldest first.

Invariants
1. The budget is never passed: room is made before it is used.
2. Nothing is deleted while it is not known what is held.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from agent.clock import Clock
from agent.errors import FootageError
from agent.evidence.disk import on_disk, own_disk
from agent.evidence.listing.index import Index
from agent.evidence.listing.index_file import index_bytes
from agent.evidence.listing.listed import ListedSegment
from agent.evidence.retention.aside import Aside, delete_aside, not_later
from agent.evidence.retention.believed import BootClock
from agent.evidence.retention.boot_clocks import offsets_ms
from agent.evidence.retention.deletion import DAY_S, Deletion, Role, Why, delete, expired, oldest
from agent.evidence.settings import EvidenceSettings
from agent.translatable import tr

log = structlog.get_logger(__name__)

BATCH: Final = 0.01
"""Share of the budget that is deleted at one time: each deletion is a line in the audit log."""
MAX_BATCH_BYTES: Final = 256 << 20
FULL_S: Final = 60.0
"""A ring in which nothing may be deleted is not looked through with each piece: it has many files."""
SLACK_BYTES: Final = 4 << 20
"""Of the budget for what is not counted: folders, and the index while it grows."""
DOUBT_S: Final = 60.0
"""So long nothing is deleted after the list of held footage was found damaged: requests hold theirs again."""
FREE_BYTES: Final = 500_000_000
"""Left on a disk that others need, too: the outbox must never wait for footage."""
OWN_FREE_BYTES: Final = 16_000_000


class RingFull(FootageError):
    """There is no room, and nothing may be deleted."""


class WriteBudgetSpent(FootageError):
    """So much was written today that the card would wear out."""


class HalfDeleted(OSError):
    """The disk failed in the middle of a deletion: files lie there that the index does not name any more."""


@dataclass(slots=True)
class Deleted:
    """What was deleted since the start."""

    segments: int = 0
    bytes: int = 0
    held: int = 0
    """Of which so many segments were held."""


class FootageBudget:
    """Of one ring, whose lock it takes: what is counted and what the index names change together."""

    def __init__(
        self,
        folder: Path,
        settings: EvidenceSettings,
        clock: Clock,
        role: Role,
        on_deleted: Callable[[Deletion], bool],
        beside: Path | None,
        lock: threading.RLock,
    ) -> None:
        """`beside` and `on_deleted` are those of the ring."""
        self.deleted = Deleted()
        self._folder, self._settings, self._clock = folder, settings, clock
        self._role, self._on_deleted, self._beside = role, on_deleted, beside
        self._lock = lock
        self._used = 0
        self._reserved = 0
        self._written = 0
        """Bytes that the index does not count yet."""
        self._aside: list[Aside] = []
        self._full_until_s = self._doubt_until_s = float("-inf")

    # ---------------------------------------------------------------------------------------- what is counted

    @property
    def used_bytes(self) -> int:
        """What footage and index take on disk, with what is about to be written."""
        with self._lock:
            return self._used + self._reserved + index_bytes(self._folder)

    @property
    def uncounted_bytes(self) -> int:
        """Written since the index was last told."""
        return self._written

    @property
    def today(self) -> int:
        """The day by the clock of the ring, UTC, counted from 1970."""
        return int(self._clock.now().wall_s // DAY_S)

    def written_today(self, index: Index) -> int:
        """Bytes written since midnight, UTC."""
        with self._lock:
            return index.written_on(self.today) + self._written

    def count_anew(self, index: Index, aside: Sequence[Aside]) -> None:
        """Index and files were brought together, and this lies aside: count what is there."""
        with self._lock:
            self._aside = list(aside)
            self._written = 0  # what was open is counted with all that lay there
            _, self._used = index.totals()
            self._used += sum(on_disk(each.bytes) for each in self._aside)
            if index.holds_damaged:
                self._doubt_until_s = self._clock.now().mono_s + DOUBT_S

    def count_file(self, size_bytes: int, before_bytes: int = 0) -> None:
        """A file has this size now, and had that one."""
        with self._lock:
            self._used += on_disk(size_bytes) - on_disk(before_bytes)

    def count_appended(self, before_bytes: int, size_bytes: int) -> None:
        """The same of a segment that is written; the index hears of what was written when it is listed."""
        with self._lock:
            self.count_file(size_bytes, before_bytes)
            self._written += size_bytes - before_bytes

    def count_listed(self, found_bytes: int, listed_bytes: int | None, aside: Sequence[Aside]) -> None:
        """A file of this size was listed with so much of it, if it could be; and this of it was set aside."""
        with self._lock:
            if listed_bytes is not None:
                self._written = 0  # listing told the index
            self._aside += aside
            kept = sum(on_disk(each.bytes) for each in aside) + on_disk(listed_bytes or 0)
            self._used += kept - on_disk(found_bytes)

    def aside_number(self, camera: str) -> int:
        """The highest number of a segment of a camera that lies aside; 0: none does."""
        return max((each.number for each in self._aside if each.camera == camera), default=0)

    # ------------------------------------------------------------------------------------- taking and freeing

    def take(self, more_bytes: int, index: Index) -> None:
        """Reserve room, and of what may be written today (invariant 1).

        Raises:
            RingFull: there is no room, and nothing may be deleted.
            WriteBudgetSpent: nothing more is written today.
            OSError: the disk fails; HalfDeleted, while something is deleted.
        """
        with self._lock:
            today_bytes = self.written_today(index)
            if today_bytes + more_bytes > self._settings.daily_write_bytes:
                raise WriteBudgetSpent(
                    tr("{bytes:,} bytes of footage were written today", bytes=today_bytes),
                    tr("recording goes on at midnight (UTC); evidence.daily_write_bytes is the limit"),
                )
            self._make_room(more_bytes, index)
            self._reserved += more_bytes

    def give_back(self, taken_bytes: int) -> None:
        """What was taken is written, and counted, or will not be."""
        with self._lock:
            self._reserved -= taken_bytes

    def sweep(self, mono_s: float, believed: BootClock, index: Index) -> int:
        """Delete what is older than it may become; how many segments. `believed` is of this boot.

        Raises:
            FootageError: it could not be told.
            OSError: the disk fails; HalfDeleted, while something is deleted.
        """
        with self._lock:
            self._full_until_s = float("-inf")
            if mono_s < self._doubt_until_s:
                return 0
            now_ms = believed.believed_ms(round(mono_s * 1000))
            kept_ms = round(self._settings.max_days * DAY_S * 1000)
            # These bear one time only: dated back by a step back, they would be too old once it is right again.
            early_ms, late_ms = sorted((now_ms, round(self._clock.now().wall_s * 1000)))
            self._aside = [not_later(each, late_ms / 1000) for each in self._aside]
            old = [each for each in self._aside if each.written_s < (early_ms - kept_ms) / 1000]
            rows = expired(index, self._role, offsets_ms(index, believed), now_ms - kept_ms)
            return self._delete("age", rows, index) + self._delete_aside("age", old)

    def _make_room(self, more_bytes: int, index: Index) -> None:
        limit, now_s = self._limit(), self._clock.now().mono_s
        lacking = self.used_bytes + more_bytes - limit
        if lacking <= 0:
            return
        if now_s < max(self._full_until_s, self._doubt_until_s):
            raise self._full(limit)
        free, held = oldest(index, self._role, lacking + min(int(limit * BATCH), MAX_BATCH_BYTES))
        self._delete("budget", free, index)
        if self.used_bytes + more_bytes > limit:
            self._delete_aside("budget", self._aside)
        if self.used_bytes + more_bytes > limit and held:
            log.error(
                "held_footage_deleted", segments=len(held), hint="raise evidence.max_bytes, or release holds"
            )
            self.deleted.held += self._delete("held, for want of all else", held, index)
        if self.used_bytes + more_bytes > limit:
            self._full_until_s = now_s + FULL_S
            raise self._full(limit)

    def _full(self, limit: int) -> RingFull:
        return RingFull(
            tr("the footage is full: {bytes:,} bytes", bytes=max(0, limit)),
            tr("in the role of enforcement only what the station has is deleted: fetch it, or give it room")
            if self._role == "enforcement"
            else tr("its disk is full of other things: give it a partition of its own, or make room"),
        )

    def _limit(self) -> int:
        """What footage and index may take: the budget, and no more than the disk has to spare."""
        disk = os.statvfs(self._folder)
        left = OWN_FREE_BYTES if own_disk(self._folder, self._beside) else FREE_BYTES
        spare = disk.f_bavail * disk.f_frsize - left
        return min(self._settings.max_bytes - SLACK_BYTES, self.used_bytes + spare)

    def _delete(self, why: Why, rows: Sequence[ListedSegment], index: Index) -> int:
        """How many segments were deleted."""
        if not rows:
            return 0
        try:
            delete(index, rows, why, self._role, self._on_deleted)
        except OSError as error:
            raise HalfDeleted(error.errno, error.strerror) from error
        self._used -= sum(on_disk(row.bytes) for row in rows)
        self.deleted.segments += len(rows)
        self.deleted.bytes += sum(row.bytes for row in rows)
        return len(rows)

    def _delete_aside(self, why: Why, chosen: Sequence[Aside]) -> int:
        """How many were deleted. In the role of enforcement none: the station has not what nobody can read."""
        if not chosen or self._role == "enforcement":
            return 0
        delete_aside(chosen, why, self._role, self._on_deleted)
        self._aside = [each for each in self._aside if each not in chosen]
        self._used -= sum(on_disk(each.bytes) for each in chosen)
        return len(chosen)
