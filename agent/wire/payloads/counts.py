"""What a counting rule counted in one closed interval."""

from __future__ import annotations

from pydantic import Field, field_validator

from agent.wire.payloads.base import Posted
from agent.wire.payloads.field_types import Amount, Text, Time, Whole
from agent.wire.payloads.origin import ModelPayload, Origin

MOST_COUNTS = 1_000
"""Pairs of label and direction in one interval of a line: no detector knows so many kinds of road users, and
whoever shows a day's counts reads those of every interval."""


class CountBody(Origin):
    """A count as it lies in the outbox."""

    rule: Text = Field(description="The counting rule, as in the topic.")
    start_time: Time = Field(description="Begin of the interval.")
    end_time: Time = Field(description="End of the interval, not included.")
    duration_s: Amount = Field(description="Length by the clock that never steps.")
    counts: dict[str, dict[Text, Whole]] = Field(
        max_length=MOST_COUNTS, description="label -> direction -> number; at most 1,000 numbers."
    )
    model: ModelPayload | None = Field(None, description="The detector; null when none ran.")

    @field_validator("counts")
    @classmethod
    def _few_enough(cls, counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        if sum(map(len, counts.values())) > MOST_COUNTS:
            raise ValueError(f"more than {MOST_COUNTS} numbers in one interval")
        return counts


class CountPayload(CountBody, Posted):
    """What a counting rule counted in one closed interval."""
