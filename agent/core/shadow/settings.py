"""What a model in the shadow may spend, and what it must show before it comes into use."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from agent.settings.base import Settings
from agent.translatable import tr


class ShadowTrialSettings(Settings):
    """How long a model looks in the shadow of the one in use, and what it must show meanwhile."""

    for_s: float = Field(3600.0, ge=10, le=604_800, description="Least time that it looks, in seconds.")
    give_up_s: float = Field(
        86_400.0,
        ge=10,
        le=2_592_000,
        description="After so much looking without a proof it is taken back, in seconds.",
    )
    crops: int = Field(
        500, ge=10, le=1_000_000, description="Crops that it must have looked at: a quiet hour proves nothing."
    )
    objects: int = Field(
        100, ge=5, le=1_000_000, description="Objects of which the old one was sure that these must have shown."
    )
    share: float = Field(
        0.1, gt=0, le=1, description="Share of one core that it may take at most, while the box has time."
    )
    found: float = Field(
        0.5, gt=0, le=1, description="Share of the old one's sure objects, of all and of a label, to be found."
    )
    same_label: float = Field(
        0.5, ge=0, le=1, description="Share of what both found that it must call the same."
    )
    flood: float = Field(
        2.0,
        gt=0,
        le=100,
        description="Sure objects at most on average, in crops where the old one sees none and nothing moves.",
    )
    times_slower: float = Field(
        2.0,
        ge=0.1,
        le=100,
        description="A crop may take so many times the old one's time, as median and as 95th percentile.",
    )
    more_memory_mb: float = Field(
        300.0, ge=1, le=16_384, description="So many MB more than the old one it may need."
    )
    failures: float = Field(
        0.01, ge=0, lt=1, description="Share of crops that may fail; three deaths end the trial in any case."
    )

    @model_validator(mode="after")
    def _ends_after_it_may_pass(self) -> Self:
        if self.give_up_s < self.for_s:
            raise ValueError(
                tr(
                    "give_up_s ({give_up_s:g}) must not be less than for_s ({for_s:g})",
                    give_up_s=self.give_up_s,
                    for_s=self.for_s,
                )
            )
        return self
