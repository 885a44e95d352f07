"""How often one camera's footage may begin anew by itself: each beginning is a file, and a line of the index.

A camera that is set to another size begins anew once. One that does so with each picture is broken, or wants to
wear the card out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from agent.errors import FootageError
from agent.translatable import tr

MOST: Final = 10
"""Beginnings within `WITHIN_S`: beside the six files a minute that a quiet stream makes."""
WITHIN_S: Final = 60.0
CLOSED_S: Final = 60.0
"""So long nothing is recorded after too many; then it is tried again."""


class ChangesTooOften(FootageError):
    """The pictures change their size or coding all the time."""


@dataclass(slots=True)
class RunBudget:
    """The beginnings of one camera, in seconds of the steady clock; for one thread."""

    loops: bool = False
    """A clip that begins again at its end, as configured: that is a run each time, and no change."""
    _began: list[float] = field(default_factory=list)
    _run: str | None = None
    _refused_s: float = float("-inf")

    def steady(self, at_s: float) -> bool:
        """Whether it has not begun anew too often for a while: until then it is one trouble, told once."""
        return at_s - self._refused_s >= CLOSED_S + WITHIN_S

    def require(self, run: str, at_s: float) -> None:
        """Footage of this run is to begin. Runs of another opening of the camera are no change of its pictures.

        `run` is the opening's name, a dash, and its number in that.

        Raises:
            ChangesTooOften: it has begun anew too often.
        """
        before = self._run
        if run == before:
            return
        within_one = before is not None and before.rpartition("-")[0] == run.rpartition("-")[0]
        if within_one and not self.loops:
            self._began = [each for each in self._began if at_s - WITHIN_S < each]
            if len(self._began) >= MOST:
                self._began.clear()
                self._refused_s = at_s
                raise _too_often()
            self._began.append(at_s)
        self._run = run


def _too_often() -> ChangesTooOften:
    return ChangesTooOften(
        tr("its pictures change their size or coding more than {most} times a minute", most=MOST),
        tr("look at its settings of the stream, then at the camera; recording is tried again each minute"),
    )
