"""What a counting rule counted in one closed interval."""

from __future__ import annotations

from pydantic import Field

from agent.wire.payloads.base import Posted
from agent.wire.payloads.field_types import Amount, Text, Time, Whole
from agent.wire.payloads.origin import ModelPayload, Origin


class CountBody(Origin):
    """A count as it lies in the outbox."""

    rule: Text = Field(description="The counting rule, as in the topic.")
    start_time: Time = Field(description="Begin of the interval.")
    end_time: Time = Field(description="End of the interval, not included.")
    duration_s: Amount = Field(description="Length by the clock that never steps.")
    counts: dict[str, dict[Text, Whole]] = Field(description="label -> direction -> number.")
    model: ModelPayload | None = Field(None, description="The detector; null when none ran.")


class CountPayload(CountBody, Posted):
    """What a counting rule counted in one closed interval."""
