"""What the box says about itself: for the station over MQTT, and for a technician as Prometheus text."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from pydantic import Field

from agent.clock import Clock, boot_id, trust
from agent.core.types import Instant
from agent.delivery.payloads import (
    CameraHealth,
    ClockPayload,
    DiskHealth,
    HealthPayload,
    MqttHealth,
    OutboxHealth,
    ThrottledHealth,
)
from agent.delivery.wire import moment
from agent.settings import Settings
from agent.watcher import Watcher

THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")
THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
"""A Pi's firmware: bits 0 and 1 are under-voltage and a capped frequency now, bits 16 and 17 since boot."""


class HealthSettings(Settings):
    """How often the box reports, and where a technician can read the same figures."""

    interval_s: float = Field(60.0, ge=5, le=3600, description="Between two reports, in seconds.")
    metrics_port: int | None = Field(
        None, ge=1024, le=65535, description="Serve Prometheus text on this port of loopback; absent: not."
    )


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures come from."""

    watchers: Mapping[str, Watcher]
    outbox: Callable[[], OutboxHealth]
    mqtt: Callable[[], MqttHealth]
    state_dir: Path
    config_sha256: str
    versions: Mapping[str, str]
    session: str
    started: Instant


def report(sources: Sources, clock: Clock) -> HealthPayload:
    """All figures as of now; what this machine cannot know stays null."""
    now = clock.now()
    cameras = {name: camera(watcher, now) for name, watcher in sources.watchers.items()}
    return HealthPayload(
        session=sources.session,
        time=moment(now),
        uptime_s=round(now.since(sources.started), 1),
        versions=dict(sources.versions),
        config_sha256=sources.config_sha256,
        cpu_pct=psutil.cpu_percent(),
        rss_bytes=_rss_bytes(),
        cpu_temp_c=_temperature_c(),
        throttled=throttled(),
        disk=_disk(sources.state_dir),
        cameras=cameras,
        clock=_clock(now),
        outbox=sources.outbox(),
        mqtt=sources.mqtt(),
        degraded=tuple(f"camera_lost:{name}" for name, each in cameras.items() if each.state == "lost"),
    )


def camera(watcher: Watcher, now: Instant) -> CameraHealth:
    """The figures of one camera."""
    figures = watcher.figures
    age_s = None if figures.last_frame is None else max(0.0, round(now.since(figures.last_frame), 2))
    calls = sorted(figures.detect_ms)
    hour = [each for each in figures.reconnects if now.mono_s - each <= 3600]
    return CameraHealth(
        state=watcher.state.state,
        fps_in=figures.fps_in(now),
        fps_analysed=figures.fps(now),
        frames_dropped=figures.frames_dropped,
        frame_age_s=age_s,
        reconnects_1h=len(hour),
        detect_ms_p50=round(statistics.median(calls), 1) if calls else None,
        detect_ms_p95=round(calls[int(len(calls) * 0.95)], 1) if calls else None,
    )


def throttled(path: Path = THROTTLED) -> ThrottledHealth | None:
    """The throttle bits of a Pi's firmware; None on other boards."""
    try:
        bits = int(path.read_text(encoding="ascii").strip(), 16)
    except (OSError, ValueError):
        return None
    return ThrottledHealth(
        under_voltage=bool(bits & 1 << 0),
        frequency_capped=bool(bits & 1 << 1),
        under_voltage_since_boot=bool(bits & 1 << 16),
        frequency_capped_since_boot=bool(bits & 1 << 17),
    )


def serve(port: int, read: Callable[[], HealthPayload]) -> Callable[[], None]:
    """Prometheus text on loopback; returns what ends it."""
    registry = CollectorRegistry()
    registry.register(_Collector(read))
    server, thread = start_http_server(port, "127.0.0.1", registry)

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return end


class _Collector:
    """Every number of the health message as a gauge; the path of keys is its name, the camera a label."""

    def __init__(self, read: Callable[[], HealthPayload]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        told = self._read().model_dump(mode="json")
        cameras = told.pop("cameras")
        for name, value in _numbers(told):
            yield GaugeMetricFamily(f"ngatu_{name}", name.replace("_", " "), value=value)
        for key in CameraHealth.model_fields:
            family = GaugeMetricFamily(f"ngatu_camera_{key}", key.replace("_", " "), labels=["camera"])
            for name, figures in cameras.items():
                if isinstance(figures[key], int | float):
                    family.add_metric([name], figures[key])
            if family.samples:
                yield family


def _numbers(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}_")
        elif isinstance(value, bool | int | float):
            yield prefix + key, float(value)


def _rss_bytes() -> int:
    me = psutil.Process()
    total = me.memory_info().rss
    for child in me.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def _temperature_c() -> float | None:
    try:
        return int(THERMAL.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None


def _disk(folder: Path) -> DiskHealth:
    return DiskHealth(free_bytes=psutil.disk_usage(str(folder)).free, written_bytes=_written_bytes())


def _written_bytes() -> int | None:
    try:
        return psutil.Process().io_counters().write_bytes
    except (psutil.AccessDenied, AttributeError):
        return None


def _clock(now: Instant) -> ClockPayload:
    trusted = trust()
    return ClockPayload(
        state=trusted.state,
        error_ms=trusted.error_ms,
        boot_id=boot_id(),
        mono_ms=round(now.mono_s * 1000),
    )
