"""What lies in the ring: which segments, when they were recorded, where gaps are, what is held.

Invariants
1. It names only what is there: a segment is listed after it is on disk, and forgotten before it is deleted.
2. It is made anew from the files where it is damaged; `reconcile` in recovery.py does that.
3. A reader in another process sees whole transactions only (SQLite's WAL), and writes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog

from agent.errors import FootageError
from agent.evidence.fragment import StoredFragment
from agent.evidence.links import FIRST, VOUCHED, SegmentLink, body_sha256, link_sha256
from agent.evidence.listing.holds import Hold, Holds
from agent.evidence.listing.index_file import IndexFile
from agent.evidence.listing.listed import GAP_S, Gap, ListedSegment
from agent.evidence.segment import SegmentFile, read_segment, segment_name
from agent.translatable import tr

log = structlog.get_logger(__name__)

_SELECT: Final = (
    "select number, boot, start_mono_ms, start_wall_ms, clock, wall_ms, duration_ms, bytes, before,"
    " camera, added from segment "
)
_COUNT: Final = (
    "insert into written values (?, ?) on conflict (day) do update set bytes = bytes + excluded.bytes"
)


class Index:
    """The index of a ring's folder. All of it may be called from any thread."""

    def __init__(self, folder: Path, readonly: bool = False) -> None:
        """Open it; a damaged one is deleted and begun anew, unless it is opened to be read only.

        Raises:
            FootageError: it cannot be opened.
        """
        self.folder = folder
        self.file = IndexFile(folder, readonly)
        """Says whether it was begun anew, and whether it was found damaged."""
        self._held = threading.RLock()
        try:
            self._holds = Holds(folder, readonly)
        except OSError as error:
            raise self.file.failure(error) from error

    def close(self) -> None:
        """Let go of it; may be called twice."""
        self.file.close()

    # ------------------------------------------------------------------------------------------ what is there

    def between(self, camera: str, from_s: float, to_s: float) -> Sequence[StoredFragment]:
        """The pictures of a camera in a range of corrected wall time, in order; of finished segments.

        Whole fragments, from the last key picture at or before `from_s` on, if it is there. What a clock showed
        twice, because it was set back, is there twice.

        Raises:
            FootageError: the index cannot be read. A segment that cannot be read is left out.
        """
        found: list[StoredFragment] = []
        before: list[StoredFragment] = []
        for row in self.segments(camera, from_s, to_s):
            for each in self._media(row):
                if each.wall_s >= to_s or (each.key and each.wall_s <= from_s):
                    before = []
                if each.wall_s < to_s:
                    before.append(each)
                if each.wall_s < to_s and each.end_s > from_s:
                    found += before
                    before = []
        return found

    def inits(self, fragments: Iterable[StoredFragment]) -> dict[str, StoredFragment]:
        """The inits that these fragments need, by `init_sha256`: each lies in the segment of its fragments."""
        found: dict[str, StoredFragment] = {}
        seen: set[tuple[str, int]] = set()
        for each in fragments:
            if each.init_sha256 in found or (each.camera, each.segment) in seen:
                continue
            seen.add((each.camera, each.segment))
            lies = self._file(each.camera, each.segment)
            found.update(
                {init.sha256: init for init in (lies.fragments if lies else ()) if init.kind == "init"}
            )
        return found

    def segments(self, camera: str, from_s: float, to_s: float) -> list[ListedSegment]:
        """The finished segments of a camera in a range of corrected wall time, in order."""
        return self._listed(
            _SELECT + "where camera = ? and wall_ms < ? and wall_ms + duration_ms > ? order by number",
            camera, _ms(to_s), _ms(from_s),
        )  # fmt: skip

    def gaps(self, camera: str, from_s: float, to_s: float) -> Sequence[Gap]:
        """Where nothing is recorded in a range of corrected wall time, in order."""
        gaps: list[Gap] = []
        covered_s, before = from_s, None
        for row in self.segments(camera, from_s, to_s):
            if row.from_s - covered_s > GAP_S:
                # Else what lay between is deleted.
                kept = row.number == before.number + 1 if before else self._is_listed(camera, row.number - 1)
                gaps.append(Gap(camera, covered_s, row.from_s, row.before if kept else ""))
            covered_s, before = max(covered_s, row.to_s), row
        if to_s - covered_s > GAP_S:
            gaps.append(Gap(camera, covered_s, to_s, self._why_after(camera, before)))
        return gaps

    def link(self, camera: str, number: int) -> SegmentLink | None:
        """The link of a segment that is there, whole; None if it is not, or cannot be read."""
        lies = self._file(camera, number)
        return lies.link if lies is not None and lies.media else None

    def bodies(self, camera: str, after: int, to: int) -> list[tuple[int, str]]:
        """Numbers and body hashes of the links after one and up to another, as far as they are known."""
        return self.file.rows(
            "select number, body_sha256 from link where camera = ? and number > ? and number <= ?"
            " order by number",
            camera, after, to,
        )  # fmt: skip

    def head(self, camera: str) -> tuple[int, str]:
        """Number and hash of the camera's newest link; (0, FIRST) if there is none."""
        rows = self.file.rows(
            "select number, link_sha256 from link where camera = ? order by number desc limit 1", camera
        )
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, FIRST)

    def told_after(self, camera: str, number: int) -> tuple[int, str] | None:
        """Number and hash of the first link from this one on that the station was told of."""
        rows = self.file.rows(
            "select number, link_sha256 from link where camera = ? and number >= ? and told = 1"
            " order by number limit 1",
            camera, number,
        )  # fmt: skip
        return (int(rows[0][0]), str(rows[0][1])) if rows else None

    def oldest(self, camera: str | None = None) -> ListedSegment | None:
        """The oldest segment, of a camera or of all."""
        if camera is None:
            found = self._listed(_SELECT + "order by added limit 1")
        else:
            found = self._listed(_SELECT + "where camera = ? order by number limit 1", camera)
        return found[0] if found else None

    def in_order(self) -> Iterator[ListedSegment]:
        """All segments of all cameras, oldest first."""
        after = 0
        while rows := self._listed(_SELECT + "where added > ? order by added limit 500", after):
            yield from rows
            after = rows[-1].added

    def newest(self, camera: str) -> ListedSegment | None:
        """The newest finished segment of a camera."""
        found = self._listed(_SELECT + "where camera = ? order by number desc limit 1", camera)
        return found[0] if found else None

    def segment(self, camera: str, number: int) -> ListedSegment:
        """A segment that is listed.

        Raises:
            FootageError: it is not.
        """
        found = self._listed(_SELECT + "where camera = ? and number = ?", camera, number)
        if not found:
            raise FootageError(tr("there is no segment {number} of {camera}", number=number, camera=camera))
        return found[0]

    def numbers(self, camera: str) -> set[int]:
        """Of the segments that are listed."""
        return {int(n) for (n,) in self.file.rows("select number from segment where camera = ?", camera)}

    def cameras(self) -> list[str]:
        """Of which there is footage."""
        return [str(name) for (name,) in self.file.rows("select distinct camera from segment order by camera")]

    def totals(self) -> tuple[int, int]:
        """How many segments there are, and what they take on disk: whole blocks."""
        return self.file.rows("select count(*), coalesce(sum((bytes + 4095) / 4096 * 4096), 0) from segment")[0]

    def clock_known(self, row: ListedSegment) -> bool:
        """Whether somebody vouched for the time of a segment, then or later in the same boot."""
        return row.clock in VOUCHED or self._offset_ms(row.boot) is not None

    def received(self, row: ListedSegment) -> bool:
        """Whether the station has all of a segment, by its receipts."""
        return bool(
            self.file.one(
                "select coalesce(max(fragments <= (select count(*) from received"
                " where received.camera = segment.camera and received.number = segment.number)), 0)"
                " from segment where added = ?",
                row.added,
            )
        )

    def written_on(self, day: int) -> int:
        """Bytes written on a day, counted in days since 1970."""
        return self.file.one("select coalesce(sum(bytes), 0) from written where day = ?", day)

    # ------------------------------------------------------------------------------------------ holds

    @property
    def held(self) -> tuple[Hold, ...]:
        """The ranges that go last."""
        with self._held:
            return self._holds.all

    @property
    def holds_damaged(self) -> bool:
        """The list of them was: some may be missing, until the requests that were noted hold theirs again."""
        return self._holds.damaged

    def is_held(self, row: ListedSegment) -> bool:
        """Whether some of a segment is held."""
        with self._held:
            return self._holds.covers(row.camera, row.from_s, row.to_s)

    def hold(self, hold_id: str, camera: str, from_s: float, to_s: float, why: str) -> None:
        """Hold a range; it is on disk when this returns. One of the same id is replaced.

        Raises:
            FootageError: it cannot be held.
        """
        with self._held:
            try:
                self._holds.add(Hold(hold_id, camera, from_s, to_s, why))
            except (OSError, ValueError) as error:
                raise self.file.failure(error) from error

    def release(self, hold_id: str) -> bool:
        """Hold it no more; whether it was held.

        Raises:
            FootageError: it cannot be written; it is still held.
        """
        with self._held:
            try:
                return self._holds.release(hold_id)
            except OSError as error:
                raise self.file.failure(error) from error

    # ------------------------------------------------------------------------------------------ what is written

    def add(self, lies: SegmentFile, day: int | None = None, written: int = 0) -> str:
        """List a finished segment and its link; the link's hash. `written` bytes count for `day`.

        Raises:
            FootageError: it cannot be written; nothing has changed.
        """
        link = lies.link
        first, last = lies.media[0], lies.media[-1]
        body, hashed = body_sha256(link), link_sha256(link)
        with self.file.writing() as db:
            db.execute(
                "insert or replace into segment (camera, number, boot, start_mono_ms, start_wall_ms, clock,"
                " wall_ms, duration_ms, bytes, fragments, before) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    link.camera, link.number, link.boot, link.start.mono_ms, link.start.wall_ms, link.clock,
                    self._corrected_ms(first), _ms(last.start.mono_s + last.duration_s) - link.start.mono_ms,
                    lies.bytes, len(lies.media) + lies.torn, link.before,
                ),
            )  # fmt: skip
            db.execute(
                "insert or ignore into link (camera, number, body_sha256, link_sha256) values (?, ?, ?, ?)",
                (link.camera, link.number, body, hashed),
            )
            if day is not None:
                db.execute(_COUNT, (day, written))
                db.execute("delete from written where day < ?", (day - 7,))
        return hashed

    def count_written(self, bytes_by_day: Mapping[int, int]) -> None:
        """So much was written on these days, that no segment was listed with."""
        with self.file.writing() as db:
            db.executemany(_COUNT, bytes_by_day.items())

    def forget(self, rows: Sequence[ListedSegment]) -> None:
        """These are about to be deleted, or are gone; links that lead nowhere any more go with them."""
        with self.file.writing() as db:
            db.executemany("delete from segment where added = ?", [(row.added,) for row in rows])
            db.executemany(
                "delete from received where camera = ? and number = ?",
                [(row.camera, row.number) for row in rows],
            )
            for camera in {row.camera for row in rows}:
                db.execute(
                    "delete from link where camera = :camera and number <"
                    " min((select coalesce(min(number), 1 << 62) from segment where camera = :camera),"
                    "     (select max(number) from link where camera = :camera))",
                    {"camera": camera},
                )

    def tell(self, camera: str, number: int) -> None:
        """The station is told of this link."""
        with self.file.writing() as db:
            db.execute("update link set told = 1 where camera = ? and number = ?", (camera, number))

    def receive(self, fragments: Iterable[StoredFragment], receipt: str) -> None:
        """The station has these: its receipt says so.

        They are known by their segment, not by their time: a clock that was set back gives it to others, too.
        """
        with self.file.writing() as db:
            db.executemany(
                "insert or ignore into received select camera, number, ?, ? from segment"
                " where camera = ? and number = ? and boot = ?"
                " and ? between start_mono_ms and start_mono_ms + duration_ms",
                [
                    (each.position, receipt, each.camera, each.segment, each.boot, _ms(each.start.mono_s))
                    for each in fragments
                    if each.kind == "media"
                ],
            )

    def note_clock(self, boot: str, offset_s: float) -> None:
        """Somebody vouches for a boot's clock: wall minus steady clock. What was unsure is put right."""
        offset_ms = _ms(offset_s)
        with self.file.writing() as db:
            db.execute(
                "insert into boot values (?, ?)"
                " on conflict (boot) do update set offset_ms = excluded.offset_ms",
                (boot, offset_ms),
            )
            db.execute(
                "update segment set wall_ms = start_mono_ms + ? where boot = ? and clock not in ('ntp', 'rtc')",
                (offset_ms, boot),
            )
            db.execute("delete from boot where boot <> ? and boot not in (select boot from segment)", (boot,))

    # ------------------------------------------------------------------------------------------ inside

    def _media(self, row: ListedSegment) -> Iterator[StoredFragment]:
        lies = self._file(row.camera, row.number)
        offset_ms = self._offset_ms(row.boot)
        for each in lies.media if lies else ():
            if each.clock in VOUCHED or offset_ms is None:
                yield each
            else:
                yield replace(each, wall_s=each.start.mono_s + offset_ms / 1000)

    def _file(self, camera: str, number: int) -> SegmentFile | None:
        try:
            return read_segment(self.folder / camera / segment_name(number))
        except OSError as error:
            log.warning("segment_unreadable", camera=camera, number=number, why=error.strerror or str(error))
            return None

    def _is_listed(self, camera: str, number: int) -> bool:
        return bool(self.file.rows("select 1 from segment where camera = ? and number = ?", camera, number))

    def _why_after(self, camera: str, before: ListedSegment | None) -> str:
        """What the segment after this one says of what is between them, if none was deleted there."""
        if before is None:
            return ""
        rows = self.file.rows(
            "select before from segment where camera = ? and number = ?", camera, before.number + 1
        )
        return str(rows[0][0]) if rows else ""

    def _corrected_ms(self, first: StoredFragment) -> int:
        offset_ms = self._offset_ms(first.boot)
        if first.clock in VOUCHED or offset_ms is None:
            return _ms(first.start.wall_s)
        return _ms(first.start.mono_s) + offset_ms

    def _offset_ms(self, boot: str) -> int | None:
        rows = self.file.rows("select offset_ms from boot where boot = ?", boot)
        return int(rows[0][0]) if rows else None

    def _listed(self, sql: str, *values: Any) -> list[ListedSegment]:
        return [ListedSegment(*row) for row in self.file.rows(sql, *values)]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
