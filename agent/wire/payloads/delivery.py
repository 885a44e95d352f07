"""What a box has and what the station has of it: hello, receipts and seals (docs/design/delivery.md)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from agent.wire.payloads.base import SCHEMA_VERSION, Payload, Posted
from agent.wire.payloads.field_types import Id, Sha256, Time, Version, Whole

PROOF_DIGITS = 16
"""64 bits of a sha256: who has not read a message cannot name them, and no two messages of a box share them."""
Proof = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{16}$"),
    Field(description="The first 16 hex digits of the sha256 of a message as it lay in the outbox."),
]
Range = Annotated[tuple[Whole, Whole], Field(description="first and last seq, both included")]


class SealPlace(Payload):
    """One seal of a chain."""

    stream: Id = Field(description="The stream that it belongs to.")
    number: int = Field(ge=1, le=2**53, description="Counts the seals of the stream, from 1.")
    sha256: Sha256 = Field(description="Of its JSON without what the sending added.")


class HelloPayload(Payload):
    """Box to station at each connect: what the outbox holds. The station answers with a receipt."""

    session: Id = Field(description="The life of the agent.")
    stream: Id = Field(description="The life of the outbox file.")
    oldest: Whole | None = Field(None, description="Lowest seq without a receipt; null: none waits.")
    newest: Whole | None = Field(None, description="Highest seq ever given; null: none yet.")
    seal: SealPlace | None = Field(None, description="The newest seal of the stream; null: none yet.")
    time: Time = Field(description="When it was said.")


class Carried(Payload):
    """Messages of an earlier stream that come under new numbers in this one: no losses of that stream."""

    stream: Id | None = Field(None, description="The stream they were in; null: nobody can tell.")
    newest: Whole | None = Field(None, description="Highest seq that it gave, if that is known.")
    seqs: tuple[Range, ...] = Field((), max_length=1_000, description="What they were called there.")
    forked: bool = Field(
        False, description="Others were called so, too: the outbox had been put back, or had a double."
    )


class ChainBody(Payload):
    """A seal as it lies in the outbox: the chain over the messages of a stream (docs/design/delivery.md)."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    of: Id = Field(description="The stream that it seals; it may itself come in a later one.")
    number: int = Field(ge=1, le=2**53, description="Counts the seals of the stream, from 1.")
    previous: SealPlace | None = Field(
        None, description="The seal before; of the first one the last of the stream before, if that is known."
    )
    entries: tuple[tuple[Whole, Sha256], ...] = Field(
        (), max_length=1_000, description="[seq, sha256] of messages that can no longer change."
    )
    dropped: tuple[Range, ...] = Field(
        (), max_length=1_000, description="Given up by the box for want of room: they will not come."
    )
    carried: Carried | None = Field(None, description="Of an earlier stream, saved into this one.")
    time: Time = Field(description="When it was made.")


class ChainPayload(ChainBody, Posted):
    """A seal: lists messages by hash, and the seal before it."""


class ReceiptPayload(Payload):
    """Station to box: what it has committed. The box forgets a message only where the proof is of it."""

    station: Id = Field(description="Which station speaks.")
    stream: Id = Field(description="Of the box's outbox.")
    committed: tuple[Range, ...] = Field(
        (), max_length=10_000, description="[first, last] ranges of the same numbers, to be read by people."
    )
    proofs: tuple[tuple[Whole, Proof], ...] = Field(
        (), max_length=1_000, description="[seq, proof] of what the station has under this number."
    )
    newest: Whole | None = Field(
        None, description="In the answer to a hello: the highest seq of the stream that the station has."
    )
    images: tuple[Sha256, ...] = Field(
        (), max_length=1_000, description="Images committed whose seq MQTT 3.1.1 could not carry."
    )
    time: Time = Field(description="When it was said.")

    @property
    def contradicts_itself(self) -> bool:
        """Whether it names two messages under one number: no station has both, so it proves nothing."""
        return len(dict(self.proofs)) < len(set(self.proofs))

    @field_validator("committed")
    @classmethod
    def _in_order(cls, committed: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        if any(last < first for first, last in committed):
            raise ValueError("a range ends before it begins")
        return committed
