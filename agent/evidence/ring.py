"""Footage of all cameras on disk, encrypted, under one budget: the oldest makes room.

Invariants (docs/design/evidence.md)
1. A segment is on disk before the index names it, and named before the next one of its camera is begun.
2. The ring never passes its budget: room is made before it is used.
3. What cannot be encrypted is not written.
4. Each deletion is told before it is done; in the role of enforcement it is not done if it cannot be told,
   nor before the station has what is deleted.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from agent.clock import Clock, Trust, boot_id
from agent.core.types import Instant
from agent.errors import FootageError
from agent.evidence.aside import Aside, delete_aside
from agent.evidence.deletion import DAY_S, Deletion, Role, Why, delete, expired, oldest
from agent.evidence.encryption import Recipients
from agent.evidence.fragment import Fragment, StoredFragment
from agent.evidence.index import GAP_S, Index, ListedSegment, index_bytes
from agent.evidence.recovery import Recovered, Recovery
from agent.evidence.segment import (
    MORE_BYTES,
    Header,
    SegmentWriter,
    read_body,
    segment_name,
    sync_folder,
)
from agent.evidence.settings import EvidenceSettings
from agent.translatable import tr

log = structlog.get_logger(__name__)

SEGMENT_S: Final = 10.0
MAX_SEGMENT_S: Final = 600.0
MAX_SEGMENT_BYTES: Final = 64 << 20
MAX_SEGMENT_SHARE: Final = 0.125
"""Of the budget. A segment ends there whatever its pictures say of themselves: while it is open, nothing of it
is in the index, so nothing of it can make room."""
MAX_SEGMENT_FRAGMENTS: Final = 1000
SYNC_S: Final = 2.0
"""What was appended is on disk after so long: more often costs a card more than the footage itself."""
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


class NotMounted(FootageError):
    """The partition of the footage is not there: what lies in its place is another disk."""


class NoKeyPicture(FootageError):
    """A segment has to begin with a key picture, and this is none."""


class FootageDiskFails(FootageError):
    """The disk does not take it, or has not room."""


@dataclass(slots=True)
class Deleted:
    """What was deleted since the start."""

    segments: int = 0
    bytes: int = 0
    held: int = 0
    """Of which so many segments were held."""


NOT_RUNNING: Final = "the agent was not running for a while"
"""What the first segment of a camera says after a start: what was said before is lost with the process."""
NOTHING_CAME: Final = "no pictures came"
STOPPED: Final = "the agent stopped"


@dataclass(slots=True)
class _Track:
    """What is open of one camera."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    init: Fragment | None = None
    writer: SegmentWriter | None = None
    reasons: tuple[str, ...] = (NOT_RUNNING,)
    """Why the next segment does not follow the last one, in the order in which it was said."""
    end: Instant | None = None
    began_s: float = 0.0
    """When what is open was begun, by our clock."""
    synced_s: float = 0.0
    stale: Path | None = None
    """A segment that could not be finished."""

    @property
    def before(self) -> str:
        """Why the next segment does not follow the last one."""
        return "; ".join(self.reasons)

    def say(self, why: str) -> None:
        """Nothing is recorded from here on for this reason, too; the same hole may have several."""
        if why and why not in self.reasons:
            self.reasons = (*self.reasons, why)


