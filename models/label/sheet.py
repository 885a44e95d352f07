"""What is known of one picture: what somebody drew, what a detector proposes, and whether it is done."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_BOXES = 1000
"""In one picture; a crowded junction has a tenth of it."""

Pixels = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]


class SheetState(StrEnum):
    """How far a picture is."""

    OPEN = "open"
    """Nobody has said yet that all of it is labelled."""
    DONE = "done"
    """Somebody has looked: what is drawn is all that is there."""
    UNSURE = "unsure"
    """Somebody has looked and wants another to look; no label yet."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DrawnBox(_Strict):
    """One object as somebody drew it, in pixels of the picture as it is shown."""

    label: str = Field(min_length=1, max_length=100)
    left: Pixels
    top: Pixels
    right: Pixels
    bottom: Pixels
    ignored: bool = False


class ProposedBox(DrawnBox):
    """One object as a detector proposes it: no label until somebody has looked."""

    score: float = Field(ge=0, le=1)


class LabelSheet(_Strict):
    """One picture's labels, as they are saved."""

    state: Literal["open", "done", "unsure"] = "open"
    boxes: tuple[DrawnBox, ...] = Field((), max_length=MOST_BOXES)
    proposals: tuple[ProposedBox, ...] = Field((), max_length=MOST_BOXES)
