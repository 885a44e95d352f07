"""Holds what is kept of a stream against the seals of the box that sent it (agent.wire.chain)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass

from agent.wire.chain import ChainFault, ChainFinding, Head, Kept, verify, verify_forked
from agent.wire.payloads import ChainPayload
from agent.wire.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal that is kept as it came."""

    stream: str
    """In which it came; it may seal an earlier one."""
    seq: int
    sha256: str
    payload: ChainPayload
    beside: bool = False
    """It is kept as a conflict: another message has its number."""


@dataclass(frozen=True, slots=True)
class StreamContents:
    """A stream, and what the box said of it last."""

    name: str
    digests: Mapping[int, str]
    """seq -> sha256 of what is kept; another text where the content is not what came."""
    head: Head | None
    oldest: int | None
    newest: int | None


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """What the seals say of a stream."""

    faults: tuple[ChainFinding, ...]
    """What may still be on its way is none."""
    unsealed: tuple[int, ...]
    """The seqs of which no seal says anything: rising."""


def against_seals(
    now: StreamContents, seals: Sequence[Seal], digests_of: Callable[[Collection[str]], Set[str]]
) -> SealVerdict:
    """Hold a stream against the seals; `digests_of` gives the digests of all that is kept of some streams."""
    own: dict[int, ChainPayload] = {}
    more: list[Kept] = []
    beside: list[Kept] = []
    elsewhere, forked = Ranges(), False
    carriers: set[str] = set()
    for seal in seals:
        payload = seal.payload
        if payload.of == now.name and seal.stream == now.name and not seal.beside:
            if seal.seq in now.digests:
                own[seal.seq] = payload
        elif payload.of == now.name:
            (beside if seal.beside else more).append(Kept(seal.seq, seal.sha256, payload))
        if payload.carried is not None and payload.carried.stream == now.name and not seal.beside:
            carriers.add(seal.stream)
            forked = forked or payload.carried.forked
            for first, last in payload.carried.seqs:
                elsewhere.add(first, last)
    if not own and not more:
        return SealVerdict((), tuple(sorted(now.digests)))  # a box that does not seal, or has not yet
    kept = [Kept(seq, sha256, own.get(seq)) for seq, sha256 in now.digests.items()]
    newest_seal = max(payload.number for payload in (*own.values(), *(one.seal for one in more if one.seal)))
    head = now.head
    if head is not None and head.number > newest_seal and not _is_complete(now):
        head = None  # the seal that the box told of may still be on its way, and what it lists waits for it
    came = digests_of(carriers) if carriers else frozenset()
    came |= {sha256 for seal in seals if seal.payload.of in carriers for _, sha256 in seal.payload.entries}
    if forked:
        verdict = verify_forked(kept, more=[*more, *beside], elsewhere=elsewhere, came=came)
    else:
        verdict = verify(kept, head, more=more, elsewhere=elsewhere, came=came)
    faults = (each for each in verdict.findings if not _may_come(each, now))
    return SealVerdict(tuple(faults), verdict.unsealed)


def _may_come(finding: ChainFinding, now: StreamContents) -> bool:
    return finding.fault is ChainFault.MISSING and finding.seq is not None and not _was_here(finding.seq, now)


def _was_here(seq: int, now: StreamContents) -> bool:
    """Whether the box had its receipt: what it still holds, or said nothing about, may be on its way."""
    return now.oldest is not None and seq < now.oldest


def _is_complete(now: StreamContents) -> bool:
    return now.newest is not None and now.newest in now.digests and (now.oldest or 0) > now.newest
