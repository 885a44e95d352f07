"""Records one camera: pieces of footage into the ring, all of them or those around events.

Invariants
1. Recording holds up nothing: a slow or hung disk costs footage, which is counted and told, and no picture that
   is watched, no event and no message. So nobody else waits for this thread, and its figures are plain values.
2. Every hole in the footage has a reason, which the next segment tells.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from agent.cameras.footage import Piece, Way
from agent.clock import Clock
from agent.core.types import Event, Instant
from agent.errors import FootageError
from agent.evidence import event_windows
from agent.evidence.event_windows import EventWindows, PreRoll
from agent.evidence.fragment import Fragment
from agent.evidence.links import Recorded
from agent.evidence.listing.listed import GAP_S
from agent.evidence.open_recording import STOPPED
from agent.evidence.retention.budget import RingFull, WriteBudgetSpent
from agent.evidence.ring import NoKeyPicture, Ring
from agent.evidence.settings import RecordSettings
from agent.host.supervise import Beat, OutageLog, Stop
from agent.workers.footage.runs import CLOSED_S, ChangesTooOften, RunBudget
from agent.workers.footage.sources import FootageSource

log = structlog.get_logger(__name__)

LOOK_S: Final = 0.5
DISK_S: Final = 3600.0
"""A disk may hang so long without the agent counting as hung: it watches all the same."""
RETRY_S: Final = 10.0
"""After a refusal of the ring the next piece is tried so much later."""
NO_EVENT: Final = "no event"
TOO_SLOW: Final = "the box was too slow"
DISK_FAILED: Final = "the disk failed"
CAMERA_LOST: Final = "the camera was lost"
NOT_READY: Final = "the index of the footage is being made"

HOLES: Final[Mapping[type[FootageError], str]] = {
    RingFull: "the footage was full",
    WriteBudgetSpent: "enough was written on that day",
    NoKeyPicture: "no key picture came",
    ChangesTooOften: "its pictures changed too often",
}
"""What is missing after a refusal of the ring, in words."""

RUNS: Final = 8
STUCK_S: Final = 30.0
"""A disk that takes so long for one piece hangs."""

RecordingState = Literal["recording", "waiting", "stopped"]


@dataclass(slots=True)
class RecordingFigures:
    """How the recording of one camera does; written by its thread only, read by anybody."""

    mode: str
    way: str | None = None
    """copy, encode or none; None: nothing came yet."""
    why: str | None = None
    """Why nothing is recorded, in words."""
    since: Instant | None = None
    """Since when that is so."""
    encoder: str | None = None
    """hardware or software: who encodes it; None: the camera itself, or nothing came yet."""
    codec: str | None = None
    width_px: int = 0
    height_px: int = 0
    last: Instant | None = None
    """End of the newest piece that was kept."""
    bytes: int = 0
    """Kept since the start."""
    gaps: int = 0
    """Holes since the start, other than for want of an event."""
    dropped: int = 0
    """Pieces that came and were not kept."""
    writing_since: Instant | None = None
    """It waits for the disk since then."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing is recorded that should be."""

    why: str
    """In words."""
    since: Instant


