"""Time stamps of what is recorded: they follow a camera's clock as long as it runs as time does. Pure.

A camera stamps its pictures by a clock of its own, which may jump, step back, stand still or run wrongly.
Copied as they are, a jump of an hour would be an hour of one picture in the file, and a step back is no file at
all. When a picture came is known too, but not exactly: the network holds some back, and then gives all at once.

Invariants, for pictures that come live
1. Times to decode by strictly increase; no picture is shown before it is decoded, nor `REORDERED_S` later.
2. The recorded time is at most `AHEAD_S` ahead of the time that has passed since the first picture, and at most
   `BEHIND_S` behind it; but each packet takes a tick.
3. A clock that runs as time does is followed to the tick, however unevenly the network delivers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from av.packet import Packet
from av.video.stream import VideoStream

REORDERED_S = 1.0
"""No picture is shown so much later than it comes."""
JUMP_S = 1.0
"""A picture stamped so much later than any before it, by when it came, was stamped by a clock that jumped."""
AHEAD_S = 3.0
"""Some cameras begin with pictures of the past, back to their last key picture, and give these all at once."""
BEHIND_S = 20.0
"""The network may hold pictures back; a camera that says nothing for longer is lost (10 s unless it is set)."""
USUAL_STEP_S = 0.04
"""From one picture of a file to the next, before there were two."""
LONGEST_STEP_S = 10.0
"""In a file; a longer step is a cut in it, not time that passed."""


class Ratio(Protocol):
    """A base of time as PyAV gives it: a Fraction until 18, a rational of its own from 19 on."""

    @property
    def numerator(self) -> int:
        """Seconds."""
        ...

    @property
    def denominator(self) -> int:
        """Ticks in them."""
        ...


def tick_of(base: Ratio | None) -> Fraction | None:
    """The seconds of a tick; None: nobody has said it (None until PyAV 18, nought from 19 on)."""
    if base is None or not base.numerator or not base.denominator:
        return None
    return Fraction(base.numerator, base.denominator)


class Times:
    """The times of one recording: pictures from 0 on, whatever the camera's clock does."""

    def __init__(self, base: Fraction) -> None:
        """`base`: the seconds of a tick, of packets and of the file."""
        self.jumps = 0
        """How often the camera's clock was not followed."""
        self._base = base
        self._reordered = round(REORDERED_S / base)
        self._shift: int | None = None
        """From the camera's clock to the file's, in ticks; None before the first packet."""
        self._clock: int | None = None
        """The last packet's time by the camera's clock, and whether that was when to decode it."""
        self._exact = False
        self._at = 0
        """The latest packet's time in the file, by that clock."""
        # Packets of pictures that are shown in another order than they come in may not say when to decode them.
        self._last = -self._reordered
        """When the last packet is to be decoded, in the file."""
        self._last_shown = 0
        self._step = round(USUAL_STEP_S / base)
        """The last step that was believed."""
        self._first_s = self._came_s = 0.0
        """When the first packet came, and the last."""
        self._least_delay_s = 0.0
        """How long after its time in the file a packet came, at least so far."""

    @property
    def began(self) -> bool:
        """Whether there was a packet."""
        return self._shift is not None

    @property
    def written_s(self) -> float:
        """From the first picture to the last."""
        return float(self._last_shown * self._base)

    def stamp(self, packet: Packet[VideoStream], came_s: float | None = None) -> None:
        """Give the packet the file's times.

        `came_s`: when it came, in seconds of a clock that never steps; None for a packet of a file.
        """
        shown, due = packet.pts, packet.dts
        if self._shift is None:
            first = next((each for each in (shown, due) if each is not None), 0)
            at = min(0, max(-self._reordered, due - first)) if due is not None else 0
            self._at, self._shift = at, at - (first if due is None else due)
            self._first_s = self._came_s = came_s or 0.0
        else:
            at = self._advanced(shown if due is None else due, due is not None, came_s)
            self._at = max(self._at, at)
        if shown is not None or due is not None:
            self._clock, self._exact = (shown if due is None else due), due is not None
        late = self._reordered if due is None and shown is not None else 0  # then it is when it is shown
        self._last = max(self._last + 1, at - late)
        packet.dts = packet.pts = self._last
        if shown is not None:
            packet.pts = min(max(self._last, shown + self._shift), self._last + self._reordered)
        self._last_shown = max(self._last_shown, packet.pts)

    def _advanced(self, clock: int | None, exact: bool, came_s: float | None) -> int:
        """This packet's time in the file, by the camera's clock if that can be; else that is taken anew."""
        assert self._shift is not None
        if clock is not None and self._runs(clock, exact, came_s):
            at = clock + self._shift
            if at > self._at:
                self._step = at - self._at
        else:
            passed = self._step if came_s is None else round((came_s - self._came_s) / self._base)
            at = self._at + max(1, passed)
            if clock is not None:
                self.jumps += 1
                self._shift = at - clock
        if came_s is not None:
            self._came_s = came_s
            self._least_delay_s = min(self._least_delay_s, came_s - self._first_s - float(at * self._base))
        return at

    def _runs(self, clock: int, exact: bool, came_s: float | None) -> bool:
        """Whether the camera's clock may have run as time does since the last packet."""
        assert self._shift is not None
        if self._clock is not None:
            step = clock - self._clock
            if step <= (0 if exact and self._exact else -self._reordered):
                return False
            if came_s is None:
                return step * self._base <= LONGEST_STEP_S
        if came_s is None:
            return True
        delay_s = came_s - self._first_s - float((clock + self._shift) * self._base)
        return delay_s <= BEHIND_S and delay_s >= max(-AHEAD_S, self._least_delay_s - JUMP_S)
