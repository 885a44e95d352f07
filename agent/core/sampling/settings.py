"""How frames for training are chosen, and how many at most."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from agent.settings.base import Settings


class SampleReason(StrEnum):
    """Why a frame would teach a detector."""

    MISSED_MOTION = "missed_motion"
    """Something of a road user's size goes through the view, and the detector finds nothing there."""
    WAVERING_LABEL = "wavering_label"
    """The detector changes its mind about what somebody is."""
    MIDDLE_SCORE = "middle_score"
    """Neither sure that it is one nor that it is none."""
    RARE_SCENE = "rare_scene"
    """An hour, a light or a haze of which few frames were kept."""


ALL_REASONS = tuple(SampleReason)


class SamplingSettings(Settings):
    """How frames for training are chosen; limits are of each camera."""

    kinds: tuple[SampleReason, ...] = Field(
        ALL_REASONS,
        min_length=1,
        description="What is kept. missed_motion: something goes by in which the detector finds nothing; "
        "wavering_label: it changes its mind; middle_score: it is not sure; rare_scene: hours, light and haze "
        "of which there are few.",
    )
    per_hour: int = Field(6, ge=1, le=120, description="Most frames of a camera in any hour.")
    per_day: int = Field(60, ge=1, le=1000, description="Most frames of a camera in any 24 hours.")
    per_place: int = Field(
        2,
        ge=1,
        le=100,
        description="Most frames for one reason, in one part of the view and one hour of the day, in 24 hours.",
    )
    min_gap_s: float = Field(
        60.0, ge=1, le=86_400, description="Least time between two frames for one reason: neighbours are alike."
    )
    missed_s: float = Field(
        1.5, ge=0.1, le=60, description="How long something must go by without being found, in seconds."
    )
    missed_height: float = Field(
        0.04, gt=0, le=1, description="How high it must be at least, as a share of the view."
    )
    middle_low: float = Field(0.2, ge=0, le=1, description="Scores from here on are in the middle.")
    middle_high: float = Field(0.5, ge=0, le=1, description="Scores below this are in the middle.")
    flips: int = Field(3, ge=1, le=100, description="So often the label of one road user must have changed.")
