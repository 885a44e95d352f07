"""The settings of the motion stage."""

from __future__ import annotations

from pydantic import Field

from agent.settings.base import Settings

Polygon = tuple[tuple[float, float], ...]


class MotionSettings(Settings):
    """What counts as motion, and how fast the scene is learned."""

    height_px: int = Field(
        180,
        ge=60,
        le=540,
        description="Working height: the picture is shrunk by a whole number to at most this, in pixels.",
    )
    threshold: float = Field(
        4.0,
        ge=1,
        le=100,
        description="Smallest change of a pixel that counts, in luma steps above its own noise.",
    )
    min_area: float = Field(
        0.0004, gt=0, le=0.5, description="Smallest region that counts, as a fraction of the frame's area."
    )
    max_regions: int = Field(
        32, ge=1, le=256, description="At most so many regions in one frame, the largest first."
    )
    memory_s: float = Field(
        20.0, ge=2, le=600, description="How long the look of the scene is remembered, in seconds."
    )
    absorb_s: float = Field(
        60.0,
        ge=5,
        le=3600,
        description="How long a thing must stand until it belongs to the scene, in seconds.",
    )
    settle_s: float = Field(
        2.0,
        ge=0.2,
        le=30,
        description="How long a new scene must be calm until motion is told, in seconds; at most twice that.",
    )
    switch_share: float = Field(
        0.5,
        ge=0.2,
        le=1,
        description="A sudden change of at least this fraction of the view is a light switch.",
    )
    ignore: tuple[Polygon, ...] = Field(
        (),
        description="Polygons in fractions of the frame where motion does not count, such as trees or a flag.",
    )
