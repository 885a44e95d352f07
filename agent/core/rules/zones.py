"""Zones: polygons on the picture, and who is in them.

A box trembles, so its foot at the edge of a zone would enter and leave for ever (frigate #9001, #2556). A road
user is in a zone once its point has been inside for `enter_after_s`, and out once its point has been farther
from the zone than a margin, which grows with its box, for `leave_after_s`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from math import hypot, sqrt
from typing import Annotated, Self

from pydantic import Field, model_validator

from agent.core import debounce
from agent.core.debounce import Debounce
from agent.core.geometry import Point, crosses, inside, side
from agent.core.plain_sum import plain_sum
from agent.core.types import Box, Instant, Size
from agent.settings.base import Name, Settings, Title
from agent.translatable import tr

Fraction = Annotated[float, Field(ge=0, le=1)]
Corner = tuple[Fraction, Fraction]
"""A point on the picture: x and y in fractions of the frame, from its top left corner."""

GAP_S = 0.25
"""Who rides along the edge of a zone trembles over it for a sighting or two, and comes in all the same."""

SMALLEST_AREA = 1e-4
"""Share of the frame: about 10 by 10 pixels of a frame of 1280 by 720. Less is a slip of the mouse."""


class Anchor(StrEnum):
    """Which point of a box stands for the road user."""

    FOOT = "foot"
    CENTER = "center"


class Zone(Settings):
    """A named part of the picture."""

    id: Name = Field(description=tr("Name of the zone."))
    title: Title = Field("", description="What officers read in place of the id; empty: the id.")
    polygon: tuple[Corner, ...] = Field(
        min_length=3, max_length=64, description=tr("Corners in order, [x, y] each.")
    )
    anchor: Anchor = Field(Anchor.FOOT, description="The point of a box that must be inside: foot or center.")
    enter_after_s: float = Field(
        0.4, ge=0, le=60, description="Inside for so long before it is in, in seconds."
    )
    leave_after_s: float = Field(
        1.0, ge=0, le=60, description="Outside for so long before it is out, in seconds."
    )
    margin: float = Field(0.2, ge=0, le=1, description="Outside begins so far off the edge, in box sizes.")

    @model_validator(mode="after")
    def _is_simple(self) -> Self:
        edges = list(pairwise((*self.polygon, self.polygon[0])))
        for number, (a, b) in enumerate(edges, start=1):
            if a == b:
                raise ValueError(
                    tr("zone {id}: corner {number} is given twice; leave one out", id=self.id, number=number)
                )
        for i, first in enumerate(edges):
            for k in range(i + 2, len(edges)):
                if (i, k) != (0, len(edges) - 1) and crosses(*first, *edges[k]):
                    raise ValueError(
                        tr(
                            "zone {id}: its edges {i} and {k} cross; list the corners in order around the zone",
                            id=self.id,
                            i=i + 1,
                            k=k + 1,
                        )
                    )
        if abs(_signed_area(self.polygon)) < SMALLEST_AREA:
            raise ValueError(tr("zone {id}: its corners enclose nothing; they must span an area", id=self.id))
        return self


def metric(point: Point, frame: Size) -> Point:
    """The point in heights of the frame, so that distances are the same in all directions."""
    return point[0] * frame.width_px / frame.height_px, point[1]


def size_of(box: Box, frame: Size) -> float:
    """How large a box is: the side of the square of its area, in heights of the frame."""
    return sqrt(box.area * frame.width_px / frame.height_px)


def anchor_of(box: Box, anchor: Anchor) -> Point:
    """The point of the box that counts, in fractions of the frame."""
    return box.foot if anchor is Anchor.FOOT else box.center


def stay(now: Debounce, zone: Zone, box: Box, frame: Size, at: Instant) -> Debounce:
    """Fold one sighting of a road user into its stay in a zone; `on` means that it is in."""
    point = anchor_of(box, zone.anchor)
    within = inside(point, zone.polygon)
    begun = not within and now.since is not None
    near = begun and _distance(point, zone.polygon, frame) <= zone.margin * size_of(box, frame)
    return debounce.update(
        now,
        at,
        within or (near and now.on),
        rise_s=zone.enter_after_s,
        fall_s=zone.leave_after_s,
        gap_s=GAP_S if near else 0.0,
    )


def touches(box: Box, polygon: Sequence[Point]) -> bool:
    """Do a box and a zone share any ground?"""
    corners = (
        (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom),
    )  # fmt: skip
    if any(inside(corner, polygon) for corner in corners):
        return True
    if any(box.left <= x <= box.right and box.top <= y <= box.bottom for x, y in polygon):
        return True
    ring = list(pairwise((*polygon, polygon[0])))
    return any(crosses(*e, *f) for e in pairwise((*corners, corners[0])) for f in ring)


def _distance(point: Point, polygon: Sequence[Point], frame: Size) -> float:
    """From a point to the edge of a zone, in heights of the frame."""
    p = metric(point, frame)
    ring = [metric(corner, frame) for corner in polygon]
    return min(_to_segment(p, a, b) for a, b in pairwise((*ring, ring[0])))


def _to_segment(p: Point, a: Point, b: Point) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy)
    if 0 <= along <= 1:
        return abs(side(p, a, b))
    end = a if along < 0 else b
    return hypot(p[0] - end[0], p[1] - end[1])


def _signed_area(polygon: Sequence[Point]) -> float:
    return plain_sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise((*polygon, polygon[0]))) / 2
