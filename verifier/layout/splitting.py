"""What of a run's file is which part of it: by the places that the manifest tells, and by what stands where.

A byte too many shifts everything after it; so a file that is not as it was signed is also cut where fragments
of MP4 begin, and each piece is known again by its hash. Of what is left over it is told where it lies.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from agent.evidence.package.manifest import PackagePart

_FRAGMENT: Final = re.compile(rb"moof....mfhd", re.DOTALL)
"""A fragment's box and the one in it; its length stands in the four bytes before (ISO/IEC 14496-12)."""
_BEFORE: Final = 4
_OVERLAP: Final = 12
MORE_PIECES: Final = 1_000
"""So many beginnings of fragments more than were signed are looked at: who writes millions wants our memory."""

Blocks = Callable[[int], bytes]
"""Gives at most so many bytes more; none at the end."""


@dataclass(frozen=True, slots=True)
class Located:
    """A piece of a file that is a part the box signed."""

    first_byte: int
    end_byte: int
    part: PackagePart


def at_their_places(blocks: Blocks, parts: Sequence[PackagePart]) -> tuple[list[Located], bool]:
    """The parts that are whole at the place where they belong; and whether the file ends after the last."""
    found, at = [], 0
    for part in parts:
        digest, left = sha256(), part.bytes
        while left and (block := blocks(left)):
            digest.update(block)
            left -= len(block)
        if not left and digest.hexdigest() == part.sha256:
            found.append(Located(at, at + part.bytes, part))
        at += part.bytes
    return found, not blocks(1)


def by_their_content(
    blocks: Blocks, known: Mapping[str, PackagePart], most_pieces: int
) -> Iterator[Located | int]:
    """The pieces between two beginnings of fragments that are parts; in the end how many bytes the file has."""
    at = began = pieces = 0
    digest, kept = sha256(), b""
    while block := blocks(1 << 20):
        kept += block
        # one that begins where the piece began is its own
        while pieces < most_pieces and (mark := _FRAGMENT.search(kept, max(0, began + _BEFORE + 1 - at))):
            cut = max(0, mark.start() - _BEFORE)
            digest.update(kept[:cut])
            if part := known.get(digest.hexdigest()):
                yield Located(began, at + cut, part)
            at, kept = at + cut, kept[cut:]
            began, digest, pieces = at, sha256(), pieces + 1
        settled = max(0, len(kept) - _OVERLAP - _BEFORE)
        digest.update(kept[:settled])
        at, kept = at + settled, kept[settled:]
    digest.update(kept)
    at += len(kept)
    if part := known.get(digest.hexdigest()):
        yield Located(began, at, part)
    yield at


def in_order(located: Sequence[Located]) -> set[int]:
    """Which of them stand in the order in which they were recorded: the most that can (indices).

    Source of the algorithm: M. L. Fredman, "On computing the length of longest increasing subsequences", 1975.
    """
    numbers = [each.part.number for each in located]
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, number in enumerate(numbers):
        at = bisect_left(tails, number)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [number]
        ends[at : at + 1] = [index]
    chosen: set[int] = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        chosen.add(index)
        index = before[index]
    return chosen
