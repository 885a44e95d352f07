"""A condition of a camera or of the box as one event: it begins, may change, and ends, each told once.

Disk, clock, heat, a lost and a blind camera are told in this way. What rules see has a life-cycle of its own
(rules/lifecycle.py), for it is about road users.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.core.ids import Ids
from agent.core.types import EndReason, Event, EventKind, Instant, Phase, Severity, Size

CAMERA_RULE, BOX_RULE, CLOCK_RULE = "camera", "box", "clock"
"""Stand for the rule's id and kind, for no rule tells this."""


@dataclass(frozen=True, slots=True)
class ConditionEvent:
    """One condition, and what was last sent of it. Each step gives the value to go on with and what to send."""

    kind: EventKind
    rule: str
    severity: Severity = Severity.INFO
    last: Event | None = None
    """The latest message while the event is open."""

    def open(
        self,
        at: Instant,
        ids: Ids,
        detail: str | None,
        *,
        started: Instant | None = None,
        frame: Size | None = None,
    ) -> tuple[ConditionEvent, Ids, tuple[Event, ...]]:
        """It holds, since `started` or now. Nothing is sent while it is open already."""
        if self.last is not None:
            return self, ids, ()
        name, ids = ids.next(at)
        event = Event(
            id=name,
            revision=1,
            kind=self.kind,
            phase=Phase.START,
            severity=self.severity,
            at=at,
            rule_id=self.rule,
            rule_kind=self.rule,
            started=started or at,
            frame=frame,
            detail=detail,
        )
        return replace(self, last=event), ids, (event,)

    def update(self, at: Instant, detail: str | None) -> tuple[ConditionEvent, tuple[Event, ...]]:
        """It holds otherwise than before. Nothing is sent where none is open, or that was said already."""
        if self.last is None or self.last.detail == detail:
            return self, ()
        event = replace(self._next(self.last, Phase.UPDATE, at), detail=detail)
        return replace(self, last=event), (event,)

    def close(
        self,
        at: Instant,
        reason: EndReason | None = None,
        *,
        detail: str | None = None,
        started: Instant | None = None,
    ) -> tuple[ConditionEvent, tuple[Event, ...]]:
        """It is over, or (with a reason) nobody looks any more. Nothing is sent where none is open.

        Without `detail` and `started` the last ones stand.
        """
        if self.last is None:
            return self, ()
        event = replace(
            self._next(self.last, Phase.END, at),
            end_reason=reason,
            detail=detail or self.last.detail,
            started=started or self.last.started,
        )
        return replace(self, last=None), (event,)

    def once(self, at: Instant, ids: Ids, detail: str) -> tuple[Event, Ids]:
        """What is over when it is told: one message that is start and end."""
        _, ids, (event,) = replace(self, last=None).open(at, ids, detail)
        return replace(event, phase=Phase.END), ids

    @staticmethod
    def _next(last: Event, phase: Phase, at: Instant) -> Event:
        return replace(last, revision=last.revision + 1, phase=phase, at=at)
