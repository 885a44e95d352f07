"""The simulated place: a junction in metres, and the camera on a pole that looks at it.

x goes right, y away from the camera, z up. Two roads with two lanes each way cross at (0, 34); traffic keeps
right. All that is drawn on the picture (lines, zones) is drawn on the ground and projected.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from agent.core.geometry import Point
from agent.core.types import Box, Size

Floats = NDArray[np.float64]

FRAME = Size(1280, 720)
MIDDLE = 34.0
"""Where the roads cross, metres from the foot of the pole."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole over the origin."""

    height: float = 9.0
    tilt_deg: float = 18.0
    focal_px: float = 900.0

    def project(self, points: Floats) -> Floats:
        """Places (…, 3) in metres as fractions of the frame (…, 2). All must lie before the camera."""
        tilt = radians(self.tilt_deg)
        below = points[..., 2] - self.height
        depth = np.maximum(points[..., 1] * cos(tilt) - below * sin(tilt), 0.1)
        up = points[..., 1] * sin(tilt) + below * cos(tilt)
        x = FRAME.width_px / 2 + self.focal_px * points[..., 0] / depth
        y = FRAME.height_px / 2 - self.focal_px * up / depth
        return np.stack([x / FRAME.width_px, y / FRAME.height_px], axis=-1)

    def polygon(self, *corners: tuple[float, float]) -> tuple[Point, ...]:
        """Places on the ground as a polygon of the picture, kept inside it."""
        flat = self.project(np.array([(x, y, 0.0) for x, y in corners]))
        return tuple((float(x), float(y)) for x, y in np.clip(flat, 0.0, 1.0))


CAMERA = Camera()


def rectangle(left: float, near: float, right: float, far: float) -> tuple[Point, ...]:
    """A rectangle on the ground as a polygon of the picture."""
    return CAMERA.polygon((left, near), (right, near), (right, far), (left, far))


def boxes(places: Floats, headings: Floats, sizes: Floats, lifts: Floats) -> Floats:
    """Boxes on the picture around blocks on the ground, (N, 4), not cut by the frame.

    places is (N, 2) in metres, headings (N,) in radians from +x, sizes (N, 3) as length, width and height, and
    lifts (N,) is how far the block floats above the ground: a rider sits on a seat.
    """
    corner = np.array([(a, b, c) for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (0.0, 1.0)])
    local = corner[None] * sizes[:, None, :]
    turn_x, turn_y = np.cos(headings)[:, None], np.sin(headings)[:, None]
    x = places[:, None, 0] + local[..., 0] * turn_x - local[..., 1] * turn_y
    y = places[:, None, 1] + local[..., 0] * turn_y + local[..., 1] * turn_x
    flat = CAMERA.project(np.stack([x, np.maximum(y, 0.5), local[..., 2] + lifts[:, None]], axis=-1))
    return np.concatenate([flat.min(axis=1), flat.max(axis=1)], axis=1)


def clipped(rows: Floats) -> Floats:
    """The boxes as far as they are in the picture."""
    return np.clip(rows, 0.0, 1.0)


def box(row: Floats) -> Box:
    """One row as a Box."""
    return Box(float(row[0]), float(row[1]), float(row[2]), float(row[3]))
