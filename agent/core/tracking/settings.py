"""The settings of the tracker; every length is relative to a box, every time in seconds."""

from __future__ import annotations

from pydantic import Field

from agent.core.tracking.kalman import Noise
from agent.settings.base import Settings


class TrackSettings(Settings):
    """How detections become tracks."""

    high_score: float = Field(0.6, ge=0, le=1, description="Detections from this score on are paired first.")
    low_score: float = Field(0.1, ge=0, le=1, description="Detections below this score are ignored.")
    birth_score: float = Field(0.6, ge=0, le=1, description="Smallest score that begins a track.")
    low_birth_score: float = Field(
        0.2, ge=0, le=1, description="Smallest score that begins a candidate where something moves."
    )
    low_birth_travel: float = Field(
        0.5,
        ge=0,
        le=20,
        description="How far a candidate has gone before weaker detections than `birth_score` count, "
        "in box sizes.",
    )
    min_overlap: float = Field(
        0.2, gt=0, le=1, description="Smallest likeness of a strong detection and a track."
    )
    min_overlap_low: float = Field(0.4, gt=0, le=1, description="The same for a weak detection.")
    min_overlap_last: float = Field(
        0.3, gt=0, le=1, description="Smallest IoU with the place of the last sight."
    )
    min_overlap_other: float = Field(
        0.6, gt=0, le=1, description="Smallest IoU with a strong detection of another kind: a wrong label."
    )
    widen: float = Field(
        1.0, ge=0, le=5, description="Margin around boxes when pairing, in units of uncertainty."
    )
    size_weight: float = Field(1.0, ge=0, le=4, description="How much a different size speaks against a pair.")
    widest: float = Field(0.5, ge=0, le=3, description="Largest margin, in sizes of the box.")
    duplicate_overlap: float = Field(
        0.8, gt=0, le=1, description="Boxes of one kind that overlap more are one."
    )
    min_evidence: float = Field(
        2.0, ge=0.5, le=20, description="Detections less misses from which a track is told to anyone."
    )
    sure_score: float = Field(
        0.7, gt=0, le=1, description="A detection of this score counts full, a weaker one less."
    )
    crowd: float = Field(
        0.2,
        ge=0,
        le=1,
        description="What a detection counts that overlaps another track: it may be its double.",
    )
    crowd_overlap: float = Field(0.3, gt=0, le=1, description="Overlap (IoU) from which it may be a double.")
    part_inside: float = Field(
        0.7, gt=0, le=1, description="Share of a detection inside a ridden two-wheeler from which it is a part."
    )
    candidate_s: float = Field(0.15, gt=0, le=60, description="How long an unconfirmed track may be missed.")
    candidate_moving_s: float = Field(3.0, gt=0, le=60, description="The same while something moves there.")
    lost_s: float = Field(2.0, gt=0, le=60, description="How long a confirmed track may be missed.")
    forget_s: float = Field(10.0, gt=0, le=600, description="How long a track lives that nobody looks for.")
    still_after_s: float = Field(5.0, gt=0, le=600, description="Rest after which a track is stationary.")
    still_share: float = Field(
        0.3, gt=0, le=1, description="Shift of the centre that is still rest, in box sizes."
    )
    still_lost_s: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How long a stationary track may be missed after something moved over it.",
    )
    still_keep_s: float = Field(
        14400.0, gt=0, le=604800, description="How long it may be missed while nothing moves over it."
    )
    patience: float = Field(
        1.0, ge=1, le=20, description="Most that patience stretches for a seldom seen track."
    )
    max_tracks: int = Field(256, ge=8, le=4096, description="Most tracks of one camera; candidates go first.")
    first_speed: float = Field(
        2.0, gt=0, le=20, description="Typical speed of what is new, in box sizes per second."
    )
    agility: float = Field(
        0.15, ge=0, le=3, description="Share of its own speed by which a track's speed changes."
    )
    speed: float = Field(
        0.5, gt=0, le=20, description="Typical change of a slow track's speed, in box sizes per second."
    )
    speed_memory_s: float = Field(4.0, gt=0, le=60, description="How long a velocity lasts.")
    first_growth: float = Field(
        0.3, gt=0, le=5, description="Typical growth of a side of what is new, in its own size per second."
    )
    growth: float = Field(
        0.1, gt=0, le=5, description="Typical change of a side's growth, in its own size per second."
    )
    growth_agility: float = Field(
        0.08, ge=0, le=2, description="What is added to that for each box size per second of its own speed."
    )
    growth_memory_s: float = Field(4.0, gt=0, le=60, description="How long growth lasts.")
    catch_up: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of each look by which the shown box follows what the filter lags behind.",
    )
    jitter: float = Field(0.07, gt=0, le=1, description="Spread of a detected centre, in box sizes.")
    jitter_size: float = Field(0.2, gt=0, le=1, description="Spread of a detected side, in its own size.")
    vote_memory_s: float = Field(10.0, gt=0, le=600, description="How long votes for label and riders count.")
    label_lead: float = Field(1.3, ge=1, le=10, description="Factor by which another label must lead to win.")
    groups: tuple[tuple[str, ...], ...] = Field(
        (("car", "truck", "bus", "van"), ("motorcycle", "bicycle")),
        description="Labels that a detector confuses: one track may flicker within a group.",
    )

    @property
    def noise(self) -> Noise:
        """What the filter assumes."""
        return Noise(
            first_speed=self.first_speed,
            speed=self.speed,
            agility=self.agility,
            speed_memory_s=self.speed_memory_s,
            first_growth=self.first_growth,
            growth=self.growth,
            growth_agility=self.growth_agility,
            growth_memory_s=self.growth_memory_s,
            measured=self.jitter,
            measured_size=self.jitter_size,
        )
