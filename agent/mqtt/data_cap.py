"""How much of each class may go over a metered link in a day. Pure: it is told the time and the day.

A day is one of the box's time zone while its clock can be trusted, and 24 hours of the clock that never steps
while it cannot. Events, alerts' ends included, are never held back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import Field

from agent.core.types import Instant
from agent.settings.base import Settings
from agent.wire.message import Priority

DAY_S: Final = 24 * 3600.0
OVERHEAD_BYTES: Final = 160
"""Beside topic and body: MQTT's properties, TCP, IP, and the broker's answer."""


class DailySettings(Settings):
    """Bytes of a metered link in a day, by class; what is beyond waits for the next day. Events never wait."""

    counts_bytes: int | None = Field(
        None, ge=0, le=1 << 40, description="Counts and the seals of the chain; absent: no limit."
    )
    updates_bytes: int | None = Field(
        None, ge=0, le=1 << 40, description="Updates of events that go on; absent: no limit."
    )
    alert_images_bytes: int | None = Field(
        None, ge=0, le=1 << 40, description="Pictures of alerts; absent: no limit."
    )
    images_bytes: int | None = Field(None, ge=0, le=1 << 40, description="Other pictures; absent: no limit.")
    evidence_bytes: int | None = Field(
        None, ge=0, le=1 << 40, description="Footage that was asked for; absent: no limit."
    )

    def limits(self) -> dict[Priority, int]:
        """By class; what has no limit is not there."""
        limits = {
            Priority.COUNT: self.counts_bytes,
            Priority.UPDATE: self.updates_bytes,
            Priority.ALERT_IMAGE: self.alert_images_bytes,
            Priority.IMAGE: self.images_bytes,
            Priority.EVIDENCE: self.evidence_bytes,
        }
        return {priority: limit for priority, limit in limits.items() if limit is not None}


@dataclass(slots=True)
class DataCap:
    """What was sent since the day began."""

    limits: Mapping[Priority, int]
    day: str = ""
    """Such as 2026-03-02; empty: nobody knows which."""
    spent: dict[Priority, int] = field(default_factory=dict)
    _began_s: float | None = None

    def turn(self, now: Instant, day: str) -> bool:
        """It is `day` now, empty if the clock cannot be trusted; whether a new day has begun."""
        began_s = now.mono_s if self._began_s is None else self._began_s
        self._began_s = began_s
        known = bool(
            day and self.day
        )  # a clock that has just become trusted is no reason for a second allowance
        fresh = day != self.day if known else now.mono_s - began_s >= DAY_S
        self.day = day or self.day
        if fresh:
            self.spent.clear()
            self._began_s = now.mono_s
        return fresh

    def open(self, priority: Priority) -> bool:
        """Whether one more of this class may be sent today: the last one may go beyond."""
        limit = self.limits.get(priority)
        return limit is None or self.spent.get(priority, 0) < limit

    def spend(self, priority: Priority, size_bytes: int) -> None:
        """Sent, or sent again: the link is paid for both."""
        self.spent[priority] = self.spent.get(priority, 0) + size_bytes + OVERHEAD_BYTES

    def closed(self) -> tuple[Priority, ...]:
        """The classes that wait for tomorrow."""
        return tuple(priority for priority in Priority if not self.open(priority))
