"""What in the report needs somebody, and how soon; pure.

A finding is a key and its words' values: `report_words` says it in a language. Each box and host gets all of
its findings, the pressing ones first; the box that presses most is first of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from agent.health_findings import (
    CERTIFICATE_NOW_D,
    CERTIFICATE_SOON_D,
    HEALTH_LATE_S,
    SEES,
    health_findings,
)
from agent.settings.base import LONGEST_TITLE
from agent.wire.payloads import HealthPayload
from fleet.report.gather import BoxFacts, Certificate, Fleet, Host
from fleet.report.storage import BoxStorage

CRL_NOW_D: Final = 7
"""Below that no list is installed; a broker whose list has ended lets nobody in."""
CRL_SOON_D: Final = 90
CRL_WATCH: Final = "ngatu-crl-watch.service"
"""Fails for what is told here more exactly."""
KEPT_OWN, KEPT_PER_BOX = 256, 32
"""Messages that a broker keeps: its own, and of each box the three states and those of its cameras."""
FREE_SOON, FREE_NOW = 0.10, 0.03
"""Parts of the fullest file system."""
WORN_SOON_PCT, WORN_NOW_PCT = 80, 100


class Urgency(IntEnum):
    """How soon somebody must look."""

    GOOD = 0
    SOON = 1
    NOW = 2


@dataclass(frozen=True, slots=True)
class ReportFinding:
    """Something that is not as it should be."""

    urgency: Urgency
    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Assessment:
    """A box or a host with its findings, the pressing ones first."""

    subject: BoxFacts | Host
    findings: tuple[ReportFinding, ...]

    @property
    def urgency(self) -> Urgency:
        """That of its worst finding."""
        return max((each.urgency for each in self.findings), default=Urgency.GOOD)


def evaluate(fleet: Fleet) -> tuple[list[Assessment], list[Assessment]]:
    """Boxes and hosts of the station, whatever needs somebody soonest first."""
    boxes = [_assessment(each, box_findings(each, fleet.made)) for each in fleet.boxes]
    hosts = [_assessment(each, host_findings(each, fleet.made, len(fleet.boxes))) for each in fleet.hosts]
    return sorted(boxes, key=sort_key), sorted(hosts, key=sort_key)


def _assessment(subject: BoxFacts | Host, findings: Iterator[ReportFinding]) -> Assessment:
    return Assessment(subject, tuple(sorted(findings, key=lambda each: -each.urgency)))


def sort_key(assessment: Assessment) -> tuple[int, bool, int, str, str]:
    """What comes first; a station before boxes that need somebody as soon, for many hang on it."""
    pressing = sum(each.urgency is Urgency.NOW for each in assessment.findings)
    box = assessment.subject if isinstance(assessment.subject, BoxFacts) else None
    return -assessment.urgency, box is not None, -pressing, box.commune if box else "", assessment.subject.name


def box_findings(box: BoxFacts, now: datetime) -> Iterator[ReportFinding]:
    """What is wrong with a box."""
    yield from _heard(box, now)
    if not box.reached and is_online(box):
        yield _soon("unreachable_online", why=box.ssh_error)
    elif not box.reached:
        yield _now("unreachable", why=box.ssh_error)
    if box.health is not None and is_online(box):
        yield from _health(box, box.health)
    yield from _release(box)
    yield from _certificates(box.certificates)
    if box.reached and not any(each.role == "box" for each in box.certificates):
        yield _now("no_certificate")
    yield from _storage(box.storage)


def is_online(box: BoxFacts) -> bool:
    """Whether the broker holds a connection of it."""
    return box.status is not None and box.status.state == "online"


def last_heard(box: BoxFacts) -> datetime | None:
    """When it spoke last, by its own clock."""
    times = [each.time for each in (box.status, box.health) if each is not None]
    return max(times, default=None)


def _heard(box: BoxFacts, now: datetime) -> Iterator[ReportFinding]:
    if box.broker_error:
        yield _now("broker_mute", why=box.broker_error)
    elif box.status is None:
        yield _now("never_heard")
    elif not is_online(box):
        yield _now(box.status.state)  # offline or stopped
    elif box.health is None or box.health.session != box.status.session:
        yield _soon("health_missing")
    elif (late_s := (now - box.health.time).total_seconds()) > HEALTH_LATE_S:
        yield _now("health_late", minutes=round(late_s / 60))


def camera_called(box: BoxFacts, name: str) -> str:
    """A camera as officers call it, with its name, by which a technician finds it; or its name alone."""
    titles = {each.id: (each.name or "").strip() for each in reversed(box.info.cameras)} if box.info else {}
    title = titles.get(name) or name
    return name if title == name else f"{title[:LONGEST_TITLE]} ({name})"


def _health(box: BoxFacts, health: HealthPayload) -> Iterator[ReportFinding]:
    if not health.cameras:
        yield _now("no_camera")
    for name, camera in health.cameras.items():
        if camera.state != SEES:
            yield _now("camera", camera=camera_called(box, name), state=camera.state or "unknown")
    if health.shadow is not None and health.shadow.state == "running":
        yield _soon("shadow_running", model=health.shadow.model, crops=health.shadow.crops or 0)
    for each in health_findings(health):
        values = {key: camera_called(box, str(it)) if key == "of" else it for key, it in each.values.items()}
        yield (_now if each.is_pressing else _soon)(each.key, **values)


def version(box: BoxFacts) -> str | None:
    """That runs: by its own word at the broker, else by that of ngatu-release."""
    reported = box.info.versions.get("ngatu") if box.info is not None and is_online(box) else None
    return reported or (box.release.version if box.release is not None else None)


def _release(box: BoxFacts) -> Iterator[ReportFinding]:
    runs = version(box)
    if box.wanted is not None and runs is not None and runs != box.wanted:
        yield _soon("other_version", version=runs, wanted=box.wanted)
    if box.release is None:
        if box.reached:
            yield _now("no_release")
        return
    if box.release.on_trial:
        yield _soon("on_trial")
    if box.release.taken_back:
        yield _soon("taken_back", why=box.release.taken_back)


def _certificates(certificates: Sequence[Certificate]) -> Iterator[ReportFinding]:
    for each in certificates:
        if each.days_left < 0:
            yield _now("certificate_over", role=each.role, days=-each.days_left)
        elif each.days_left < CERTIFICATE_SOON_D:
            of = _now if each.days_left < CERTIFICATE_NOW_D else _soon
            yield of("certificate_ends", role=each.role, days=each.days_left)


def _storage(storage: BoxStorage | None) -> Iterator[ReportFinding]:
    if storage is None:
        return
    if storage.errors:
        yield _now("disk_errors", number=storage.errors)
    if storage.size_bytes and storage.free_bytes is not None:
        free = storage.free_bytes / storage.size_bytes
        if free < FREE_SOON:
            yield (_now if free < FREE_NOW else _soon)("disk_full", pct=round(100 * free))
    if storage.worn_pct is not None and storage.worn_pct >= WORN_SOON_PCT:
        yield (_now if storage.worn_pct >= WORN_NOW_PCT else _soon)("disk_worn", pct=storage.worn_pct)


def host_findings(host: Host, now: datetime, boxes: int) -> Iterator[ReportFinding]:
    """What is wrong with a host of the station, in a province of so many boxes."""
    if not host.reached:
        yield _now("unreachable", why=host.ssh_error)
    for unit in host.failed:
        yield (_soon if unit == CRL_WATCH else _now)("unit_failed", unit=unit)
    if host.kept is not None and host.kept > KEPT_OWN + KEPT_PER_BOX * boxes:
        yield _now("kept_many", number=host.kept)
    if host.crl_ends is not None:
        days = (host.crl_ends - now).days
        if days < CRL_SOON_D:
            yield (_now if days < CRL_NOW_D else _soon)("crl_ends", days=days)
    yield from _certificates(host.certificates)
    yield from _storage(host.storage)


def _now(key: str, **values: Any) -> ReportFinding:
    return ReportFinding(Urgency.NOW, key, values)


def _soon(key: str, **values: Any) -> ReportFinding:
    return ReportFinding(Urgency.SOON, key, values)
