"""The best picture of each track over its life: large, sharp, whole, nothing in front of it, surely recognised.

Colour is converted only for a crop that is kept, and a track is looked at again only when it could have become
better: the sharpness, which costs, is measured only where the rest already allows a better picture.

The quality of a picture is a product of five parts, each 0..1, so that one flaw cannot be hidden by the others:
size, sharpness (variance of the Laplacian: Pech-Pacheco et al. 2000, at one common scale so that large objects
are not preferred twice), wholeness (not cut by the frame), clearness (not covered by a road user nearer to the
camera, which is one whose foot is lower) and the detector's score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from pydantic import Field

from agent.core import picture
from agent.core.geometry import as_array, containment
from agent.core.types import WHOLE, Box, Event, Frame, Instant, Phase, Severity, Shot, Size, Track
from agent.settings import Settings

SHARP_SIDE_PX = 96
"""Sharpness is measured with the longer side of the crop at this size."""
HALF_SHARP = 150.0
"""Variance of the Laplacian, in squared luma steps, that counts as half sharp."""
BORDER = 0.004
"""Share of the frame: a box that comes so near to the border is cut by it."""
CUT = 0.45
"""Quality that is left to a picture that the border cuts."""


class ShotSettings(Settings):
    """How pictures of road users are chosen and cut out."""

    max_side_px: int = Field(480, ge=64, le=1920, description="Longer side of a kept picture, in pixels.")
    margin: float = Field(
        0.15, ge=0, le=1, description="Space around the object, as a share of its longer side."
    )
    better_by: float = Field(0.12, ge=0, le=1, description="A picture is replaced by one better by this share.")
    every_s: float = Field(0.3, ge=0, le=60, description="No track is looked at more often, in seconds.")
    full_size_px: float = Field(160.0, ge=16, le=2000, description="From this size on, larger is no better.")
    scene_width_px: int = Field(960, ge=160, le=3840, description="Width of the whole view sent with an alert.")
    max_tracks: int = Field(256, ge=1, le=4096, description="Pictures kept at once; the oldest go first.")


@dataclass(frozen=True, slots=True)
class Best:
    """The picture kept of one track."""

    shot: Shot
    tried: Instant
    """When a better one was last looked for."""


@dataclass(frozen=True, slots=True)
class ShotsState:
    """The best picture of every track that lives. Never changed, only replaced."""

    best: Mapping[str, Best] = field(default_factory=dict)
    """By track id."""


def update(
    state: ShotsState | None, frame: Frame, tracks: Sequence[Track], settings: ShotSettings
) -> tuple[ShotsState, dict[str, Shot]]:
    """Look at every track that was seen in this frame; returns the pictures that became better, by track id."""
    before = state.best if state else {}
    best = {track.id: before[track.id] for track in tracks if track.id in before and not track.ended}
    better: dict[str, Shot] = {}
    hidden = _hidden(tracks)
    for track, cover in zip(tracks, hidden, strict=True):
        now = best.get(track.id)
        if not (track.seen and track.confirmed) or track.ended or (now and _too_soon(now, frame, settings)):
            continue
        shot = _try(frame, track, cover, now.shot.quality if now else None, settings)
        if shot is not None:
            better[track.id] = shot
            best[track.id] = Best(shot, frame.at)
        elif now is not None:
            best[track.id] = replace(now, tried=frame.at)
    keep = sorted(best, key=lambda name: best[name].tried)[-settings.max_tracks :]
    return ShotsState({name: best[name] for name in best if name in set(keep)}), better


def illustrate(event: Event, frame: Frame, settings: ShotSettings) -> Event:
    """Add the pictures that only this frame can give.

    The whole view when an alert starts, and a crop of the region for events that are not about one road user.
    """
    subject = event.object.box if event.object else event.region or WHOLE
    if event.phase is Phase.END:
        return event
    if event.thumbnail is None and event.object is None and event.region is not None:
        event = replace(event, thumbnail=crop(frame, event.region, 0.5, settings))
    if event.phase is Phase.START and event.severity is Severity.ALERT:
        event = replace(event, scene=scene(frame, subject, settings.scene_width_px))
    return event


def crop(frame: Frame, box: Box, quality: float, settings: ShotSettings) -> Shot:
    """The part of the frame around the box, with some space, copied and at most `max_side_px` large."""
    cut = _widened(box, frame.size, settings.margin)
    left, top, right, bottom = picture.pixels(cut, frame.size)
    scale = min(1.0, settings.max_side_px / max(right - left, bottom - top))
    size = Size(max(2, round((right - left) * scale)), max(2, round((bottom - top) * scale)))
    image = picture.bgr(frame, cut, size)
    return Shot(image, frame.at, _within(box, (left, top, right, bottom), frame.size), quality)


def scene(frame: Frame, box: Box, max_width_px: int) -> Shot:
    """The whole view, at most `max_width_px` wide; `box` says where it happened."""
    full = frame.size
    width = min(full.width_px, max_width_px)
    height = max(2, round(full.height_px * width / full.width_px))
    return Shot(picture.bgr(frame, WHOLE, Size(width, height)), frame.at, box, 1.0)


def _too_soon(now: Best, frame: Frame, settings: ShotSettings) -> bool:
    return frame.at.since(now.tried) < settings.every_s


def _try(frame: Frame, track: Track, cover: float, known: float | None, settings: ShotSettings) -> Shot | None:
    """A picture of the track as it is now, if it is better than the known one by enough."""
    most = _promise(frame.size, track, cover, settings)
    enough = 0.0 if known is None else known * (1 + settings.better_by)
    if known is not None and most <= enough:
        return None
    quality = most * _sharpness(frame, track.box)
    if known is not None and quality <= enough:
        return None
    return crop(frame, track.box, quality, settings)


def _promise(size: Size, track: Track, cover: float, settings: ShotSettings) -> float:
    """The quality that a perfectly sharp picture would have."""
    box = track.box
    side_px = (box.area * size.width_px * size.height_px) ** 0.5
    large = min(1.0, side_px / settings.full_size_px) ** 0.5
    cut = min(box.left, box.top, 1 - box.right, 1 - box.bottom) <= BORDER
    return float(large * (CUT if cut else 1.0) * (1 - 0.8 * cover) * (0.5 + 0.5 * track.score))


def _sharpness(frame: Frame, box: Box) -> float:
    """0.4 for a smear .. 1 for crisp edges."""
    left, top, right, bottom = picture.pixels(box, frame.size)
    luma = frame.luma[top:bottom, left:right]
    scale = SHARP_SIDE_PX / max(luma.shape)
    if scale < 1:
        luma = cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    variance = float(cv2.Laplacian(luma, cv2.CV_32F).var()) if min(luma.shape) >= 3 else 0.0
    return 0.4 + 0.6 * variance / (variance + HALF_SHARP)


def _hidden(tracks: Sequence[Track]) -> list[float]:
    """For each track the share of its box that the one most in its way covers."""
    if not tracks:
        return []
    boxes = as_array([track.box for track in tracks])
    shared = containment(boxes, boxes)
    shared[boxes[:, None, 3] >= boxes[None, :, 3]] = 0.0  # only a lower foot is nearer to the camera
    np.fill_diagonal(shared, 0.0)
    return [float(row.max()) for row in shared]


def _widened(box: Box, size: Size, margin: float) -> Box:
    space = margin * max(box.width * size.width_px, box.height * size.height_px)
    dx, dy = space / size.width_px, space / size.height_px
    return Box(
        max(0.0, box.left - dx), max(0.0, box.top - dy), min(1.0, box.right + dx), min(1.0, box.bottom + dy)
    )


def _within(box: Box, cut: tuple[int, int, int, int], size: Size) -> Box:
    """The box in fractions of the cut, which is in pixels."""
    left, top, right, bottom = cut
    return Box(
        min(1.0, max(0.0, (box.left * size.width_px - left) / (right - left))),
        min(1.0, max(0.0, (box.top * size.height_px - top) / (bottom - top))),
        min(1.0, max(0.0, (box.right * size.width_px - left) / (right - left))),
        min(1.0, max(0.0, (box.bottom * size.height_px - top) / (bottom - top))),
    )
