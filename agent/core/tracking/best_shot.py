"""Best shot: the picture of each track that is largest, sharp, whole, not occluded and surely recognised.

Colour is converted only for a crop that is kept, and a track is looked at again only when it could have become
better: the sharpness, which costs, is measured only where the rest already allows a better picture.

The quality of a picture is a product of five parts, each 0..1, so that one flaw cannot be hidden by the others:
size, sharpness, wholeness (not cut by the frame), clearness (no occlusion by a road user nearer to the camera,
which is one whose foot is lower) and the detector's score.

What is cut out is the detection of this very frame: the box of a track is smoothed, and lags behind what grows
quickly towards the camera: on the clips at hand up to a tenth of a car was outside of a crop made from it.

Sharpness is the blur effect of Crete et al. ("The blur effect: perception and estimation with a new
no-reference perceptual blur metric", SPIE 2007): how much of the difference between neighbouring pixels stays
when the picture is blurred once more, in the worse of the two directions, so that motion blur shows.
It was calibrated on 1428 crops of nine clips, by day and at night, 10 to 372 pixels large: half of them lie
between 0.27 and 0.32 and 99 of 100 below 0.43, whatever their size and contrast; smeared by a tenth of their
length, half of those of 60 pixels and more lie between 0.60 and 0.69. The variance of the Laplacian, which was
used before, differs tenfold between two clips that are both sharp, and is highest for the smallest crops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from pydantic import Field

from agent.core import image as picture
from agent.core.geometry import as_array, containment, iou
from agent.core.tracking import colours, sensitive
from agent.core.types import (
    WHOLE,
    Box,
    Detection,
    Event,
    Frame,
    Instant,
    Phase,
    Plane,
    Sensitive,
    Severity,
    Shot,
    Size,
    Track,
)
from agent.settings.base import Settings

SHARP_SIDE_PX = 96
"""Sharpness is measured with the longer side of the crop at this size."""
SECOND_BLUR_PX = 9
CRISP, SMEARED = 0.42, 0.66
"""Blur effects at which a picture is fully sharp, and of no use; see above."""
SURROUNDINGS = 3.0
"""A small road user is shown in at most so many times its size, or nobody knows which of a queue is meant."""
OWN = 0.3
"""Overlap (IoU) from which a detection can be a track's own."""
BORDER = 0.004
"""Share of the frame: a box that comes so near to the border is cut by it."""
CUT = 0.45
"""Quality that is left to a picture that the border cuts."""


class BestShotSettings(Settings):
    """How pictures of road users are chosen and cut out."""

    max_side_px: int = Field(480, ge=64, le=1920, description="Longer side of a kept picture, in pixels.")
    margin: float = Field(
        0.15, ge=0, le=1, description="Space around the object, as a share of its longer side."
    )
    better_by: float = Field(0.12, ge=0, le=1, description="A picture is replaced by one better by this share.")
    every_s: float = Field(0.3, ge=0, le=60, description="No track is looked at more often, in seconds.")
    min_side_px: int = Field(
        72, ge=0, le=480, description="Small road users are shown in so many pixels of the view each way."
    )
    region_margin: float = Field(
        0.35, ge=0, le=2, description="Space around what moves, as a share of its longer side."
    )
    full_size_px: float = Field(160.0, ge=16, le=2000, description="From this size on, larger is no better.")
    scene_width_px: int = Field(960, ge=160, le=3840, description="Width of the whole view sent with an alert.")
    colours: bool = Field(True, description="Tell the colour of vehicles, and of what people wear.")
    max_tracks: int = Field(256, ge=1, le=4096, description="Pictures kept at once; the oldest go first.")


@dataclass(frozen=True, slots=True)
class Best:
    """The picture kept of one track."""

    shot: Shot
    tried: Instant
    """When a better one was last looked for."""


@dataclass(frozen=True, slots=True)
class BestShotState:
    """The best picture of every track that lives. Never changed, only replaced."""

    best: Mapping[str, Best] = field(default_factory=dict)
    """By track id."""


