"""The hash chain over a stream: what a box listed in its seals, held against what a station keeps. Pure.

A *seal* is a message (topic `chain`) that lists the seq and the sha256 of messages which can no longer
change, and names the sha256 of the seal before it; so the newest seal stands for everything before it. A seal
is itself listed in a later one. The box tells its newest seal in each hello: kept elsewhere than the messages,
it also shows that the end was cut off.

What it cannot show: that all was forged, heads included, by someone who holds the station. The box knows its
newest seal, and says so at the next hello.

Source of the idea: S. Haber and W. S. Stornetta, "How to time-stamp a digital document", 1991.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from agent.wire.payloads import ChainBody
from agent.wire.ranges import Ranges

SINGLY = 100_000
"""Of numbers in a row that are not there so many are named: a box may number as it likes, up to 2^53."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One message of a stream as a station has it now."""

    seq: int
    sha256: str
    """Computed from what is kept: of a picture's bytes, or of `wire.body` of the JSON."""
    seal: ChainBody | None = None
    """What it says, if it is a seal."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest seal of a stream, as a hello told it."""

    number: int
    sha256: str


class ChainFault(StrEnum):
    """What is wrong with a message."""

    MISSING = "missing"
    """The box had it, did not give it up, and it is not there."""
    ALTERED = "altered"
    """It is not what the box put: changed, or in the place of another."""
    UNPROVEN = "unproven"
    """A seal above it is missing or altered, or none lists it although later ones are listed."""


@dataclass(frozen=True, slots=True)
class ChainFinding:
    """One fault, located."""

    fault: ChainFault
    seq: int | None
    """None: a seal whose seq nobody can tell."""
    number: int | None = None
    """Of the seal that it is."""


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """What became of a stream."""

    findings: tuple[ChainFinding, ...]
    proven: int
    """Messages that are what an unbroken chain says."""
    given_up: Ranges
    """Listed or not, the box said that they will not come."""
    unsealed: tuple[int, ...]
    """Newer than every seal: nothing is known against them, and nothing for them yet."""

    @property
    def intact(self) -> bool:
        """Nothing is missing, altered or unproven."""
        return not self.findings


def verify(
    kept: Iterable[Kept],
    head: Head | None = None,
    *,
    more: Iterable[Kept] = (),
    elsewhere: Container[int] = (),
    came: Container[str] = (),
) -> ChainVerdict:
    """Hold all that is kept of one stream against its seals; `head` makes a cut-off end visible, too.

    `more` are seals of this stream that came under a later one, after a box had saved what it could;
    `elsewhere` are the seqs that a later stream's seals tell as carried, `came` the sha256 of what came or is
    sealed there: what was listed and is not here must be among them.
    """
    messages = {message.seq: message for message in kept}
    seals = {m.seal.number: m for m in (*more, *messages.values()) if m.seal is not None}
    listed, sure, broken = _listed(seals, head)
    given_up = Ranges(dropped for m in seals.values() if m.seal for dropped in m.seal.dropped)
    moved = {
        seq for seq, sha256 in listed.items() if seq not in messages and seq in elsewhere and sha256 in came
    }
    findings = [*broken, *(f for f in _held_against(messages, listed, given_up) if f.seq not in moved)]
    highest = max([*listed, *messages], default=0)
    findings += [
        ChainFinding(ChainFault.MISSING, seq)  # seq has no gaps, so a hole needs no seal to be seen
        for seq in _absent({*listed, *messages}, given_up)
        if seq not in elsewhere
    ]
    known = {finding.seq for finding in findings}
    unlisted = sorted(set(messages) - set(listed))
    findings += [
        ChainFinding(ChainFault.UNPROVEN, seq)
        for seq in unlisted
        if seq < highest and seq not in known and broken
    ]
    proven = sum(seq in messages and seq not in known for seq in sure)
    unsealed = tuple(seq for seq in unlisted if seq > highest or not broken)
    return ChainVerdict(tuple(_once(findings)), proven, given_up, unsealed)


