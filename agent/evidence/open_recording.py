"""What is open of one camera in the ring: the segment that is written, and why there is a hole before it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.core.types import Instant
from agent.evidence.fragment import Fragment
from agent.evidence.listing.listed import GAP_S
from agent.evidence.segment import SegmentWriter

SEGMENT_S: Final = 10.0
MAX_SEGMENT_S: Final = 600.0
MAX_SEGMENT_BYTES: Final = 64 << 20
MAX_SEGMENT_SHARE: Final = 0.125
"""Of the budget. A segment ends there whatever its pictures say of themselves: while it is open, nothing of it
is in the index, so nothing of it can make room."""
MAX_SEGMENT_FRAGMENTS: Final = 1000
SYNC_S: Final = 2.0
"""What was appended is on disk after so long: more often costs a card more than the footage itself."""

NOT_RUNNING: Final = "the agent was not running for a while"
"""What the first segment of a camera says after a start: what was said before is lost with the process."""
NOTHING_CAME: Final = "no pictures came"
STOPPED: Final = "the agent stopped"
CLOCK_SET: Final = "the clock was set"
"""Nothing is missing there: wall time went on elsewhere."""
SET_S: Final = 2.0
"""A clock that is disciplined moves less against the steady one within a segment."""


@dataclass(slots=True)
class OpenRecording:
    """For whoever holds its lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    init: Fragment | None = None
    writer: SegmentWriter | None = None
    reasons: tuple[str, ...] = (NOT_RUNNING,)
    """Why the next segment does not follow the last one, in the order in which it was said."""
    end: Instant | None = None
    offset_s: float | None = None
    """Wall minus steady clock, as the segment begun last has it."""
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

    def breaks_off(self, fragment: Fragment) -> bool:
        """Whether this piece does not follow what is open."""
        return self.end is not None and fragment.start.since(self.end) > GAP_S

    def clock_was_set(self, fragment: Fragment) -> bool:
        """Whether the wall clock was set since the last segment began, and another can begin here."""
        now_s = fragment.start.wall_s - fragment.start.mono_s
        return fragment.key and self.offset_s is not None and abs(now_s - self.offset_s) > SET_S

    def is_enough(self, fragment: Fragment, now_s: float, budget_bytes: int) -> bool:
        """Whether what is open ends before this piece: where one can begin, or because it is too large."""
        return self.writer is not None and (
            _long(self.writer, fragment) or _large(self.writer, budget_bytes, now_s - self.began_s)
        )

    def begin(self, writer: SegmentWriter, now_s: float, first: Fragment) -> None:
        """A segment is open now, from this piece on, and has said why it does not follow the last one."""
        self.writer, self.reasons, self.began_s = writer, (), now_s
        self.offset_s = first.start.wall_s - first.start.mono_s

    def went_on(self, writer: SegmentWriter, end: Instant) -> None:
        """A piece was appended that ends there: it is on disk soon.

        Raises:
            OSError: the disk fails.
        """
        self.end = end
        if end.mono_s - self.synced_s >= SYNC_S:
            writer.sync()
            self.synced_s = end.mono_s

    def abandon(self) -> None:
        """The disk fails: what was written is finished when it works again."""
        writer, self.writer = self.writer, None
        if writer is not None:
            writer.close()
            self.stale = writer.path


def _long(writer: SegmentWriter, fragment: Fragment) -> bool:
    media = next((each for each in writer.fragments if each.kind == "media"), None)
    return media is not None and fragment.key and fragment.start.since(media.start) >= SEGMENT_S - GAP_S


def _large(writer: SegmentWriter, budget_bytes: int, open_s: float) -> bool:
    """Whether a segment ends, whether or not a key picture comes, and whatever time its pictures tell."""
    return (
        writer.size >= min(MAX_SEGMENT_BYTES, budget_bytes * MAX_SEGMENT_SHARE)
        or len(writer.fragments) >= MAX_SEGMENT_FRAGMENTS
        or open_s >= MAX_SEGMENT_S
    )
