"""For how many days each class of what boxes told is kept; a class without days is kept for ever. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic import Field, model_validator

from agent.settings.base import Settings
from agent.translatable import tr

DAY_MS: Final = 86_400_000
LONGEST_DAYS: Final = 36_500


class KeptClass(StrEnum):
    """What is kept equally long, in the order in which it is deleted; named as in the configuration."""

    PICTURES = "pictures"
    EVENTS = "events"
    ALERTS = "alerts"
    COUNTS = "counts"
    ANSWERS = "answers"
    FOOTAGE = "footage"
    SAMPLES = "samples"

    @property
    def words(self) -> str:
        """What it is, to a person."""
        return CLASSES[self]


CLASSES: Final[Mapping[str, str]] = {
    KeptClass.PICTURES: tr("pictures of informative events"),
    KeptClass.EVENTS: tr("informative events"),
    KeptClass.ALERTS: tr("alerts with their pictures"),
    KeptClass.COUNTS: tr("counts"),
    KeptClass.ANSWERS: tr("ordered pictures and answers of boxes"),
    KeptClass.FOOTAGE: tr("packages of footage"),
    KeptClass.SAMPLES: tr("frames for training that were ordered"),
}


def _days(what: str) -> int | None:
    found: int | None = Field(None, ge=1, le=LONGEST_DAYS, description=what)
    return found


class RetentionSettings(Settings):
    """After how many days at the station what boxes told is deleted; null: never. What is held stays."""

    pictures: int | None = _days("Pictures of informative events; null: as long as their events.")
    events: int | None = _days("Informative events, with what pictures of them are left; null: never.")
    alerts: int | None = _days(
        "Alerts with their pictures: those called false, and those whose case a supervisor closed; null: never."
    )
    counts: int | None = _days("Counts of lines; null: never.")
    answers: int | None = _days("Pictures that were ordered, and what boxes answered to orders; null: never.")
    footage: int | None = _days("Packages of footage; who asked for them and why stays. null: never.")
    samples: int | None = _days("Ordered frames for training; who ordered them and why stays. null: never.")

    @model_validator(mode="after")
    def _in_order(self) -> RetentionSettings:
        """A picture is part of its event; without days of their own pictures go with it."""
        if self.pictures is not None and self.events is not None and self.pictures > self.events:
            raise ValueError(
                tr("pictures cannot be kept longer than their events ({days} days)", days=self.events)
            )
        return self

    def days(self, kept: KeptClass) -> int | None:
        """For how many days; None: for ever."""
        found: int | None = getattr(self, str(kept))
        return found
