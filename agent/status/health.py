"""What the box says about itself to the station."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from pydantic import Field

from agent.clock import Clock, Trust, boot_id, trust
from agent.core.throttle import FULL, Throttle
from agent.core.types import Instant
from agent.errors import NgatuError
from agent.host import machine
from agent.host.machine import HOT_C, Machine
from agent.mqtt.forwarder import Forwarder
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Outbox
from agent.settings.base import Settings
from agent.status.session import Session
from agent.wire.codec import moment
from agent.wire.payloads import (
    LAST_YEAR,
    MOST_DEGRADED,
    CameraHealth,
    ClockPayload,
    FootageHealth,
    HealthPayload,
    MqttHealth,
    OutboxHealth,
    RecordingHealth,
    ShadowHealth,
    ThrottledHealth,
)
from agent.workers.footage.keeper import FootageFigures
from agent.workers.footage.recorder import Recorder
from agent.workers.watching.camera import CameraWorker

UNCONFIRMED_S = 900.0
"""A message that waits longer for the station's receipt is a state of its own; less is an everyday outage."""


class HealthSettings(Settings):
    """How often the box reports, and where a technician can read the same figures."""

    interval_s: float = Field(
        60.0,
        ge=5,
        le=240,
        description="Between two reports, in seconds. A box that makes none for 300 is called silent.",
    )
    metrics_port: int | None = Field(
        None, ge=1024, le=65535, description="Serve Prometheus text on this port of loopback; absent: not."
    )


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures come from."""

    session: Session
    state_dir: Path
    cameras: Mapping[str, CameraWorker]
    machine: Machine
    outbox: Callable[[], OutboxHealth]
    """Raises NgatuError while the outbox cannot be read."""
    mqtt: Callable[[], MqttHealth]
    throttle: Callable[[], Throttle] = lambda: FULL
    trust: Callable[[], Trust] = trust
    recorders: Mapping[str, Recorder] = field(default_factory=dict)
    footage: Callable[[], FootageFigures | None] = lambda: None
    max_footage_bytes: int | None = None
    paused: Callable[[], Sequence[str]] = tuple
    """What the station has paused: camera, or camera/rule."""
    certificate_ends: Callable[[], datetime | None] = lambda: None
    shadow: Callable[[], ShadowHealth | None] = lambda: None
    """How the model on trial does."""


def report(sources: Sources, clock: Clock) -> HealthPayload:
    """All figures as of now; what this machine cannot know stays null."""
    now, session, trusted = clock.now(), sources.session, sources.trust()
    health = HealthPayload(
        session=session.id,
        time=moment(now),
        uptime_s=round(now.since(session.started), 1),
        boot_reason=session.boot_reason,
        versions=dict(session.versions),
        config_sha256=session.config_sha256,
        cpu_pct=sources.machine.cpu_pct(),
        rss_bytes=machine.rss_bytes(),
        cpu_temp_c=sources.machine.cpu_temp_c(),
        throttled=sources.machine.throttled(),
        disk=machine.disk(sources.state_dir),
        cameras={
            name: camera(worker, now, _recording(sources, name)) for name, worker in sources.cameras.items()
        },
        clock=clock_payload(now, trusted),
        outbox=_outbox(sources),
        mqtt=sources.mqtt(),
        footage=_footage(sources),
        shadow=sources.shadow(),
        certificate_ends=sources.certificate_ends(),
    )
    return health.model_copy(update={"degraded": tuple(islice(_degraded(health, sources), MOST_DEGRADED))})


def clock_payload(now: Instant, trusted: Trust) -> ClockPayload:
    """How this moment was stamped, and what that is worth."""
    return ClockPayload(
        state=trusted.state, error_ms=trusted.error_ms, boot_id=boot_id(), mono_ms=round(now.mono_s * 1000)
    )


def of_outbox(outbox: Outbox, forwarder: Forwarder, broker: BrokerSettings) -> OutboxHealth:
    """What waits for the station, and what became of the rest.

    Raises:
        OutboxError: it cannot be read.
    """
    stats, disk, figures = outbox.stats(), outbox.condition(), forwarder.figures()
    return OutboxHealth(
        pending=stats.pending,
        bytes=stats.bytes,
        oldest_s=stats.oldest_s,
        dropped=stats.dropped,
        quarantined=stats.quarantined,
        confirm="receipt" if broker.confirm == "station" else "broker",
        full=disk.full or disk.refused is not None,
        in_memory=disk.in_memory,
        pictures=stats.pictures,
        locked=stats.locked,
        sent_today_bytes=figures.sent_today_bytes,
        wait_for_tomorrow=figures.wait_for_tomorrow,
    )


def of_broker(forwarder: Forwarder) -> MqttHealth:
    """How the connection to the station does."""
    figures = forwarder.figures()
    return MqttHealth(connected_s=figures.connected_s, reconnects=figures.reconnects, refused=figures.refused)


def camera(worker: CameraWorker, now: Instant, recording: RecordingHealth | None = None) -> CameraHealth:
    """The figures of one camera."""
    stats = worker.figures
    return CameraHealth(
        state=worker.seen().state,
        fps_in=stats.fps_in(now),
        fps_analysed=stats.fps_analysed(now),
        fps_wanted=round(worker.fps_wanted, 2),
        frames_dropped=stats.frames_dropped,
        frame_age_s=stats.frame_age_s(now),
        reconnects_1h=stats.reconnects_1h(now),
        detect_ms_p50=stats.detect_quantile_ms(0.5),
        detect_ms_p95=stats.detect_quantile_ms(0.95),
        recording=recording,
    )


def _recording(sources: Sources, name: str) -> RecordingHealth | None:
    recorder, footage = sources.recorders.get(name), sources.footage()
    if recorder is None:
        return None
    figures = recorder.figures
    kept_since_s = footage.kept_since_s.get(name) if footage else None
    return RecordingHealth(
        state=recorder.state,
        mode=figures.mode,
        way=figures.way,
        codec=figures.codec,
        width_px=figures.width_px or None,
        height_px=figures.height_px or None,
        why=recorder.trouble,
        kept_since=None if kept_since_s is None else moment(Instant(0.0, kept_since_s)),
        bytes=figures.bytes,
        gaps=figures.gaps,
        dropped=figures.dropped,
    )


def _footage(sources: Sources) -> FootageHealth | None:
    figures = sources.footage()
    if figures is None:
        return None
    return FootageHealth(
        used_bytes=figures.used_bytes,
        max_bytes=sources.max_footage_bytes,
        written_today_bytes=figures.written_today_bytes,
        own_partition=figures.own_partition,
        holds=figures.holds,
        deleted_segments=figures.deleted_segments,
        deleted_held_segments=figures.deleted_held_segments,
        why=figures.why,
    )


def of_certificate(broker: BrokerSettings) -> datetime | None:
    """When the certificate ends by which the box goes to its broker; None: it has none that can be read."""
    ends = broker.tls.certificate_ends() if broker.tls is not None else None
    return ends if ends is not None and ends.year <= LAST_YEAR else None


def _outbox(sources: Sources) -> OutboxHealth | None:
    try:
        return sources.outbox()
    except NgatuError:
        return None


def _degraded(health: HealthPayload, sources: Sources) -> Iterator[str]:
    """What is not as it should be, one word each; of a camera with its name behind a colon."""
    for name, each in health.cameras.items():
        if each.state in ("lost", "stalled", "blind"):
            yield f"camera_{each.state}:{name}"
    for name, worker in sources.cameras.items():
        if worker.detector_fails:
            yield f"detector_failed:{name}"
    for name, recorder in sources.recorders.items():
        if recorder.state == "stopped":
            yield f"recording_stopped:{name}"
    yield from _storage(health.outbox)
    if health.clock is not None and health.clock.state not in ("ntp", "rtc"):
        yield "clock_untrusted"
    footage = sources.footage()
    if footage is not None and footage.clock_ahead_s is not None:
        yield "clock_jumped"
    yield from _board(health.throttled, health.cpu_temp_c, sources.throttle())
    if health.shadow is not None and health.shadow.state == "failed":
        yield f"shadow_failed:{health.shadow.model}"
    if sources.session.config_refused:
        yield "config_refused"
    for what in sources.paused():  # last: of very many rules not all are said
        yield f"paused:{what}"


def _storage(outbox: OutboxHealth | None) -> Iterator[str]:
    if outbox is None or outbox.full:
        yield "storage_full"
    if outbox is not None and outbox.in_memory is not None:
        yield "storage_ram_only"
    if outbox is not None and (outbox.oldest_s or 0) > UNCONFIRMED_S:
        yield "unconfirmed"
    if outbox is not None and outbox.pictures == "key_missing":
        yield "outbox_key_missing"


def _board(throttled: ThrottledHealth | None, cpu_temp_c: float | None, throttle: Throttle) -> Iterator[str]:
    weak = throttled is not None and throttled.under_voltage  # which caps the frequency, too
    capped = throttled is not None and throttled.frequency_capped and not weak
    if weak:
        yield "under_voltage"
    if throttle.hot or capped or (cpu_temp_c or 0) >= HOT_C:
        yield "overheated"
    if throttle.busy:
        yield "busy"
