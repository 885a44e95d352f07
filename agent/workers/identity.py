"""Tells when somebody else goes by this box's name: another client has taken its connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from agent.clock import Clock
from agent.core.condition_event import BOX_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.types import Event, EventKind, Instant, Severity
from agent.translatable import tr

TAKEN = ConditionEvent(EventKind.IDENTITY_TAKEN, BOX_RULE, Severity.ALERT)
AGAIN_S: Final = 3600.0
"""Two boxes of one name take the connection from each other every five minutes: told once in an hour."""


class IdentityMonitor:
    """Watches how often the connection was taken; `tick` in one loop, some seconds apart."""

    def __init__(
        self, taken: Callable[[], int], clock: Clock, ids: Ids, tell: Callable[[Iterable[Event]], None]
    ) -> None:
        """`taken` counts since the agent began; `tell` is given what the box has to say of itself."""
        self._taken, self._clock, self._ids, self._tell = taken, clock, ids, tell
        self._told = 0
        self._told_at: Instant | None = None

    def tick(self) -> None:
        """Tell it, if it has happened again."""
        taken, now = self._taken(), self._clock.now()
        if taken == self._told or (self._told_at is not None and now.since(self._told_at) < AGAIN_S):
            return
        times = "once" if taken == 1 else f"{taken} times"
        detail = tr(
            "another client with this box's name took its connection, {times} since the start", times=times
        )
        event, self._ids = TAKEN.once(now, self._ids, detail)
        self._told, self._told_at = taken, now
        self._tell((event,))
