"""What must be seen at a glance of all boxes: what keeps somebody from seeing, the most urgent first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from station.boxes.finding_words import words_of
from station.boxes.findings import BoxFinding, BoxVerdict, JudgedBox

FIRST: Final = (
    "health_late", "offline", "alarm_second_holder", "alarm_same_title", "stopped", "no_camera", "camera_blind",
    "camera_lost", "camera_stalled", "camera_starting", "camera_disabled", "camera_unknown",
    "degraded_detector_failed",
)  # fmt: skip
"""In this order: a whole box before a camera of it, and what may be done on purpose before what fails. Whatever
else needs help at once comes behind these, and then `ALSO`."""
ALSO: Final = ("degraded_overheated",)
"""Needs a look only, but meanwhile something fast may be missed."""


@dataclass(frozen=True, slots=True)
class Pressing:
    """One thing that is wrong with a box or a camera of it."""

    device: str
    box: str
    """As people call it; as the box says it."""
    finding: BoxFinding

    @property
    def key(self) -> str:
        """Of this thing among all."""
        values = self.finding.values
        return f"{self.device}/{self.finding.key}/{values.get('camera', '')}/{values.get('of', '')}"

    @property
    def what(self) -> str:
        """What it is, in words."""
        return words_of(self.finding).what

    @property
    def since_ms(self) -> int | None:
        """Since when, where somebody knows."""
        return self.finding.since_ms


def pressing(boxes: Iterable[JudgedBox]) -> tuple[Pressing, ...]:
    """All of it; of what is as urgent the newest first, for that nobody knows yet."""
    found = [
        Pressing(box.standing.device, box.standing.title, each)
        for box in boxes
        for each in box.findings
        if each.verdict is BoxVerdict.BROKEN or each.key in ALSO
    ]
    return tuple(sorted(found, key=lambda each: (_urgency(each.finding), -(each.since_ms or 0), each.key)))


def _urgency(finding: BoxFinding) -> int:
    if finding.key in FIRST:
        return FIRST.index(finding.key)
    return len(FIRST) + (finding.key in ALSO)
