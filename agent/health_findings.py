"""What is wrong with a box by what it says of itself, and whether somebody must look at once; pure.

The duty room's screen and the administrator's report both judge by it, so that they never say two things of one
box. Each has words of its own for what is found, and knows of things that no box says of itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agent.wire.payloads import HealthPayload

HEALTH_LATE_S: Final = 300
"""A box tells of itself each minute."""
PENDING_LATE_S: Final = 3600
WARM_C: Final = 75.0
"""Near the 80 °C at which a Pi slows down by itself (agent.host.machine.HOT_C)."""
CERTIFICATE_SOON_D: Final = 30
"""Days left at which somebody should look: roles renew from 60 on, and somebody runs them each month."""
CERTIFICATE_NOW_D: Final = 14
DEGRADED_NOW: Final = (
    "storage_full",
    "storage_ram_only",
    "under_voltage",
    "config_refused",
    "detector_failed",
    "recording_stopped",
)
REPORTED_PER_CAMERA: Final = ("camera_lost", "camera_stalled", "camera_blind")
"""Told by the states of its cameras, too."""
SEES: Final = "streaming"


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """Something that is not as it should be."""

    is_pressing: bool
    """Somebody must look at once; else soon."""
    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


def health_findings(health: HealthPayload) -> Iterator[HealthFinding]:
    """What is wrong but for its cameras: degraded, under_voltage_once, warm, waiting, dropped, quarantined."""
    for word, of in health.degradations:
        if word not in REPORTED_PER_CAMERA:
            yield HealthFinding(word in DEGRADED_NOW, "degraded", {"word": word, "of": of})
    throttled = health.throttled
    if throttled is not None and throttled.under_voltage_since_boot and not throttled.under_voltage:
        yield HealthFinding(False, "under_voltage_once")
    if "overheated" not in health.degraded and (health.cpu_temp_c or 0) >= WARM_C:
        yield HealthFinding(False, "warm", {"celsius": round(health.cpu_temp_c or 0)})
    outbox = health.outbox
    if outbox is None:
        return
    if (outbox.oldest_s or 0) > PENDING_LATE_S and "unconfirmed" not in health.degraded:
        hours = round((outbox.oldest_s or 0) / 3600)
        yield HealthFinding(False, "waiting", {"pending": outbox.pending or 0, "hours": hours})
    if lost := sum(outbox.dropped.values()):
        yield HealthFinding(False, "dropped", {"number": lost})
    if outbox.quarantined:
        yield HealthFinding(False, "quarantined", {"number": outbox.quarantined})
