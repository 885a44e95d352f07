"""Holds what is kept of a stream against the seals of the box that sent it (agent.wire.chain)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agent.wire.chain import ChainFault, Head, Kept, verify
from agent.wire.payloads import ChainPayload
from station.ingest.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that is kept as it came."""

    stream: str
    """In which it came; it may seal an earlier one."""
    seq: int
    sha256: str
    payload: ChainPayload


@dataclass(frozen=True, slots=True)
class StreamContents:
    """A stream, and what the box said of it last."""

    name: str
    digests: Mapping[int, str]
    """seq -> sha256 of what is kept; another text where the content is not what came."""
    head: Head | None
    oldest: int | None
    newest: int | None


def seal_faults(
    now: StreamContents, seals: Iterable[Seal]
) -> Iterator[tuple[ChainFault, int | None, int | None]]:
    """Fault, seq and the number of the seal that it is; what may still be on its way is none."""
    own, more, elsewhere = {}, [], Ranges()
    for seal in seals:
        payload = seal.payload
        if payload.of == now.name and seal.stream == now.name:
            if seal.seq in now.digests:
                own[seal.seq] = payload
        elif payload.of == now.name:
            more.append(Kept(seal.seq, seal.sha256, payload))
        if payload.carried is not None and payload.carried.stream == now.name:
            for first, last in payload.carried.seqs:
                elsewhere.add(first, last)
    if not own and not more:
        return  # a box that does not seal, or has not yet
    kept = [Kept(seq, sha256, own.get(seq)) for seq, sha256 in now.digests.items()]
    newest_seal = max(payload.number for payload in (*own.values(), *(one.seal for one in more if one.seal)))
    head = now.head
    if head is not None and head.number > newest_seal and not _is_complete(now):
        head = None  # the seal that the box told of may still be on its way, and what it lists waits for it
    for finding in verify(kept, head, more=more, elsewhere=elsewhere).findings:
        if finding.fault is ChainFault.MISSING and finding.seq is not None and not _was_here(finding.seq, now):
            continue
        yield finding.fault, finding.seq, finding.number


def _was_here(seq: int, now: StreamContents) -> bool:
    """Whether the box had its receipt: what it still holds, or said nothing about, may be on its way."""
    return now.oldest is not None and seq < now.oldest


def _is_complete(now: StreamContents) -> bool:
    return now.newest is not None and now.newest in now.digests and (now.oldest or 0) > now.newest
