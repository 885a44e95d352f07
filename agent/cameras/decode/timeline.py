"""When each picture of a source was taken, in time that only goes on. Pure."""

from __future__ import annotations

from agent.cameras.decode.decoded import Source

GAP_S = 10.0  # a longer jump of a file's time stamps is a cut in the file, not time that passed
BACK_S = 1.0  # a file's time stamp that steps back by no more was written out of its order
LEAST_S = 1e-3  # between two pictures of a file, whatever their time stamps


class Timeline:
    """Time stamps that strictly increase: of arrival for live sources, of the file plus its start for files."""

    def __init__(self, source: Source, interval_s: float) -> None:
        self._interval_s = interval_s
        self._mono_s, self._wall_s = source.started
        self._at_s = -interval_s  # seconds after the start of the last picture
        self._time_s: float | None = None
        """The latest time in the file of a picture, which the one after may step behind."""
        self._time_at_s = self._at_s
        """When that was, in seconds after the start."""
        self._seen_s: float | None = None
        """The latest time of a packet whose picture was expected."""
        self._last_mono_s = float("-inf")

    def arrived(self, now: tuple[float, float]) -> tuple[float, float]:
        """A live picture's stamp: now, but later than the one before."""
        mono_s = max(now[0], self._last_mono_s + 1e-6)
        self._last_mono_s = mono_s
        return mono_s, now[1]

    def recorded(self, time_s: float | None) -> tuple[float, float]:
        """A file picture's stamp, from its time in the file, which may be missing or step.

        One that steps back a little was written out of its order, as some recorders do: it comes an ordinary
        interval after the last, and the next that goes on is as long after the latest as the file says. So
        nothing takes longer than it did. What steps far begins anew.
        """
        ahead_s = self._ahead_s(time_s)
        if ahead_s is not None and ahead_s > 0:
            self._at_s = max(self._at_s + LEAST_S, self._time_at_s + ahead_s)
            self._time_s, self._time_at_s = time_s, self._at_s
        else:
            self._at_s += self._interval_s
            if time_s is not None and (ahead_s is None or self._at_s - self._time_at_s > BACK_S):
                self._time_s, self._time_at_s = time_s, self._at_s
        return self._mono_s + self._at_s, self._wall_s + self._at_s

    def expected(self, time_s: float) -> float | None:
        """The mono_s that the picture of this time in the file will have; None where the time steps."""
        ahead_s = self._ahead_s(time_s)
        if ahead_s is None or ahead_s <= 0:
            return None
        self._seen_s = max(time_s, self._seen_s or time_s)
        return self._mono_s + max(self._at_s + LEAST_S, self._time_at_s + ahead_s)

    def _ahead_s(self, time_s: float | None) -> float | None:
        """How far a picture is ahead of the latest one, a little behind it too; None: that cannot be said."""
        if time_s is None or self._time_s is None or not -BACK_S <= time_s - self._time_s <= GAP_S:
            return None
        return time_s - self._time_s

    def cut(self) -> None:
        """The file starts again: its next time stamp does not follow the last, whose picture may be spared."""
        if self._time_s is not None and self._seen_s is not None:
            self._at_s = max(self._at_s, self._time_at_s + self._seen_s - self._time_s)
        self._time_s = self._seen_s = None

    def shift(self, seconds: float) -> None:
        """Everything from here on happens later."""
        self._mono_s += seconds
        self._wall_s += seconds
