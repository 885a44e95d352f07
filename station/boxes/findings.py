"""What is wrong with a box, and how badly; pure.

What a box says of itself is judged by agent/health_findings.py, as in the administrator's report. This knows
less of a box than that report (no SSH, no inventory), and more of what came of it (alarms, gaps); a camera that
is paused by order is not one that is off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from agent.health_findings import (
    CERTIFICATE_NOW_D,
    CERTIFICATE_SOON_D,
    DEGRADED_NOW,
    HEALTH_LATE_S,
    SEES,
    health_findings,
)
from agent.wire.payloads import HealthPayload
from station.boxes.standing import BoxStanding, CameraStanding
from station.ingest.alarms import AlarmKind

ALARMS: Final = (
    AlarmKind.QUOTA,
    AlarmKind.SECOND_HOLDER,
    AlarmKind.OUTBOX_WENT_BACK,
    AlarmKind.RETAINED_FLOOD,
    AlarmKind.BOX_KEY_CHANGED,
    AlarmKind.CLOCK_APART,
    AlarmKind.SAME_TITLE,
)
"""Those about a single box."""
ALARMS_NOW: Final = (AlarmKind.SECOND_HOLDER, AlarmKind.BOX_KEY_CHANGED, AlarmKind.SAME_TITLE)

BY_WORD: Final[Mapping[str, AlarmKind]] = {
    "detector_failed": AlarmKind.DETECTOR_FAILED,
    "overheated": AlarmKind.OVERHEATED,
}
"""What a box says of itself, and the alarm that remembers since when."""
SAID_ALREADY: Final = (AlarmKind.BOX_SILENT, *BY_WORD.values())
"""Alarms that are a memory of what is found here anyway."""
STARTING_MS: Final = 60_000
"""A camera that starts for longer than this does not."""


class BoxVerdict(StrEnum):
    """How a box stands, in a word."""

    WELL = "well"
    LOOK = "look"
    """Somebody should look, soon."""
    BROKEN = "broken"
    """Somebody must look, now."""


_RISING: Final = tuple(BoxVerdict)


@dataclass(frozen=True, slots=True)
class BoxFinding:
    """Something that is not as it should be; finding_words.py says it."""

    verdict: BoxVerdict
    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    since_ms: int | None = None
    """Since when, where somebody knows: milliseconds since 1970."""


@dataclass(frozen=True, slots=True)
class JudgedBox:
    """A box with what is wrong with it, the worst first."""

    standing: BoxStanding
    findings: tuple[BoxFinding, ...]
    known_until_ms: int | None = None
    """When it last said how it and its cameras are, where nobody knows how they are now: it is not connected
    or silent, or its station is not heard. None: what it said holds."""

    @property
    def verdict(self) -> BoxVerdict:
        """That of its worst finding."""
        return max((each.verdict for each in self.findings), key=_RISING.index, default=BoxVerdict.WELL)

    @property
    def is_silent(self) -> bool:
        """It is connected, and has said nothing of itself for HEALTH_LATE_S."""
        return any(each.key == "health_late" for each in self.findings)


def judged(
    standing: BoxStanding, now_ms: int, *, reports: bool = True, station_away: bool = False
) -> JudgedBox:
    """The box with its findings; where its `reports` of itself do not come, that none is here is no finding.

    At the province a station may be away: then nobody knows how its boxes are.
    """
    until_ms = _known_until_ms(standing, now_ms, reports=reports)
    every = [_soon("station_away")] if station_away else []
    every += _findings(standing, now_ms, reports=reports, is_known=until_ms is None)
    found = sorted(every, key=lambda each: -_RISING.index(each.verdict))
    return JudgedBox(standing, tuple(found), standing.word_ms if station_away else until_ms)


def silent_since_ms(standing: BoxStanding, now_ms: int) -> int | None:
    """Since when a box that is connected has said nothing of itself; None: it is away, or it speaks.

    One that has not spoken in this life at all is silent since it connected.
    """
    if not standing.is_online:
        return None
    if standing.speaks and standing.health_age_ms is not None:
        since_ms: int | None = now_ms - standing.health_age_ms
    else:
        since_ms = standing.since_ms
    return since_ms if since_ms is not None and now_ms - since_ms > HEALTH_LATE_S * 1000 else None


def _known_until_ms(standing: BoxStanding, now_ms: int, *, reports: bool) -> int | None:
    if not standing.is_online:
        return standing.word_ms
    if not reports or silent_since_ms(standing, now_ms) is None:
        return None
    return standing.word_ms if standing.health_age_ms is None else now_ms - standing.health_age_ms


def sort_key(each: JudgedBox) -> tuple[int, int, str]:
    """What is wrong comes first, and most of it first of all."""
    pressing = sum(finding.verdict is BoxVerdict.BROKEN for finding in each.findings)
    return -_RISING.index(each.verdict), -pressing, each.standing.title.casefold()


def _findings(standing: BoxStanding, now_ms: int, *, reports: bool, is_known: bool) -> Iterator[BoxFinding]:
    yield from _heard(standing, now_ms, reports=reports)
    if is_known:
        for each in standing.cameras:
            yield from _camera(each, now_ms)
        if standing.health is not None:
            if not standing.health.cameras and not standing.cameras:
                yield _now("no_camera")
            yield from _health(standing)
    if standing.health is not None:
        yield from _certificate(standing.health, now_ms)
    for alarm in standing.alarms:
        if alarm.kind in SAID_ALREADY:
            continue
        known = alarm.kind if alarm.kind in ALARMS else "other"
        yield (_now if alarm.kind in ALARMS_NOW else _soon)(f"alarm_{known}", kind=alarm.kind)
    if standing.gaps.missing:
        yield _soon("gap_open", number=standing.gaps.missing)
    if standing.gaps.gone:
        yield _soon("gap_gone", number=standing.gaps.gone)


def _heard(standing: BoxStanding, now_ms: int, *, reports: bool) -> Iterator[BoxFinding]:
    if standing.state is None:
        yield _now("never_heard")
    elif not standing.is_online:
        yield _now("stopped" if standing.state == "stopped" else "offline", standing.since_ms)
    elif not reports:
        return
    elif (since_ms := silent_since_ms(standing, now_ms)) is not None:
        yield _now("health_late", since_ms, minutes=round((now_ms - since_ms) / 60_000))
    elif not standing.speaks or standing.health_age_ms is None:
        yield _soon("health_missing", standing.since_ms)


def _camera(each: CameraStanding, now_ms: int) -> Iterator[BoxFinding]:
    if each.paused:
        yield _soon("camera_paused", each.since_ms, camera=each.title)
    elif each.is_starting:
        late = each.since_ms is not None and now_ms - each.since_ms > STARTING_MS
        yield (_now if late else _soon)("camera_starting", each.since_ms, camera=each.title)
    elif each.state != SEES:
        known = each.state if each.state in ("stalled", "lost", "blind", "disabled") else "unknown"
        yield _now(f"camera_{known}", each.since_ms, camera=each.title)


def _health(standing: BoxStanding) -> Iterator[BoxFinding]:
    assert standing.health is not None
    paused = {each.name for each in standing.cameras if each.paused}
    noticed = {alarm.kind: alarm.opened_ms for alarm in standing.alarms}
    for each in health_findings(standing.health):
        word, of = each.values.get("word"), each.values.get("of")
        if word == "paused" and of in paused:  # its camera says so
            continue
        known = f"degraded_{word}" if word in DEGRADED else "degraded_other"
        since_ms = noticed.get(BY_WORD.get(str(word), ""))
        yield (_now if each.is_pressing else _soon)(known if word else each.key, since_ms, **each.values)


DEGRADED: Final = (
    *DEGRADED_NOW, "outbox_key_missing", "overheated", "clock_untrusted", "clock_jumped", "busy", "unconfirmed",
    "paused", "shadow_failed",
)  # fmt: skip
"""What a box calls degraded and this station has words for."""


def _certificate(health: HealthPayload, now_ms: int) -> Iterator[BoxFinding]:
    if health.certificate_ends is None:
        return
    days = (health.certificate_ends - datetime.fromtimestamp(now_ms / 1000, UTC)).days
    if days < 0:
        yield _now("certificate_over", days=-days)
    elif days < CERTIFICATE_SOON_D:
        yield (_now if days < CERTIFICATE_NOW_D else _soon)("certificate_ends", days=days)


def _now(key: str, since_ms: int | None = None, **values: Any) -> BoxFinding:
    return BoxFinding(BoxVerdict.BROKEN, key, values, since_ms)


def _soon(key: str, since_ms: int | None = None, **values: Any) -> BoxFinding:
    return BoxFinding(BoxVerdict.LOOK, key, values, since_ms)