class Recorder:
    """One camera's recording; `run` is given to a supervised Worker."""

    def __init__(
        self,
        camera: str,
        settings: RecordSettings,
        source: FootageSource,
        ring: Ring,
        clock: Clock,
        on_cut: Callable[[str], object] = lambda _camera: None,
        mask_sha256: str | None = None,
        loops: bool = False,
    ) -> None:
        """`on_cut` is called in this thread when a recording stops: its chain's newest link may be told.

        `mask_sha256` is of the camera's privacy masks; None: it has none. `loops`: a clip that begins again.
        """
        self.camera, self.settings, self.source = camera, settings, source
        self.figures = RecordingFigures(settings.mode)
        self._ring, self._clock, self._on_cut, self._mask_sha256 = ring, clock, on_cut, mask_sha256
        self._windows = EventWindows()
        self._lock = threading.Lock()
        self._pre_roll = PreRoll(settings.pre_roll_s)
        self._inits: dict[str, Fragment] = {}
        """Of the latest runs: what waits for an event may be from before the camera was lost."""
        self._runs = RunBudget(loops)
        self._given: str | None = None
        """The run whose init the ring has."""
        self._recording = False
        self._unsaid: dict[str, None] = {}
        """Why there is a hole, as long as the ring could not be told; in this order."""
        self._need_key = True
        self._dropped_there = self._skipped_there = 0
        self._came_s = float("-inf")
        """End of the newest piece that came."""
        self._retry_s = float("-inf")
        self._fallback = ""
        """Told last: why the camera's larger stream is not what is recorded."""
        self._outage = OutageLog(f"recording of {camera}")
        self._beat: Beat = lambda wait_s=0.0: None

    # ---------------------------------------------------------------------------------- from other threads

    def saw(self, events: Iterable[Event]) -> None:
        """What was told of events of this camera; in the camera's thread."""
        new = tuple(events)
        if new and self.settings.mode == "events":
            with self._lock:
                self._windows = event_windows.update(self._windows, new, self.settings)

    @property
    def trouble(self) -> str | None:
        """Why nothing is recorded, in words; None: it is, or nothing is to be."""
        stopped = self.stopped
        return None if stopped is None else stopped.why

    @property
    def stopped(self) -> Stopped | None:
        """Why nothing is recorded, and since when; None: it is, or nothing is to be."""
        now, why, since, writing = (
            self._clock.now(),
            self.figures.why,
            self.figures.since,
            self.figures.writing_since,
        )
        if writing is not None and now.since(writing) > STUCK_S:
            return Stopped("the disk hangs", writing if why is None or since is None else since)
        return None if why is None else Stopped(why, since or now)

    @property
    def state(self) -> RecordingState:
        """What it does now."""
        if self.trouble is not None:
            return "stopped"
        if self._recording:
            return "recording"
        return "waiting"

    # --------------------------------------------------------------------------------------------- the loop

    def run(self, stop: Stop, beat: Beat) -> None:
        """Record until `stop` is set. No error of camera or disk ends it."""
        try:
            while not stop.is_set():
                beat()
                self.turn(beat)
        finally:
            self._cut(STOPPED)
            self.source.close()

    def turn(self, beat: Beat, timeout_s: float = LOOK_S) -> None:
        """Wait for one piece, and keep what is wanted."""
        self._beat = beat
        opening = self.source.opening
        piece = self.source.read(timeout_s)
        if isinstance(piece, Way):
            self.figures.way = piece.way
            self._heed_encoder(piece)
            self._stopped(piece.why or ("its masks leave nothing to record" if piece.way == "none" else None))
        elif piece is not None:
            self._take(piece)
        elif opening and self.source.opening != opening:
            self._cut(CAMERA_LOST)
            if self.source.skipped > self._skipped_there:
                self._skipped_there = self.source.skipped
                self._hole(TOO_SLOW)
        if self.source.trouble is not None:
            self._stopped(self.source.trouble)
        self._flush()

    def _take(self, piece: Piece) -> None:
        fragment = self._fragment(piece)
        if fragment.kind == "init":
            self._inits[fragment.run] = fragment
            for run in tuple(self._inits)[:-RUNS]:
                del self._inits[run]
            self._need_key = True
            self.figures.encoder = piece.encoder
            self.figures.codec = fragment.codec
            self.figures.width_px, self.figures.height_px = fragment.width_px, fragment.height_px
            return
        if piece.dropped > self._dropped_there:
            self.figures.dropped += piece.dropped - self._dropped_there
            self._hole(TOO_SLOW)
        self._dropped_there = piece.dropped
        if self.settings.mode == "continuous":
            self._keep(fragment)
        else:
            self._pre_roll.add(fragment)
            self._came_s = fragment.end.mono_s

    def _heed_encoder(self, way: Way) -> None:
        """Say once that a smaller picture is recorded than was meant; what is not encoded has no encoder."""
        if way.way != "encode":
            self.figures.encoder = None
        if way.fallback and way.fallback != self._fallback:
            log.warning("encoder_fallback", camera=self.camera, why=way.fallback)
        self._fallback = way.fallback or self._fallback

    def _flush(self) -> None:
        """In the mode of events: what has become wanted."""
        if self.settings.mode != "events":
            return
        with self._lock:
            windows = self._windows
        kept = False
        last = self.figures.last
        for fragment in tuple(self._pre_roll.taken(windows, self.settings)):
            if self._recording and not kept and last is not None and fragment.start.since(last) > GAP_S:
                self._cut(NO_EVENT)  # what was between two events is not wanted
            self._keep(fragment)
            kept = True
        if self._recording and not kept and last is not None:
            now_s = self._clock.now().mono_s
            if not windows.wanted(last.mono_s, now_s, self.settings):
                self._cut(NO_EVENT)
        self._forget()

    def _forget(self) -> None:
        """Of what was wanted, what no piece can be of any more: by those that came, not by what time it is.

        After a hang pieces come that are from before it. A camera that gives none is not waited for for ever.
        """
        before_s = max(
            self._came_s - self.settings.pre_roll_s - event_windows.LATE_S,
            self._clock.now().mono_s - DISK_S,
        )
        with self._lock:
            self._windows = event_windows.forget(self._windows, before_s)

    def _keep(self, fragment: Fragment) -> None:
        if fragment.run not in self._inits or (self._need_key and not fragment.key):
            return
        if not self._ring.ready:
            self._stopped(self._ring.trouble or NOT_READY)
            self.figures.dropped += 1
            self._hole(DISK_FAILED if self._ring.trouble else NOT_READY)
            return
        if fragment.start.mono_s < self._retry_s:
            self.figures.dropped += 1
            self._need_key = True
            return
        if self._unsaid:
            self._cut("")
        try:
            with self._at_the_disk():
                if self._given != fragment.run:
                    self._runs.require(fragment.run, fragment.start.mono_s)
                    self._ring.append(self._inits[fragment.run])
                    self._given = fragment.run
                self._ring.append(fragment)
        except FootageError as error:
            self._refused(fragment, error)
        else:
            if self._runs.steady(fragment.start.mono_s):
                self._outage.back()
                self._stopped(None)
            self._recording, self._need_key = True, False
            self.figures.last = fragment.end
            self.figures.bytes += len(fragment.data)

    @contextmanager
    def _at_the_disk(self) -> Iterator[None]:
        """It may hang: then that is seen from outside, and is no hung agent."""
        self._beat(DISK_S)
        self.figures.writing_since = self._clock.now()
        try:
            yield
        finally:
            self.figures.writing_since = None

    def _refused(self, fragment: Fragment, error: FootageError) -> None:
        """The ring did not take it: what follows is tried again in a while."""
        self._outage.lost(error)
        self._stopped(error.what)
        self.figures.dropped += 1
        if isinstance(error, ChangesTooOften):
            self._retry_s = fragment.start.mono_s + CLOSED_S
        elif not isinstance(error, NoKeyPicture):  # of which the next is taken
            self._retry_s = fragment.end.mono_s + RETRY_S
        self._hole(HOLES.get(type(error), DISK_FAILED))

    def _stopped(self, why: str | None) -> None:
        """Why nothing is recorded; None: it is."""
        if why != self.figures.why:
            self.figures.since = self._clock.now()  # first: others read both, and a new reason is not older
            self.figures.why = why

    def _hole(self, why: str) -> None:
        """Footage is missing from here on."""
        self._need_key = True
        self._cut(why)

    def _cut(self, why: str) -> None:
        """Finish what is open; what follows says why it does not follow at once."""
        if self._recording and why != NO_EVENT:
            self.figures.gaps += 1
        if why:
            self._unsaid[why] = None
        if self._ring.ready:
            unsaid, self._unsaid = self._unsaid, {}
            for each in unsaid:
                try:
                    with self._at_the_disk():
                        self._ring.cut(self.camera, each)
                except FootageError as error:  # it has heard why all the same
                    self._outage.lost(error)
        if self._recording:
            self._recording = False
            self._on_cut(self.camera)

    def _fragment(self, piece: Piece) -> Fragment:
        return Fragment(
            camera=self.camera,
            run=f"{self.source.opening}-{piece.run}",
            kind="init" if piece.kind == "init" else "media",
            start=piece.start,
            duration_s=piece.duration_s,
            key=piece.key,
            codec=piece.codec,
            width_px=piece.width_px,
            height_px=piece.height_px,
            data=piece.data,
            recorded=self._recorded(),
            mask_sha256=self._mask_sha256,
            clock=piece.clock,
        )

    def _recorded(self) -> Recorded:
        """By the child's own word, which comes before its first piece; without it nothing is as it came."""
        if self.figures.way == "copy":
            return "as it came"
        return "encoded" if self._mask_sha256 is None else "encoded from masked pictures"
