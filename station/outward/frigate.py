"""Events of road users in the shape of Frigate's `events` topic, as far as the meaning is the same. Pure.

Source: Frigate's documentation of its MQTT messages. What Frigate knows and a box does not tell is left out,
not made up: `region`, `motionless_count`, speeds, plates, `has_clip`. What happens without a road user (a
camera that is lost, a crowd) has no word there and is not said. A camera is BOX_CAMERA, for two boxes may each
have a camera `north`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from agent.core.types import Phase
from agent.transport.client import Will
from agent.wire.payloads import EventPayload, FramePayload, ObjectPayload
from station.outward.boxes_now import BoxNow
from station.outward.convention import Beside, OutMessage, as_json
from station.outward.feed import OutEvent
from station.outward.settings import FrigateSettings


class FrigateConvention:
    """`PREFIX/available` and `PREFIX/events`."""

    name = "frigate"
    wants_pictures = False

    def __init__(self, settings: FrigateSettings) -> None:
        self._prefix = settings.prefix

    @property
    def will(self) -> Will:
        """As Frigate's own."""
        return Will(f"{self._prefix}/available", b"offline")

    def greeting(self) -> Iterable[OutMessage]:
        """At each connection."""
        yield OutMessage(f"{self._prefix}/available", b"online", retained=True)

    def states(self, _boxes: Sequence[BoxNow]) -> Iterable[OutMessage]:
        """It has none."""
        return ()

    def picture(self, _out: OutEvent, _jpeg: bytes) -> Iterable[OutMessage]:
        """It shows none."""
        return ()

    def event(self, out: OutEvent, _beside: Beside) -> Iterable[OutMessage]:
        """`new` first, whatever the phase; then `update`, at last `end`."""
        now = shape(out.payload)
        if now is None:
            return
        before = shape(out.before) if out.before is not None else None
        if before is None:
            opened = now | {"end_time": None}
            yield self._said("new", opened, opened)
            before = opened
            if out.payload.phase is not Phase.END:
                return
        yield self._said("end" if out.payload.phase is Phase.END else "update", before, now)

    def _said(self, kind: str, before: dict[str, Any], after: dict[str, Any]) -> OutMessage:
        return OutMessage(f"{self._prefix}/events", as_json({"type": kind, "before": before, "after": after}))


def shape(payload: EventPayload) -> dict[str, Any] | None:
    """`before` or `after` of a message; None: it is about no road user."""
    seen = payload.object
    if seen is None:
        return None
    ended = payload.time.timestamp() if payload.phase is Phase.END else None
    return {
        "id": payload.id,
        "camera": f"{payload.device}_{payload.camera}",
        "frame_time": payload.time.timestamp(),
        "start_time": payload.start_time.timestamp(),
        "end_time": ended,
        "label": seen.label,
        "sub_label": None,
        "score": seen.score,
        "top_score": seen.top_score,
        "stationary": seen.stationary,
        "active": not seen.stationary,
        "current_zones": list(seen.zones),
        "entered_zones": list(seen.entered_zones),
        "has_snapshot": payload.image is not None or payload.scene is not None,
        "thumbnail": None,
        **(_in_pixels(seen, payload.frame) if payload.frame is not None else {}),
    }


def _in_pixels(seen: ObjectPayload, frame: FramePayload) -> dict[str, Any]:
    left, right = (round(at * frame.width_px) for at in (seen.box.left, seen.box.right))
    top, bottom = (round(at * frame.height_px) for at in (seen.box.top, seen.box.bottom))
    width, height = max(0, right - left), max(0, bottom - top)
    ratio = {"ratio": round(width / height, 2)} if height else {}
    return {"box": [left, top, right, bottom], "area": width * height, **ratio}
