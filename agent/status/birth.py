"""The birth message: what a box is, which cameras it has and what it is asked to judge.

It is retained at the broker, so that a station that comes later knows the box all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.core.rules.settings import RuleSettings
from agent.core.types import Instant
from agent.detectors import Detector
from agent.host.camera_stats import Seen
from agent.status.device import DeviceSettings
from agent.status.session import Session
from agent.wire.codec import moment
from agent.wire.payloads import (
    CameraInfo,
    FramePayload,
    InfoPayload,
    LocationInfo,
    ModelPayload,
    RuleInfo,
    ZoneInfo,
)
from agent.wire.verbs import VERBS


@dataclass(frozen=True, slots=True)
class DescribedCamera:
    """What the station hears of a camera's configuration."""

    name: str
    source_kind: Literal["rtsp", "usb", "csi", "file"]
    rules: RuleSettings
    title: str = ""
    """For people; empty: its name."""
    recording: str | None = None
    """How it is recorded, in words; None: it is not."""


def message(
    device: DeviceSettings,
    cameras: Sequence[DescribedCamera],
    session: Session,
    detector: Detector,
    seen: Mapping[str, Seen],
    now: Instant,
    evidence_key: str | None = None,
) -> InfoPayload:
    """The message as of now; `seen` is what each camera turned out to be, by name.

    `evidence_key` is the public key for packages of footage; None: the box keeps none.
    """
    place = device.location
    return InfoPayload(
        commune=device.commune,
        device=device.id,
        session=session.id,
        time=moment(now),
        versions=dict(session.versions),
        config_sha256=session.config_sha256,
        role=device.role,
        location=LocationInfo(
            latitude_deg=place.latitude if place else None,
            longitude_deg=place.longitude if place else None,
            description=device.place or None,
        ),
        cameras=tuple(_camera(camera, seen[camera.name]) for camera in cameras),
        model=ModelPayload(name=detector.name, sha256=detector.sha256) if detector.name else None,
        capabilities=("events", "images", "counts", *VERBS),
        evidence_key=evidence_key,
    )


def _camera(camera: DescribedCamera, seen: Seen) -> CameraInfo:
    rules = (
        RuleInfo(
            id=rule.id,
            name=rule.title.strip() or None,
            kind=rule.kind_name(),
            zones=(rule.zone_id,) if rule.zone_id else (),
            labels=rule.wanted,
            severity=rule.severity,
            points=rule.ends,
        )
        for rule in camera.rules.rules
    )
    zones = tuple(
        ZoneInfo(id=zone.id, name=zone.title.strip() or None, points=zone.polygon)
        for zone in camera.rules.zones
    )
    size = seen.size
    frame = FramePayload(width_px=size.width_px, height_px=size.height_px) if size else None
    return CameraInfo(
        id=camera.name,
        name=camera.title.strip() or None,
        kind=camera.source_kind,
        frame=frame,
        encoder=seen.encoder,
        decoder=seen.decoder,
        decoder_fallback=seen.fallback,
        zones=zones,
        rules=tuple(rules),
        recording=camera.recording,
    )