def update(
    state: BestShotState | None,
    frame: Frame,
    tracks: Sequence[Track],
    settings: BestShotSettings,
    found: Sequence[Detection] = (),
    private: Sequence[Sensitive] = (),
) -> tuple[BestShotState, dict[str, Shot]]:
    """Look at every track that was seen in this frame; returns the pictures that became better, by track id.

    `found` is what the tracker was told: with it, pictures are of what was detected and not of smoothed boxes.
    `private` is where heads and plates are in this frame.
    """
    tracks = _as_found(tracks, found)
    before = state.best if state else {}
    best = {track.id: before[track.id] for track in tracks if track.id in before and not track.ended}
    better: dict[str, Shot] = {}
    hidden = _hidden(tracks)
    for track, cover in zip(tracks, hidden, strict=True):
        now = best.get(track.id)
        if not (track.seen and track.confirmed) or track.ended or (now and _too_soon(now, frame, settings)):
            continue
        shot = _try(frame, track, cover, now.shot.quality if now else None, settings, private)
        if shot is not None:
            better[track.id] = shot
            best[track.id] = Best(shot, frame.at)
        elif now is not None:
            best[track.id] = replace(now, tried=frame.at)
    keep = sorted(best, key=lambda name: best[name].tried)[-settings.max_tracks :]
    return BestShotState({name: best[name] for name in best if name in set(keep)}), better


def illustrate(
    event: Event, frame: Frame, settings: BestShotSettings, private: Sequence[Sensitive] = ()
) -> Event:
    """Add the pictures that only this frame can give; `private` is where heads and plates are in it.

    The whole view when an alert starts, and a crop of the region for events that are not about one road user.
    """
    subject = event.object.box if event.object else event.region or WHOLE
    if event.phase is Phase.END:
        return event
    if event.thumbnail is None and event.object is None and event.region is not None:
        shot = crop(frame, event.region, 0.5, settings, settings.region_margin, private)
        event = replace(event, thumbnail=shot)
    if event.phase is Phase.START and event.severity is Severity.ALERT:
        event = replace(event, scene=scene(frame, subject, settings.scene_width_px, private))
    return event


def crop(
    frame: Frame,
    box: Box,
    quality: float,
    settings: BestShotSettings,
    margin: float | None = None,
    private: Sequence[Sensitive] = (),
) -> Shot:
    """The part of the frame around the box, with some space, copied and at most `max_side_px` large.

    A small road user is shown in its surroundings: its few pixels alone say nothing to anyone.
    """
    cut = _widened(box, frame.size, settings.margin if margin is None else margin, settings.min_side_px)
    left, top, right, bottom = picture.pixels(cut, frame.size)
    scale = min(1.0, settings.max_side_px / max(right - left, bottom - top))
    size = Size(max(2, round((right - left) * scale)), max(2, round((bottom - top) * scale)))
    image = picture.bgr(frame, cut, size)
    own = _within(box, (left, top, right, bottom), frame.size)
    width_px, height_px = frame.size.width_px, frame.size.height_px
    whole = Box(left / width_px, top / height_px, right / width_px, bottom / height_px)
    return Shot(image, frame.at, own, quality, sensitive.within(private, whole), whole)


def scene(frame: Frame, box: Box, max_width_px: int, private: Sequence[Sensitive] = ()) -> Shot:
    """The whole view, at most `max_width_px` wide; `box` says where it happened."""
    full = frame.size
    width = min(full.width_px, max_width_px)
    height = max(2, round(full.height_px * width / full.width_px))
    return Shot(picture.bgr(frame, WHOLE, Size(width, height)), frame.at, box, 1.0, tuple(private))


def _too_soon(now: Best, frame: Frame, settings: BestShotSettings) -> bool:
    return frame.at.since(now.tried) < settings.every_s