class Ring:
    """The ring of a box; every method may be called from any thread, `append` from one for each camera."""

    def __init__(
        self,
        folder: Path,
        settings: EvidenceSettings,
        recipients: Recipients,
        clock: Clock,
        role: Role = "community",
        on_deleted: Callable[[Deletion], bool] = lambda _deletion: True,
        boot: str | None = None,
        beside: Path | None = None,
    ) -> None:
        """Nothing is touched yet: `recover` opens it, or the first use.

        `beside` is a folder whose disk is left some room, if footage lies on the same.
        `on_deleted` notes a deletion before it is done, and says whether it could.
        """
        self.folder, self.settings, self.role = folder, settings, role
        self._index: Index | None = None
        self.deleted = Deleted()
        self._recipients, self._clock, self._on_deleted = recipients, clock, on_deleted
        self._boot = boot or boot_id()
        self._beside = beside
        self._tracks: dict[str, _Track] = {}
        self._lock = threading.RLock()
        self._used = 0
        self._reserved = 0
        self._aside: list[Aside] = []
        self._written = 0
        """Bytes that the index does not count yet."""
        self._recovered = False
        self.trouble: str | None = None
        """Why index and files could not be brought together the last time."""
        self._full_until_s = self._doubt_until_s = float("-inf")

    def recover(self, turn: Callable[[], object] = lambda: None) -> Recovered:
        """Bring index and files together; with a damaged index of a large ring this takes minutes.

        Nobody may hold a lock of the ring who calls it: it takes that of every camera.

        Raises:
            FootageError: the disk fails.
        """
        if self._recovered:
            return Recovered()
        with self._nobody_writes():
            if self._recovered:
                return Recovered()
            if self._index is not None and self._index.damaged:
                self._index.close()
                self._index = None
            for track in self._tracks.values():
                self._abandon(track)  # or what is cut and listed here would be written on
            try:
                recovery = self._recovery()
                found = recovery.reconcile(turn)
            except OSError as error:
                fails = self._fails(error)
                self.trouble = fails.what
                raise fails from error
            except FootageError as error:
                self.trouble = error.what
                raise
            self._aside = recovery.aside
            self._written = 0  # what was open is counted with all that lay there
            _, self._used = self._opened().totals()
            self._used += sum(_on_disk(each.bytes) for each in self._aside)
            for track in self._tracks.values():
                track.stale = None  # it is listed
            if self._opened().holds_damaged:
                self._doubt_until_s = self._clock.now().mono_s + DOUBT_S
            self._recovered, self.trouble = True, None
            return found

    @property
    def index(self) -> Index:
        """What lies in it; for whoever holds no lock of the ring.

        Raises:
            FootageError: the disk fails.
        """
        self.recover()
        return self._opened()

    @property
    def ready(self) -> bool:
        """Index and files agree; else the next use takes as long as `recover`."""
        return self._recovered

    def _recovery(self) -> Recovery:
        return Recovery(self._opened(), self.role, self._on_deleted)

    @contextmanager
    def _nobody_writes(self) -> Iterator[None]:
        """Holds the lock of every camera, then the ring's: in this order, as `append` takes them."""
        with ExitStack() as held:
            waited_for: set[str] = set()
            while True:
                with self._lock:
                    tracks = {name: each for name, each in self._tracks.items() if name not in waited_for}
                    if not tracks:
                        yield
                        return
                for track in tracks.values():
                    held.enter_context(track.lock)
                waited_for |= tracks.keys()

    def _opened(self) -> Index:
        if self._index is None:
            self._require_mounted()
            try:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            except OSError as error:
                raise FootageError(
                    tr("{folder}: {reason}", folder=self.folder, reason=error.strerror or error),
                    tr("make it a folder that the agent's user may write"),
                ) from error
            self._index = Index(self.folder)
        return self._index

    def _require_mounted(self) -> None:
        if self.settings.unmounted:
            raise NotMounted(*not_mounted(self.settings))

    # ------------------------------------------------------------------------------------------ writing

    def append(self, fragment: Fragment) -> None:
        """Keep a piece. Media without an init of its run before it is refused.

        Raises:
            RingFull: there is no room, and nothing may be deleted.
            WriteBudgetSpent: nothing more is written today.
            NotMounted: its partition is not there.
            FootageError: it cannot be encrypted, or the disk fails; nothing of it is kept.
        """
        with self._writing(fragment.camera) as track:
            if fragment.kind == "init":
                self._finish(fragment.camera, track)
                track.init = fragment
                return
            if track.init is None or track.init.run != fragment.run:
                raise FootageError(tr("{camera}: footage without its beginning", camera=fragment.camera))
            try:
                self._require_mounted()
                self._append(track, track.init, fragment)
            except NotMounted as error:
                self.trouble = error.what
                self._abandon(track)
                with self._lock:  # the index is of a disk that has gone
                    if self._index is not None:
                        self._index.close()
                    self._index, self._recovered = None, False
                raise
            except OSError as error:
                self._abandon(track)
                raise self._fails(error) from error
            except FootageError:
                with suppress(FootageError):
                    self._finish(fragment.camera, track)
                raise

    def rebuild(self, turn: Callable[[], object] = lambda: None) -> bool:
        """Make an index anew that was found damaged; whether it was.

        Raises:
            FootageError: the disk fails.
        """
        with self._lock:
            if self._index is None or not self._index.damaged:
                return False
            self._recovered = False
        self.recover(turn)
        return True

    def cut(self, camera: str, why: str = "") -> None:
        """Finish the open segment of a camera now, so that the index names all of it.

        `why` is said of what is not recorded from here on, if anything is not.

        Raises:
            FootageError: the disk fails.
        """
        track = self._track(camera)
        with track.lock:
            track.say(why)
            self._finish(camera, track)

    def close(self) -> None:
        """Finish what is open, as far as the disk takes it."""
        for camera in tuple(self._tracks):
            with suppress(FootageError):
                self.cut(camera, STOPPED)
        with self._lock:
            if self._index is not None:
                self._index.close()
            self._index, self._recovered = None, False

    # ------------------------------------------------------------------------------------------ reading

    def read(self, stored: StoredFragment) -> bytes:
        """The ciphertext of a piece.

        Raises:
            FootageError: it is gone, or is not what was written.
        """
        return read_stored(self.folder, stored)

    @property
    def own_disk(self) -> bool:
        """Whether footage takes no room from anything else."""
        return own_disk(self.folder, self._beside)

    @property
    def used_bytes(self) -> int:
        """What footage and index take on disk, with what is about to be written."""
        with self._lock:
            return self._used + self._reserved + index_bytes(self.folder)

    @property
    def written_today(self) -> int:
        """Bytes written since midnight, UTC."""
        with self._lock:
            return self._opened().written_on(self._day()) + self._written

    # ------------------------------------------------------------------------------------------ deleting

    def sweep(self, now: Instant, trust: Trust) -> int:
        """Delete what is older than it may become; how many segments. Nothing while the clock is unsure.

        Raises:
            FootageError: the disk fails, or it could not be told.
        """
        if not trust.good:
            return 0
        self.note_clock(now)
        with self._lock:
            self._full_until_s = float("-inf")
            if now.mono_s < self._doubt_until_s:
                return 0
            before_s = now.wall_s - self.settings.max_days * DAY_S
            old = [each for each in self._aside if each.written_s < before_s]
            gone = self._delete("age", expired(self._opened(), self.role, before_s))
            return gone + self._delete_aside("age", old)

    def note_clock(self, now: Instant) -> None:
        """Somebody vouches for this moment: what was recorded in this boot while nobody did is put right.

        Raises:
            FootageError: the disk fails.
        """
        self.index.note_clock(self._boot, now.wall_s - now.mono_s)

    def _make_room(self, more_bytes: int) -> None:
        """Invariant 2.

        Raises:
            RingFull: nothing may be deleted.
        """
        limit, now_s = self._limit(), self._clock.now().mono_s
        lacking = self.used_bytes + more_bytes - limit
        if lacking <= 0:
            return
        if now_s < max(self._full_until_s, self._doubt_until_s):
            raise self._full(limit)
        free, held = oldest(self._opened(), self.role, lacking + min(int(limit * BATCH), MAX_BATCH_BYTES))
        self._delete("budget", free)
        if self.used_bytes + more_bytes > limit:
            self._delete_aside("budget", self._aside)
        if self.used_bytes + more_bytes > limit and held:
            log.error(
                "held_footage_deleted", segments=len(held), hint="raise evidence.max_bytes, or release holds"
            )
            self.deleted.held += self._delete("held, for want of all else", held)
        if self.used_bytes + more_bytes > limit:
            self._full_until_s = now_s + FULL_S
            raise self._full(limit)

    def _full(self, limit: int) -> RingFull:
        return RingFull(
            tr("the footage is full: {bytes:,} bytes", bytes=max(0, limit)),
            tr("in the role of enforcement only what the station has is deleted: fetch it, or give it room")
            if self.role == "enforcement"
            else tr("its disk is full of other things: give it a partition of its own, or make room"),
        )

    def _limit(self) -> int:
        """What footage and index may take: the budget, and no more than the disk has to spare."""
        try:
            disk = os.statvfs(self.folder)
        except OSError as error:
            raise self._fails(error) from error
        spare = disk.f_bavail * disk.f_frsize - (OWN_FREE_BYTES if self.own_disk else FREE_BYTES)
        return min(self.settings.max_bytes - SLACK_BYTES, self.used_bytes + spare)

    def _delete(self, why: Why, rows: Sequence[ListedSegment]) -> int:
        """How many segments were deleted."""
        if not rows:
            return 0
        try:
            delete(self._opened(), rows, why, self.role, self._on_deleted)
        except OSError as error:
            self._recovered = False  # some lie there that the index does not name any more
            raise self._fails(error) from error
        self._used -= sum(_on_disk(row.bytes) for row in rows)
        self.deleted.segments += len(rows)
        self.deleted.bytes += sum(row.bytes for row in rows)
        return len(rows)

    def _delete_aside(self, why: Why, chosen: Sequence[Aside]) -> int:
        """How many were deleted. In the role of enforcement none: the station has not what nobody can read."""
        if not chosen or self.role == "enforcement":
            return 0
        try:
            delete_aside(chosen, why, self.role, self._on_deleted)
        except OSError as error:
            raise self._fails(error) from error
        self._aside = [each for each in self._aside if each not in chosen]
        self._used -= sum(_on_disk(each.bytes) for each in chosen)
        return len(chosen)

    # ------------------------------------------------------------------------------------------ inside

    def _append(self, track: _Track, init: Fragment, fragment: Fragment) -> None:
        if track.end is not None and fragment.start.since(track.end) > GAP_S:
            self._finish(fragment.camera, track)
            if not track.reasons:  # nobody spoke of it
                track.say(NOTHING_CAME)
        if track.writer is not None and (_long(track.writer, fragment) or self._large(track, track.writer)):
            self._finish(fragment.camera, track)
        if track.writer is None and not fragment.key:
            raise NoKeyPicture(
                tr("{camera}: footage begins with a key picture", camera=fragment.camera),
                tr("set the camera to send one every few seconds (GOP, I-frame interval)"),
            )
        self._list_stale(track)
        more = len(init.data) + len(fragment.data) + 4 * MORE_BYTES
        with self._lock:
            self._take(more)
        try:
            writer = track.writer or self._begin(track, init)
            self._write(writer, fragment)
        finally:
            with self._lock:
                self._reserved -= more
        track.end = fragment.end
        if fragment.end.mono_s - track.synced_s >= SYNC_S:
            writer.sync()
            track.synced_s = fragment.end.mono_s

    def _large(self, track: _Track, writer: SegmentWriter) -> bool:
        """Whether a segment ends, whether or not a key picture comes, and whatever time its pictures tell."""
        return (
            writer.size >= min(MAX_SEGMENT_BYTES, self.settings.max_bytes * MAX_SEGMENT_SHARE)
            or len(writer.fragments) >= MAX_SEGMENT_FRAGMENTS
            or self._clock.now().mono_s - track.began_s >= MAX_SEGMENT_S
        )

    def _take(self, more_bytes: int) -> None:
        """Reserve room, and of what may be written today (invariant 2)."""
        if self.written_today + more_bytes > self.settings.daily_write_bytes:
            raise WriteBudgetSpent(
                tr("{bytes:,} bytes of footage were written today", bytes=self.written_today),
                tr("recording goes on at midnight (UTC); evidence.daily_write_bytes is the limit"),
            )
        self._make_room(more_bytes)
        self._reserved += more_bytes

    def _begin(self, track: _Track, init: Fragment) -> SegmentWriter:
        folder = self.folder / init.camera
        if not folder.is_dir():
            folder.mkdir(mode=0o750)
            sync_folder(self.folder)
            track.reasons = ()  # before the first of all there is no hole
        try:
            writer = self._opened_segment(folder, track, init)
        except FileExistsError as error:  # a beginning that failed left it, and could not delete it
            track.stale = Path(error.filename)
            with self._lock:
                self._used += _on_disk(track.stale.lstat().st_size)
            self._list_stale(track)
            writer = self._opened_segment(folder, track, init)
        with self._lock:
            self._used += _on_disk(writer.size)
        track.writer, track.reasons, track.began_s = writer, (), self._clock.now().mono_s
        self._write(writer, init)
        return writer

    def _opened_segment(self, folder: Path, track: _Track, init: Fragment) -> SegmentWriter:
        number, previous = self._opened().head(init.camera)
        # The number of what was set aside is not given again: the station may have heard of its link.
        number = 1 + max(number, *(each.number for each in self._aside if each.camera == init.camera), 0)
        header = Header(init.camera, number, self._boot, init.run, track.before, previous)
        writer = SegmentWriter(folder / segment_name(number), header)
        writer.open()
        return writer

    def _write(self, writer: SegmentWriter, fragment: Fragment) -> None:
        cipher = self._recipients.encrypt(fragment.data)  # invariant 3
        digest = hashlib.sha256(fragment.data).hexdigest()
        init = next((each.sha256 for each in writer.fragments if each.kind == "init"), digest)
        stored = StoredFragment(
            camera=fragment.camera,
            run=fragment.run,
            kind=fragment.kind,
            segment=writer.header.number,
            position=0,
            bytes=len(cipher),
            start=fragment.start,
            boot=self._boot,
            wall_s=fragment.start.wall_s,
            clock=fragment.clock,
            duration_s=fragment.duration_s,
            key=fragment.key,
            codec=fragment.codec,
            width_px=fragment.width_px,
            height_px=fragment.height_px,
            sha256=digest,
            cipher_sha256=hashlib.sha256(cipher).hexdigest(),
            init_sha256=init,
            recorded=fragment.recorded,
            mask_sha256=fragment.mask_sha256,
        )
        before = writer.size
        try:
            writer.append(stored, cipher)
        finally:
            with self._lock:
                self._used += _on_disk(writer.size) - _on_disk(before)
                self._written += writer.size - before

    def _finish(self, camera: str, track: _Track) -> None:
        """Invariant 1.

        Raises:
            FootageError: the disk fails; what is there is finished when it works again.
        """
        writer, track.writer = track.writer, None
        if writer is None:
            return
        track.stale = writer.path
        before = writer.size
        try:
            writer.finish()
        except OSError as error:
            writer.close()
            raise self._fails(error) from error
        with self._lock:
            self._used += _on_disk(writer.size) - _on_disk(before)
        self._list_stale(track)

    def _list_stale(self, track: _Track) -> None:
        """List what was written, after it was cut where it is whole."""
        path = track.stale
        if path is None:
            return
        with self._lock, suppress(FileNotFoundError):
            recovery = self._recovery()
            try:
                size = path.stat().st_size
                lies = recovery.list_found(path, self._day(), self._written)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise self._fails(error) from error
            if lies is not None:
                self._written = 0
            self._aside += recovery.aside
            kept = [each.bytes for each in recovery.aside] + ([lies.bytes] if lies else [])
            self._used += sum(map(_on_disk, kept)) - _on_disk(size)
        track.stale = None

    def _abandon(self, track: _Track) -> None:
        """The disk fails: what was written is finished when it works again."""
        writer, track.writer = track.writer, None
        if writer is not None:
            writer.close()
            track.stale = writer.path

    @contextmanager
    def _writing(self, camera: str) -> Iterator[_Track]:
        """Holds what is open of a camera, while index and files agree."""
        track = self._track(camera)
        while True:
            self.recover()
            with track.lock:
                if self._recovered:
                    yield track
                    return

    def _track(self, camera: str) -> _Track:
        with self._lock:
            return self._tracks.setdefault(camera, _Track())

    def _day(self) -> int:
        return int(self._clock.now().wall_s // DAY_S)

    def _fails(self, error: OSError) -> FootageDiskFails:
        return FootageDiskFails(
            tr("{folder}: {reason}", folder=self.folder, reason=error.strerror or error),
            tr("is the disk full, read-only or dying?"),
        )


def not_mounted(settings: EvidenceSettings) -> tuple[str, str]:
    """What is the matter where the partition of the footage is not there, and what to do."""
    return (
        tr("nothing is mounted at {mount}, where footage has its partition", mount=settings.mount),
        tr("mount it (does it stand in /etc/fstab?), or change evidence.mount; until then nothing is recorded"),
    )


def read_stored(folder: Path, stored: StoredFragment) -> bytes:
    """The ciphertext of a piece in a ring's folder; for whoever has opened its index only.

    Raises:
        FootageError: it is gone, or is not what was written.
    """
    try:
        return read_body(folder / stored.camera / segment_name(stored.segment), stored)
    except (OSError, ValueError) as error:
        raise FootageError(
            tr(
                "{camera}: segment {number} cannot be read: {error}",
                camera=stored.camera, number=stored.segment, error=error,
            ),
            tr("it was deleted, or the disk is damaged"),
        ) from error  # fmt: skip


def _long(writer: SegmentWriter, fragment: Fragment) -> bool:
    media = next((each for each in writer.fragments if each.kind == "media"), None)
    return media is not None and fragment.key and fragment.start.since(media.start) >= SEGMENT_S - GAP_S


def own_disk(folder: Path, beside: Path | None) -> bool:
    """Whether a folder lies on another file system than the system, and than what it should not crowd out.

    A folder that is not there is judged by the one in which it would be made.
    """
    device = _device(folder)
    return all(device != _device(other) for other in (Path("/"), beside) if other is not None)


def _device(folder: Path) -> int:
    for each in (folder, *folder.absolute().parents):
        with suppress(OSError):
            return each.stat().st_dev
    return -1


def _on_disk(size: int) -> int:
    return -(-size // 4096) * 4096
