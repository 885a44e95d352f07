"""What a worker is handed: one message of a station, read and checked.

The wire is that of a box, one floor up, and so is its reading; the envelope alone is of this floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import WireError
from agent.wire.channels import MessageKind
from agent.wire.topics import split
from agent.wire.topics import suffix as suffix_of
from station.ingest.inbound import Dialect, InboundMessage, numbered, read
from station.uplink.envelope import ENVELOPE, Envelope, unpack

_KINDS = {suffix_of(kind): kind for kind in (MessageKind.STATUS, MessageKind.HELLO, MessageKind.CHAIN)}
"""What a station says of itself as a box does."""


@dataclass(frozen=True, slots=True)
class UpMessage(InboundMessage):
    """One message of a station: `commune` is the shard and `device` the commune, as in the topic."""

    envelope: Envelope | None = None
    """What it holds; None for other kinds and for problems."""


def read_up(
    topic: str, raw: bytes, properties: Mapping[str, str], *, retained: bool = False, root: str
) -> InboundMessage:
    """One message as it came.

    Raises:
        WireError: the topic is not below a commune.
    """
    shard, commune, suffix = split(topic, root)
    if suffix != ENVELOPE:
        return read(topic, raw, properties, retained=retained, root=root)
    envelope: Envelope | None = None
    problem: str | None = None
    try:
        envelope = unpack(raw)
    except WireError as error:
        problem = error.what
    else:
        if envelope.commune != commune:
            problem = f"the envelope names {envelope.commune}, the topic {commune}"
    stream, seq, digest = numbered(raw, properties)
    if problem is None and seq is None:
        problem = "it has no number, so it cannot be receipted"
    return UpMessage(
        kind=MessageKind.UNKNOWN,
        commune=shard,
        device=commune,
        suffix=suffix,
        raw=raw,
        digest=digest,
        stream=stream,
        seq=seq,
        retained=retained,
        problem=problem,
        envelope=envelope if problem is None else None,
    )


def kind_of(suffix: str) -> MessageKind:
    """The kind of what comes by a topic below the commune, before it is read."""
    return _KINDS.get(suffix, MessageKind.UNKNOWN)


STATIONS = Dialect(filters=(*_KINDS, ENVELOPE), kind_of=kind_of, read=read_up)
"""What stations say to their province."""
