"""How far times can be trusted, and which wall time belongs to which moment of a boot."""

from __future__ import annotations

from pydantic import Field

from agent.wire.payloads.base import SCHEMA_VERSION, Payload, Posted
from agent.wire.payloads.field_types import LARGEST, Id, Time, Version, Whole, Word


class ClockPayload(Payload):
    """How far the time stamps can be trusted."""

    state: Word = Field(description="ntp, rtc, floor (not before this) or unknown.")
    error_ms: Whole | None = Field(None, description="Estimated error in milliseconds; null: not known.")
    boot_id: Id | None = Field(None, description="Changes with each boot of the box.")
    mono_ms: int | None = Field(
        None, ge=-LARGEST, le=LARGEST, description="Milliseconds of the clock that never steps, in this boot."
    )


class ClockMapBody(Payload):
    """A clock map as it lies in the outbox."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    session: Id = Field(description="The life of the agent that says so.")
    time: Time = Field(description="The wall time, now trusted.")
    clock: ClockPayload = Field(description="The same moment by the steady clock, and who vouches for it.")


class ClockMapPayload(ClockMapBody, Posted):
    """Box to station, once its clock is synchronised: which wall time belongs to which moment of this boot.

    What was stamped before in the same boot happened at time - (clock.mono_ms - its own clock.mono_ms).
    """