def _try(
    frame: Frame,
    track: Track,
    cover: float,
    known: float | None,
    settings: BestShotSettings,
    private: Sequence[Sensitive],
) -> Shot | None:
    """A picture of the track as it is now, if it is better than the known one by enough."""
    most = _promise(frame.size, track, cover, settings)
    enough = 0.0 if known is None else known * (1 + settings.better_by)
    if known is not None and most <= enough:
        return None
    quality = most * _sharpness(frame, track.box)
    if known is not None and quality <= enough:
        return None
    shot = crop(frame, track.box, quality, settings, private=private)
    if not settings.colours:
        return shot
    shown = colours.has_colour(frame)
    return replace(
        shot, colours=colours.of(shot.image, shot.box, track.label, riders=track.riders, shown=shown)
    )


def _promise(size: Size, track: Track, cover: float, settings: BestShotSettings) -> float:
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
    blur = max(_blur(luma), _blur(luma.T)) if min(luma.shape) >= 3 else 1.0
    return 0.4 + 0.6 * min(1.0, max(0.0, (SMEARED - blur) / (SMEARED - CRISP)))


def _blur(luma: Plane) -> float:
    """The blur effect along the columns, 0..1; 1 for a plain surface."""
    sharp = luma.astype(np.float32)
    soft = cv2.blur(sharp, (1, SECOND_BLUR_PX), borderType=cv2.BORDER_REPLICATE)
    differences = np.abs(np.diff(sharp, axis=0))
    lost = np.maximum(0.0, differences - np.abs(np.diff(soft, axis=0)))
    total = float(differences.sum())
    return 1.0 - float(lost.sum()) / total if total > 0 else 1.0


def _as_found(tracks: Sequence[Track], found: Sequence[Detection]) -> list[Track]:
    """The tracks with the boxes of their detections, where the two are each other's best match."""
    if not tracks or not found:
        return list(tracks)
    overlap = iou(as_array([track.box for track in tracks]), as_array([each.box for each in found]))
    nearest, owner = overlap.argmax(axis=1), overlap.argmax(axis=0)
    return [
        replace(track, box=_clipped(found[nearest[row]].box))
        if track.seen and owner[nearest[row]] == row and overlap[row, nearest[row]] >= OWN
        else track
        for row, track in enumerate(tracks)
    ]


def _clipped(box: Box) -> Box:
    return Box(max(0.0, box.left), max(0.0, box.top), min(1.0, box.right), min(1.0, box.bottom))


def _hidden(tracks: Sequence[Track]) -> list[float]:
    """For each track the share of its box that the one most in its way covers."""
    if not tracks:
        return []
    boxes = as_array([track.box for track in tracks])
    shared = containment(boxes, boxes)
    shared[:, [not (track.seen and track.confirmed) for track in tracks]] = 0.0  # perhaps nothing is there
    shared[boxes[:, None, 3] >= boxes[None, :, 3]] = 0.0  # only a lower foot is nearer to the camera
    np.fill_diagonal(shared, 0.0)
    return [float(row.max()) for row in shared]


def _widened(box: Box, size: Size, margin: float, least_px: float) -> Box:
    side_px = max(box.width * size.width_px, box.height * size.height_px)
    space, least_px = margin * side_px, min(least_px, SURROUNDINGS * side_px)
    left, right = _stretched(box.left, box.right, space / size.width_px, least_px / size.width_px)
    top, bottom = _stretched(box.top, box.bottom, space / size.height_px, least_px / size.height_px)
    return Box(left, top, right, bottom)


def _stretched(low: float, high: float, space: float, least: float) -> tuple[float, float]:
    """One side with space at both ends; if that is not `least` long, longer, and moved into the frame."""
    more = max(space, (least - (high - low)) / 2)
    low, high = low - more, high + more
    if more > space:
        low, high = low - max(0.0, high - 1.0), high + max(0.0, -low)
    return max(0.0, low), min(1.0, high)


def _within(box: Box, cut: tuple[int, int, int, int], size: Size) -> Box:
    """The box in fractions of the cut, which is in pixels."""
    left, top, right, bottom = cut
    return Box(
        min(1.0, max(0.0, (box.left * size.width_px - left) / (right - left))),
        min(1.0, max(0.0, (box.top * size.height_px - top) / (bottom - top))),
        min(1.0, max(0.0, (box.right * size.width_px - left) / (right - left))),
        min(1.0, max(0.0, (box.bottom * size.height_px - top) / (bottom - top))),
    )
