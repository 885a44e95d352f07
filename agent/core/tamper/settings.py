"""The settings of tamper detection."""

from __future__ import annotations

from pydantic import Field

from agent.settings.base import Settings


class TamperSettings(Settings):
    """When a camera counts as blind."""

    enabled: bool = Field(True, description="Whether to watch over the camera's own sight.")
    look_every_s: float = Field(
        0.5, ge=0.1, le=2, description="How often the picture is compared with the usual view, in seconds."
    )
    lost_share: float = Field(
        0.65,
        ge=0.3,
        le=0.95,
        description="Blind when this share of the view is gone; must be more than the largest vehicle hides.",
    )
    sharpness: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Blurred below this part of the usual sharpness.",
    )
    after_s: float = Field(3.0, ge=1, le=60, description="How long the view must be gone, in seconds.")
    partly_after_s: float = Field(
        6.5,
        ge=1,
        le=60,
        description="The same where it is gone only in part, which a passing bus could do, in seconds.",
    )
    back_after_s: float = Field(
        2.0, ge=0.5, le=60, description="How long the view must be back until the fault is over, in seconds."
    )
    frozen_after_s: float = Field(
        7.5,
        ge=2,
        le=600,
        description="Frozen when no pixel changed for so long, in seconds. A stream that often stands still by "
        "itself is given twice its own longest time.",
    )
    memory_s: float = Field(
        60.0, ge=10, le=3600, description="How long the look of the scene is remembered, in seconds."
    )
