"""The birth message: what a box is, which cameras it has and what it is asked to judge.

It is retained at the broker, so that a station that comes later knows the box all the same.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping

from agent import __version__
from agent.commands.policy import VERBS
from agent.config.schema import CameraConfig, Config
from agent.core.rules.settings import RuleSettings
from agent.core.types import Instant, Size
from agent.detectors import Detector
from agent.host import versions as libraries
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


def message(
    config: Config,
    config_sha256: str,
    session: str,
    detector: Detector,
    sizes: Mapping[str, Size | None],
    now: Instant,
) -> InfoPayload:
    """The message as of now; `sizes` are of the cameras' pictures by name, None until the first has come."""
    device = config.device
    place = device.location
    return InfoPayload(
        commune=device.commune,
        device=device.id,
        session=session,
        time=moment(now),
        versions=versions(),
        config_sha256=config_sha256,
        role=device.role,
        location=LocationInfo(
            latitude_deg=place.latitude if place else None,
            longitude_deg=place.longitude if place else None,
            description=device.place or None,
        ),
        cameras=tuple(
            _camera(camera, camera.pipeline(device).rules, sizes[camera.name]) for camera in config.cameras
        ),
        model=ModelPayload(name=detector.name, sha256=detector.sha256) if detector.name else None,
        capabilities=("events", "images", "counts", *VERBS),
    )


def versions() -> dict[str, str]:
    """Of the agent and of what it stands on."""
    return {
        "ngatu": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **libraries.versions(),
    }


def _camera(camera: CameraConfig, judge: RuleSettings, size: Size | None) -> CameraInfo:
    rules = (
        RuleInfo(
            id=rule.id,
            kind=rule.kind_name(),
            zones=(rule.zone_id,) if rule.zone_id else (),
            labels=rule.wanted,
            severity=rule.severity,
            points=rule.ends,
        )
        for rule in judge.rules
    )
    zones = tuple(ZoneInfo(id=zone.id, points=zone.polygon) for zone in judge.zones)
    frame = FramePayload(width_px=size.width_px, height_px=size.height_px) if size else None
    return CameraInfo(id=camera.name, kind=camera.source.kind, frame=frame, zones=zones, rules=tuple(rules))
