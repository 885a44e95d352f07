"""Whether a picture of a look shows what is now, by two clocks that need not agree.

What is on the way while a link stands still comes when it moves again, however old it is by then: no box can
take it back, and no broker knows. So whoever looks must notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.wire.verbs import LOOK_OLDEST_S

APART_S: Final = 0.4
"""Two pictures nearer to each other than that tell nothing of the clocks."""
SLACK_S: Final = 0.2
"""By so much less may they be apart when they come: the one before took longer."""


@dataclass(slots=True)
class Timeliness:
    """Of the pictures of one look, in the order in which they come.

    The clocks are taken to agree until the pictures show that they do not: each comes late, and they come as
    far apart as they were taken, which what was held up does not.
    """

    _least_s: float = 0.0
    """The least time from its taking, by the box's clock, to its coming, by ours."""
    _in_time: bool = False
    """One was."""
    _late: tuple[float, float] | None = None
    """When the last one, which was late, was taken and came."""

    def is_late(self, time: str, came_s: float) -> bool:
        """Whether a picture is too old to be shown as what is now.

        `time` is what the box says, RFC 3339; without it (MQTT 3.1.1 tells none) nothing is late. `came_s` is
        seconds since 1970.
        """
        try:
            taken_s = datetime.fromisoformat(time).timestamp()
        except (ValueError, OverflowError, OSError):
            return False
        took_s = came_s - taken_s
        before, self._late = self._late, (taken_s, came_s)
        if not self._in_time and before is not None and _runs_on(before, self._late):
            self._least_s = min(took_s, before[1] - before[0])
        self._least_s = min(self._least_s, took_s)
        late = took_s - self._least_s > LOOK_OLDEST_S
        if not late:
            self._in_time, self._late = True, None
        return late


def _runs_on(before: tuple[float, float], after: tuple[float, float]) -> bool:
    """Whether as much time passed here as there."""
    apart_s = after[0] - before[0]
    return apart_s >= APART_S and after[1] - before[1] >= apart_s - SLACK_S
