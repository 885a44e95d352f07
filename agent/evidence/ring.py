"""Footage of all cameras on disk, encrypted, under one budget: the oldest makes room.

Invariants (docs/design/evidence.md)
1. A segment is on disk before the index names it, and named before the next one of its camera is begun.
2. The ring never passes its budget: room is taken before it is used (retention/budget.py).
3. What cannot be encrypted is not written.
4. Each deletion is told before it is done; in the role of enforcement it is not done if it cannot be told,
   nor before the station has what is deleted (retention/deletion.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from agent.clock import Clock, Trust, boot_id
from agent.core.types import Instant
from agent.errors import FootageError
from agent.evidence.disk import FootageDiskFails, own_disk
from agent.evidence.encryption import Recipients
from agent.evidence.fragment import Fragment, StoredFragment, as_stored
from agent.evidence.listing.index import Index
from agent.evidence.open_recording import CLOCK_SET, NOTHING_CAME, STOPPED, OpenRecording
from agent.evidence.recovery import Recovered, Recovery
from agent.evidence.retention import boot_clocks
from agent.evidence.retention.believed import BootClock
from agent.evidence.retention.budget import Deleted, FootageBudget, HalfDeleted
from agent.evidence.retention.deletion import Deletion, Role
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


class NotMounted(FootageError):
    """The partition of the footage is not there: what lies in its place is another disk."""


class NoKeyPicture(FootageError):
    """A segment has to begin with a key picture, and this is none."""


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

        By the days of `clock` so much may be written as a card bears: by one that no step moves at once.
        `beside` is a folder whose disk is left some room, if footage lies on the same.
        `on_deleted` notes a deletion before it is done, and says whether it could.
        """
        self.folder, self.settings, self.role = folder, settings, role
        self._index: Index | None = None
        self._recipients, self._clock, self._on_deleted = recipients, clock, on_deleted
        self._boot = boot or boot_id()
        self._beside = beside
        self._tracks: dict[str, OpenRecording] = {}
        self._lock = threading.RLock()
        self._budget = FootageBudget(folder, settings, clock, role, on_deleted, beside, self._lock)
        self._recovered = False
        self.trouble: str | None = None
        """Why index and files could not be brought together the last time."""

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
            if self._index is not None and self._index.file.damaged:
                self._index.close()
                self._index = None
            for track in self._tracks.values():
                track.abandon()  # or what is cut and listed here would be written on
            try:
                recovery = self._recovery()
                found = recovery.reconcile(self._budget.today, turn)
            except OSError as error:
                fails = self._fails(error)
                self.trouble = fails.what
                raise fails from error
            except FootageError as error:
                self.trouble = error.what
                raise
            self._budget.count_anew(self._opened(), recovery.aside)
            for track in self._tracks.values():
                track.stale = None  # it is listed
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
                track.abandon()
                with self._lock:  # the index is of a disk that has gone
                    if self._index is not None:
                        self._index.close()
                    self._index, self._recovered = None, False
                raise
            except OSError as error:
                track.abandon()
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
            if self._index is None or not self._index.file.damaged:
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
        return self._budget.used_bytes

    @property
    def written_today(self) -> int:
        """Bytes written since midnight, UTC."""
        with self._lock:
            return self._budget.written_today(self._opened())

    # ------------------------------------------------------------------------------------------ deleting

    @property
    def deleted(self) -> Deleted:
        """What was deleted since the start."""
        return self._budget.deleted

    def sweep(self, now: Instant, trust: Trust) -> int:
        """Delete what is older than it may become; how many segments. Nothing while the clock is unsure.

        Raises:
            FootageError: the disk fails, or it could not be told.
        """
        if not trust.good:
            return 0
        believed = self.note_clock(now)
        with self._lock, self._freeing():
            return self._budget.sweep(now.mono_s, believed, self._opened())

    def note_clock(self, now: Instant) -> BootClock:
        """Somebody vouches for this moment: what was recorded in this boot while nobody did is put right.

        What is believed of it from now on: a clock that went far forward is believed later.

        Raises:
            FootageError: the disk fails.
        """
        self.index.note_clock(self._boot, now.wall_s - now.mono_s)
        return boot_clocks.look(self.index, self._boot, round(now.mono_s * 1000), round(now.wall_s * 1000))

    # ------------------------------------------------------------------------------------------ inside

    def _append(self, track: OpenRecording, init: Fragment, fragment: Fragment) -> None:
        if track.breaks_off(fragment):
            self._finish(fragment.camera, track)
            if not track.reasons:  # nobody spoke of it
                track.say(NOTHING_CAME)
        if track.clock_was_set(fragment):
            self._finish(fragment.camera, track)
            track.say(CLOCK_SET)
        if track.is_enough(fragment, self._clock.now().mono_s, self.settings.max_bytes):
            self._finish(fragment.camera, track)
        if track.writer is None and not fragment.key:
            raise NoKeyPicture(
                tr("{camera}: footage begins with a key picture", camera=fragment.camera),
                tr("set the camera to send one every few seconds (GOP, I-frame interval)"),
            )
        self._list_stale(track)
        more = len(init.data) + len(fragment.data) + 4 * MORE_BYTES
        with self._lock, self._freeing():
            self._budget.take(more, self._opened())
        try:
            writer = track.writer or self._begin(track, init, fragment)
            self._write(writer, fragment)
        finally:
            self._budget.give_back(more)
        track.went_on(writer, fragment.end)

    @contextmanager
    def _freeing(self) -> Iterator[None]:
        """Around what may delete: a disk that fails is told, and what it left half deleted is looked for."""
        try:
            yield
        except OSError as error:
            self._recovered = self._recovered and not isinstance(error, HalfDeleted)
            raise self._fails(error) from error

    def _begin(self, track: OpenRecording, init: Fragment, first: Fragment) -> SegmentWriter:
        folder = self.folder / init.camera
        if not folder.is_dir():
            folder.mkdir(mode=0o750)
            sync_folder(self.folder)
            track.reasons = ()  # before the first of all there is no hole
        try:
            writer = self._opened_segment(folder, track, init)
        except FileExistsError as error:  # a beginning that failed left it, and could not delete it
            track.stale = Path(error.filename)
            self._budget.count_file(track.stale.lstat().st_size)
            self._list_stale(track)
            writer = self._opened_segment(folder, track, init)
        self._budget.count_file(writer.size)
        track.begin(writer, self._clock.now().mono_s, first)
        self._write(writer, init)
        return writer

    def _opened_segment(self, folder: Path, track: OpenRecording, init: Fragment) -> SegmentWriter:
        number, previous = self._opened().head(init.camera)
        # The number of what was set aside is not given again: the station may have heard of its link.
        number = 1 + max(number, self._budget.aside_number(init.camera))
        header = Header(init.camera, number, self._boot, init.run, track.before, previous)
        writer = SegmentWriter(folder / segment_name(number), header)
        writer.open()
        return writer

    def _write(self, writer: SegmentWriter, fragment: Fragment) -> None:
        cipher = self._recipients.encrypt(fragment.data)  # invariant 3
        init_sha256 = next((each.sha256 for each in writer.fragments if each.kind == "init"), None)
        piece = as_stored(fragment, cipher, writer.header.number, self._boot, init_sha256)
        before = writer.size
        try:
            writer.append(piece, cipher)
        finally:
            self._budget.count_appended(before, writer.size)

    def _finish(self, camera: str, track: OpenRecording) -> None:
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
        self._budget.count_file(writer.size, before)
        self._list_stale(track)

    def _list_stale(self, track: OpenRecording) -> None:
        """List what was written, after it was cut where it is whole."""
        path = track.stale
        if path is None:
            return
        with self._lock, suppress(FileNotFoundError):
            recovery = self._recovery()
            try:
                size = path.stat().st_size
                lies = recovery.list_found(path, self._budget.today, self._budget.uncounted_bytes)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise self._fails(error) from error
            self._budget.count_listed(size, lies.bytes if lies else None, recovery.aside)
        track.stale = None

    @contextmanager
    def _writing(self, camera: str) -> Iterator[OpenRecording]:
        """Holds what is open of a camera, while index and files agree."""
        track = self._track(camera)
        while True:
            self.recover()
            with track.lock:
                if self._recovered:
                    yield track
                    return

    def _track(self, camera: str) -> OpenRecording:
        with self._lock:
            return self._tracks.setdefault(camera, OpenRecording())

    def _fails(self, error: OSError) -> FootageDiskFails:
        return FootageDiskFails.because(self.folder, error)


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
