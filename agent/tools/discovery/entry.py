"""The entry of a camera for the configuration, to be pasted: what is seen, and what is recorded. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.tools.discovery.onvif import StreamOffer

SEES_PX = 640
"""A narrower picture shows too little of a road user; the agent looks at the least that is no narrower."""
DECODED = {"H264", "H265", "JPEG", "MPEG4"}


def chosen(offers: Sequence[StreamOffer]) -> tuple[StreamOffer | None, StreamOffer | None]:
    """The stream to see with, and the one to record where that is another; None where there is none."""
    usable = sorted(
        (each for each in offers if each.codec.upper() in DECODED),
        key=lambda each: each.width_px * each.height_px,
    )
    if not usable:
        return None, None
    wide = [each for each in usable if each.width_px >= SEES_PX]
    seeing = wide[0] if wide else usable[-1]
    best = usable[-1]
    larger = best.width_px * best.height_px > seeing.width_px * seeing.height_px
    return seeing, best if larger else None


def rtsp_source(url: str, username: str | None, password_file: str) -> dict[str, Any]:
    """A network camera as a source."""
    login = {"username": username, "password": {"file": password_file}} if username else {}
    return {"kind": "rtsp", "url": url, **login}


def entry(name: str, source: dict[str, Any], recorded: dict[str, Any] | None = None) -> dict[str, Any]:
    """One element of `cameras`; `recorded` is the source that is recorded where that is another.

    Nothing is recorded as it is pasted: that needs the station's key, which the box may not have yet.
    """
    record = {"record": {"mode": "off", "source": recorded}} if recorded else {}
    rules = [{"kind": "motion", "id": "movement"}, {"kind": "object", "id": "road-users"}]
    return {"name": name, "source": source, **record, "rules": rules}
