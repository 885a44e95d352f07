"""The settings of frames kept for training: whether, by what right, how many, how long, what is hidden."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from agent.core.sampling.settings import SamplingSettings
from agent.settings.base import Name, Settings
from agent.translatable import tr


class SampleKeepingSettings(Settings):
    """Whether frames are kept at all, by what right, how long and what of them nobody may see."""

    enabled: bool = Field(
        False, description="Keep frames that would teach the detector. Needs `purpose` and `legal_basis`."
    )
    purpose: str = Field(
        "", max_length=500, description="What these frames are for, in words; stands in each of them."
    )
    legal_basis: str = Field(
        "",
        max_length=500,
        description="The decision or provision that allows to keep them; stands in each of them.",
    )
    by_order: bool = Field(
        False,
        description="Whether the station may have these frames sent to it over MQTT; else they leave by stick "
        "only.",
    )
    cameras: tuple[Name, ...] = Field((), description="Of these cameras only; none named: of all.")
    blur: Literal["none", "heads", "heads_and_plates"] = Field(
        "heads",
        description="heads: heads of people and riders are of coarse squares, and so is all that moves and was "
        "not found; heads_and_plates: number plates too. What stays visible: docs/guide/collect.md.",
    )
    width_px: int = Field(640, ge=160, le=1920, description="Width of a frame that is kept, in pixels.")
    max_mb: int = Field(
        200,
        ge=1,
        le=100_000,
        description="Most megabytes of all frames together; what teaches least makes room.",
    )
    max_days: float = Field(
        14.0,
        gt=0,
        le=365,
        description="Older frames are deleted; only while somebody vouches for the clock.",
    )


class SamplesSettings(SamplingSettings, SampleKeepingSettings):  # the fields of the second come first
    """Frames that are kept to train a better detector with. Nothing is kept unless somebody says what for."""

    @model_validator(mode="after")
    def _somebody_says_what_for(self) -> Self:
        lacking = [name for name in ("purpose", "legal_basis") if not getattr(self, name).strip()]
        if self.enabled and lacking:
            raise ValueError(
                tr(
                    "frames for training are kept only with a stated right: write {lacking}, or set enabled to "
                    "false",
                    lacking=" and ".join(lacking),
                )
            )
        if self.middle_low >= self.middle_high:
            raise ValueError(tr("middle_low must be below middle_high"))
        return self

    @property
    def max_bytes(self) -> int:
        """The budget."""
        return self.max_mb * 1_000_000

    def of_camera(self, name: str) -> bool:
        """Whether frames of this camera are kept."""
        return self.enabled and (not self.cameras or name in self.cameras)
