"""What `ngatu models judge` wrote into a model's card: the verdict, and by what it was reached."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from agent.settings.base import Settings

Points = float | None
"""0 to 100, or a difference of two such; none: nothing can be said."""


class DataFacts(Settings):
    """A set of labelled pictures that went into a model or into a judgement of it."""

    name: str = Field(description="The set's name.")
    digest: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 over pictures and labels.")
    pictures: int = Field(ge=0, description="How many pictures.")
    licence: str = Field("", description="Of pictures and labels; empty: none is stated.")


class JudgedFigure(Settings):
    """One figure of one label in one set, in points."""

    data: str = Field(description="The set's name.")
    label: str = Field(description="The label.")
    figure: str = Field(description="ap50, recall, precision or f1; the last three with tiles.")
    objects: int = Field(ge=0, description="Labelled objects.")
    old: Points = Field(None, description="Of the model that it was held against.")
    new: Points = Field(None, description="Of this model.")
    low: Points = Field(None, description="Lower end of the difference's interval.")
    high: Points = Field(None, description="Upper end of it.")
    verdict: Literal["better", "worse", "cannot tell", "too few"] = Field(
        description="Of the label in the set."
    )


class CardJudgement(Settings):
    """The whole judgement."""

    verdict: Literal["better", "worse", "cannot tell"] = Field(description="Of this model.")
    on: datetime.date = Field(description="The day, UTC.")
    against: str = Field(description="Name of the model that it was held against.")
    against_sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of that model's file.")
    score: float = Field(ge=0, le=1, description="From which a box counts for recall and precision.")
    tolerance: float = Field(ge=0, description="How much a figure may fall, in points.")
    main: tuple[str, ...] = Field((), description="Labels that had to be better.")
    data: tuple[DataFacts, ...] = Field((), description="What it was judged by.")
    trained_on: tuple[DataFacts, ...] = Field((), description="What it was trained on, as far as it was said.")
    may_be_passed_on: bool = Field(description="Each set that is known to have gone in states its licence.")
    figures: tuple[JudgedFigure, ...] = Field(
        (), max_length=200, description="What the verdict was reached by."
    )
    time_ratio: float | None = Field(None, gt=0, description="Time of a call by that of the other model.")
