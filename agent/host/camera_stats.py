"""How one camera runs: its state, and the numbers that health tells. One thread writes, any may read."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from agent.cameras.decode.decoded import CameraFacts
from agent.core.types import Frame, Instant, Size

State = Literal["streaming", "stalled", "lost", "blind", "disabled"]
RECENT_S = 10.0
"""Rates are told over so many seconds."""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class CameraState:
    """What is said about a camera on its status topic."""

    state: State
    since: Instant
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a camera turned out to be, for the birth message; None: not known yet, or there is none."""

    size: Size | None = None
    """Of the picture that is looked at."""
    encoder: str | None = None
    """hardware or software: who encodes what is recorded; None: the camera itself, or nobody."""
    decoder: str | None = None
    """Who decodes the picture, by FFmpeg's name."""
    fallback: str | None = None
    """Why software decodes where the board was to do it."""


class Counts(Protocol):
    """What an open camera counts from its opening on."""

    frames_in: int
    frames_dropped: int


@dataclass(frozen=True, slots=True)
class _Mark:
    """What had been counted when a frame was taken up."""

    mono_s: float
    frames_in: int
    frames_dropped: int
    work_s: float
    looked: int
    """Frames that had been looked at."""


@dataclass
class CameraStats:
    """What health says about one camera; counts go on over every reopening of the camera."""

    frames_in: int = 0
    frames_dropped: int = 0
    last_frame: Instant | None = None
    last_sign: Instant | None = None
    """When the camera last showed that it works: by a frame, or by packets of which none needs decoding."""
    looked: int = 0
    """Frames looked at."""
    size: Size | None = None
    """Of the picture, once known."""
    encoder: str | None = None
    """Who encodes what is recorded, once something is: hardware or software."""
    facts: CameraFacts | None = None
    """What the camera turned out to be when it was last open."""
    detect_ms: deque[float] = field(default_factory=lambda: deque(maxlen=500))
    """How long the latest detector calls took, waiting for other cameras included."""
    work_s: float = 0.0
    """Time spent on frames so far, waiting for the detector included."""
    _arrived: deque[_Mark] = field(default_factory=lambda: deque(maxlen=1300))
    """Of the latest frames that were looked at."""
    _returns: deque[float] = field(default_factory=lambda: deque(maxlen=3600))
    """mono_s of each return of the camera."""
    _before: tuple[int, int] = (0, 0)
    """frames_in and frames_dropped of the camera's earlier openings."""

    @property
    def seen(self) -> Seen:
        """What the birth message says about it."""
        facts = self.facts
        decoder, fallback = (facts.decoder, facts.fallback) if facts else (None, None)
        return Seen(self.size, self.encoder, decoder, fallback)

    def opened(self) -> None:
        """The camera is opened anew and counts from 0 again."""
        self._before = self.frames_in, self.frames_dropped

    def came(self, camera: Counts, frame: Frame, now: Instant) -> None:
        """A frame is looked at."""
        self.last_frame = self.last_sign = frame.at
        self.size, self.looked = frame.size, self.looked + 1
        self._mark(camera, now)

    def dozed(self, camera: Counts, at: Instant) -> None:
        """Pictures came until then, and none told anything new: so none was decoded."""
        if self.last_sign is None or at.since(self.last_sign) <= 0:
            return
        self.last_sign = at
        self._mark(camera, at)

    def returned(self, now: Instant) -> None:
        """The camera was lost and is back."""
        self._returns.append(now.mono_s)

    def fps_in(self, now: Instant) -> float:
        """Frames from the camera per second, lately."""
        recent = self._recent(now)
        return _rate(recent[-1].frames_in - recent[0].frames_in, recent) if recent else 0.0

    def fps_analysed(self, now: Instant) -> float:
        """Frames looked at per second, lately."""
        recent = self._recent(now)
        return _rate(recent[-1].looked - recent[0].looked, recent) if recent else 0.0

    def share_missed(self, now: Instant) -> float:
        """Share of the pictures that were due lately and came while nobody had time for them, 0..1."""
        recent = self._recent(now)
        missed = recent[-1].frames_dropped - recent[0].frames_dropped if recent else 0
        looked = recent[-1].looked - recent[0].looked if recent else 0
        return missed / (missed + looked) if missed > 0 else 0.0

    def share_at_work(self, now: Instant) -> float:
        """Share of the time lately that was spent on frames, 0..1."""
        recent = self._recent(now)
        return min(1.0, _rate(recent[-1].work_s - recent[0].work_s, recent)) if recent else 0.0

    def frame_age_s(self, now: Instant) -> float | None:
        """Age of the newest frame that was looked at; None: there was none yet."""
        last = self.last_frame
        return None if last is None else max(0.0, round(now.since(last), 2))

    def reconnects_1h(self, now: Instant) -> int:
        """How often the camera came back in the last hour."""
        return sum(now.mono_s - each <= HOUR_S for each in tuple(self._returns))

    def detect_quantile_ms(self, share: float) -> float | None:
        """What a `share` (0..1) of the latest detector calls stayed below; None: there was none."""
        calls = sorted(self.detect_ms)
        return round(calls[min(len(calls) - 1, int(len(calls) * share))], 1) if calls else None

    def _mark(self, camera: Counts, now: Instant) -> None:
        self.frames_in = max(self.frames_in, self._before[0] + camera.frames_in)
        self.frames_dropped = self._before[1] + camera.frames_dropped
        self._arrived.append(_Mark(now.mono_s, self.frames_in, self.frames_dropped, self.work_s, self.looked))

    def _recent(self, now: Instant) -> tuple[_Mark, ...]:
        # A copy made in one step: the camera's thread appends meanwhile.
        marks = tuple(self._arrived)
        first = bisect_left(marks, now.mono_s - RECENT_S, key=lambda mark: mark.mono_s)
        return marks[first:]


def _rate(count: float, recent: Sequence[_Mark]) -> float:
    if len(recent) < 2 or recent[-1].mono_s <= recent[0].mono_s:
        return 0.0
    return round(count / (recent[-1].mono_s - recent[0].mono_s), 2)
