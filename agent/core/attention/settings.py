"""The settings of attention: how often and how closely the detector looks."""

from __future__ import annotations

from pydantic import Field

from agent.settings.base import Settings


class AttentionSettings(Settings):
    """How often and how closely the detector looks."""

    enabled: bool = Field(
        True,
        description="Whether the detector looks at all. Without it only motion is told, for a fraction of the "
        "processor: for a small box with many cameras.",
    )
    min_interval_s: float = Field(
        0.1, ge=0, le=10, description="Least time between two looks of the detector, in seconds."
    )
    doubt_s: float = Field(
        0.2,
        ge=0,
        le=10,
        description="Time between two looks at new motion and at tracks that could be confused, in seconds.",
    )
    follow_s: float = Field(
        0.3,
        ge=0,
        le=10,
        description="Time between two looks while every track goes where it should, in seconds.",
    )
    negative_s: float = Field(
        1.0,
        ge=0,
        le=60,
        description="Longest time between two looks at motion in which nothing is found, in seconds.",
    )
    new_scene_s: float = Field(
        0.8,
        ge=0,
        le=60,
        description="How long after a start or a light switch, while nobody is followed there, the detector "
        "looks as often as it may, in seconds.",
    )
    max_crops: int = Field(
        4, ge=1, le=32, description="Most crops in one look; fewer make them coarser, never leave a blind spot."
    )
    object_share: float = Field(
        0.6, ge=0.1, le=1, description="An object fills at most this fraction of its crop's width and height."
    )
    small_px: int = Field(
        64, ge=8, le=512, description="Objects smaller than this in the frame are enlarged, in pixels."
    )
    enough_px: int = Field(
        28,
        ge=8,
        le=512,
        description="Objects may share a crop that shows each of them at least so large, in input pixels.",
    )
    enlarge: float = Field(2.0, ge=1, le=4, description="How many times small objects are enlarged at most.")
    whole_within: float = Field(
        0.0,
        ge=0,
        le=4,
        description="A frame at most so many times the detector's input is looked at as a whole, however small "
        "what moves in it is: cheaper, and blind to motorbikes in a small picture. 0: no frame is.",
    )
    full_scan_s: float = Field(
        30.0,
        ge=0.5,
        le=3600,
        description="Time between two full scans of the frame, for what stands, in seconds.",
    )
    full_scan_shrink: float = Field(
        2.0,
        ge=1,
        le=10,
        description="A full scan shrinks at most so many times; larger frames are scanned tile by tile.",
    )
    stationary_check_s: float = Field(
        5.0, ge=0.5, le=3600, description="Time between two looks at a track that stands, in seconds."
    )
    same_iou: float = Field(
        0.5, ge=0.1, le=1, description="Detections of one label that overlap so much (IoU) are one object."
    )
    inside: float = Field(
        0.7, ge=0.3, le=1, description="A detection cut by its crop goes if so much of it lies in another one."
    )
