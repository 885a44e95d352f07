"""Every number of the health message for Prometheus, on loopback: only where `health.metrics_port` is set.

Imported only there: its libraries hold 2 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from pydantic import BaseModel

from agent.errors import NgatuError
from agent.translatable import tr
from agent.wire.payloads import CameraHealth, HealthPayload, RecordingHealth


def serve(port: int, read: Callable[[], HealthPayload]) -> Callable[[], None]:
    """Prometheus text on loopback; returns what ends it.

    Raises:
        NgatuError: the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(read))
    try:
        server, thread = start_http_server(port, "127.0.0.1", registry)
    except OSError as error:
        raise NgatuError(
            tr("health.metrics_port: port {port} cannot be used: {reason}", port=port, reason=error.strerror),
            tr("choose another"),
        ) from error

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join(2)

    return end


class _Collector:
    """Every number of the health message as a gauge; the path of keys is its name, the camera a label."""

    def __init__(self, read: Callable[[], HealthPayload]) -> None:
        self._read = read

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing beforehand: what there is depends on the board."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures as of now."""
        health = self._read()
        plain = health.model_dump(mode="json", exclude={"cameras"})
        for name, value in _numbers(plain):
            yield GaugeMetricFamily(f"ngatu_{name}", name.replace("_", " "), value=value)
        yield GaugeMetricFamily("ngatu_degraded", "how much is not as it should be", value=len(health.degraded))
        streams = GaugeMetricFamily("ngatu_camera_streaming", "1 while pictures come", labels=["camera"])
        for name, each in health.cameras.items():
            streams.add_metric([name], float(each.state == "streaming"))
        yield streams
        yield from _by_camera("ngatu_camera", CameraHealth, health.cameras)
        recordings = {name: each.recording for name, each in health.cameras.items() if each.recording}
        yield from _by_camera("ngatu_camera_recording", RecordingHealth, recordings)
        recording = GaugeMetricFamily("ngatu_camera_recording", "1 while it is recorded", labels=["camera"])
        for name, how in recordings.items():
            recording.add_metric([name], float(how.state == "recording"))
        if recordings:
            yield recording


def _by_camera(
    prefix: str, model: type[BaseModel], values: Mapping[str, BaseModel]
) -> Iterator[GaugeMetricFamily]:
    """Every number of a model as a gauge, the camera as its label."""
    for key, field in model.model_fields.items():
        family = GaugeMetricFamily(f"{prefix}_{key}", field.description or key, labels=["camera"])
        for name, each in values.items():
            value = getattr(each, key)
            if isinstance(value, int | float):
                family.add_metric([name], value)
        if family.samples:
            yield family


def _numbers(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}_")
        elif isinstance(value, int | float):  # a bool is an int
            yield prefix + key, float(value)