def verify_forked(
    kept: Iterable[Kept],
    *,
    more: Iterable[Kept] = (),
    elsewhere: Container[int] = (),
    came: Container[str] = (),
) -> ChainVerdict:
    """The same of a stream whose numbers were given twice: by an outbox that was put back, or that was copied.

    Its seals are a tree. What is kept must be what some branch lists; what other branches list under the same
    number came in a later stream, or waits in a box. No head is of all branches, so a cut-off end is not seen,
    and of what came after the last seal of the shortest branch nobody can say that it was altered.
    `more` are also the seals that are kept beside those under whose numbers they came.
    """
    messages = {message.seq: message for message in kept}
    seals = [m for m in (*more, *messages.values()) if m.seal is not None]
    listed: defaultdict[int, set[str]] = defaultdict(set)
    dropped: list[tuple[int, int]] = []
    findings: list[ChainFinding] = []
    known = {m.sha256 for m in seals}
    for m in seals:
        assert m.seal is not None
        for seq, sha256 in m.seal.entries:
            listed[seq].add(sha256)
        dropped += m.seal.dropped
        before = m.seal.previous
        if before is not None and before.stream == m.seal.of and before.sha256 not in known:
            findings.append(ChainFinding(ChainFault.MISSING, None, before.number))
    given_up, sealed = Ranges(dropped), _sealed_by_all(seals)
    absent = _absent({*listed, *messages}, given_up)
    findings += [ChainFinding(ChainFault.MISSING, seq) for seq in absent if seq not in elsewhere]
    proven = 0
    unsealed: list[int] = []
    for seq in sorted({*listed, *messages}):
        message, digests = messages.get(seq), listed.get(seq, set())
        if message is None:
            carried = seq in elsewhere and all(sha256 in came for sha256 in digests)
            if seq not in given_up and not carried:
                findings.append(ChainFinding(ChainFault.MISSING, seq))
        elif message.sha256 in digests:
            proven += 1
        elif digests and seq <= sealed:
            findings.append(ChainFinding(ChainFault.ALTERED, seq))
        else:
            unsealed.append(seq)
    return ChainVerdict(tuple(_once(findings)), proven, given_up, tuple(unsealed))


def _sealed_by_all(seals: Sequence[Kept]) -> int:
    """Up to which seq every branch lists its messages: each ends with a seal that no other one follows."""
    followed = {m.seal.previous.sha256 for m in seals if m.seal is not None and m.seal.previous is not None}
    ends = [m.seal for m in seals if m.seal is not None and m.sha256 not in followed]
    return min((max((seq for seq, _ in end.entries), default=0) for end in ends), default=0)


def linked(first: ChainBody, before: Head | None, stream: str) -> bool:
    """Whether the first seal of a stream follows the newest one that is kept of the `stream` before it."""
    previous = first.previous
    return (
        previous is not None
        and before is not None
        and (previous.stream, previous.number, previous.sha256) == (stream, before.number, before.sha256)
    )


def _listed(
    seals: Mapping[int, Kept], head: Head | None
) -> tuple[dict[int, str], set[int], list[ChainFinding]]:
    """Seq -> sha256 from all seals; which of it an unbroken chain says; what is wrong with the seals.

    From the newest back to the first: each seal vouches for the one before it. The head vouches for its own; it
    was told at a connect, and newer seals may have come since.
    """
    listed: dict[int, str] = {}
    sure: set[int] = set()
    broken: list[ChainFinding] = []
    expected = None
    for number in _downwards(seals, max([*seals, head.number if head else 0])):
        kept = seals.get(number)
        if kept is None or kept.seal is None:
            broken.append(ChainFinding(ChainFault.MISSING, None, number))
            expected = None
            continue
        vouched = {expected, head.sha256 if head is not None and head.number == number else None} - {None}
        if vouched - {kept.sha256}:
            broken.append(ChainFinding(ChainFault.ALTERED, kept.seq, number))
        for seq, sha256 in kept.seal.entries:
            listed.setdefault(seq, sha256)  # a newer seal is nearer to the head
            if not broken:
                sure.add(seq)
        before = kept.seal.previous
        expected = before.sha256 if before is not None and before.number == number - 1 else None
    return listed, sure, broken


def _absent(there: Iterable[int], given_up: Ranges) -> Iterator[int]:
    """What is not there below the highest number, and was not given up; SINGLY of each hole."""
    expected = 1
    for seq in sorted(there):
        for _ in range(SINGLY):
            left_out = given_up.around(expected)
            if left_out is not None:
                expected = left_out[1] + 1
            if expected >= seq:
                break
            yield expected
            expected += 1
        expected = max(expected, seq + 1)


def _downwards(there: Iterable[int], highest: int) -> Iterator[int]:
    """Numbers from the highest to 1; where some are not there SINGLY of them."""
    expected = highest
    for number in sorted({0, *there}, reverse=True):
        yield from islice(range(expected, number, -1), SINGLY)
        if number:
            yield number
        expected = number - 1


def _held_against(
    messages: Mapping[int, Kept], listed: Mapping[int, str], given_up: Ranges
) -> Iterator[ChainFinding]:
    for seq, sha256 in sorted(listed.items()):
        kept = messages.get(seq)
        if kept is None:
            if seq not in given_up:
                yield ChainFinding(ChainFault.MISSING, seq)
        elif kept.sha256 != sha256:
            yield ChainFinding(ChainFault.ALTERED, seq, kept.seal.number if kept.seal else None)


def _once(findings: Sequence[ChainFinding]) -> list[ChainFinding]:
    """Each place once: an altered seal is found by its successor, and by the seal that lists it."""
    found: dict[object, ChainFinding] = {}
    for finding in findings:
        found.setdefault(
            (finding.fault, finding.seq if finding.seq is not None else (finding.number,)), finding
        )
    return sorted(found.values(), key=lambda finding: (finding.seq is None, finding.seq, finding.number or 0))
