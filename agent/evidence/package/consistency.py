"""Whether a manifest agrees with itself: what the box signed, held against the chain over its segments. Pure.

A box composes no manifest that contradicts itself. Whoever forges one with the box's own key has to forge all
of this with it, and then the links that the station heard of while the box recorded.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Final

from agent.evidence.links import VOUCHED, SegmentLink, verify_links
from agent.evidence.package.gaps import UNSAID, GapReasons
from agent.evidence.package.manifest import (
    SEAMLESS,
    Chain,
    ChainHead,
    PackageManifest,
    PackagePart,
    Request,
    coverage,
    uncovered,
)
from agent.printable import printable
from agent.translatable import tr

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
CORRECTED: Final = timedelta(seconds=2)
"""A clock that is disciplined moves less."""
_STEADY: Final = timedelta(milliseconds=500)
"""Wall and steady clock are slewed together, and go apart by steps only."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_EXACT: Final = timedelta(milliseconds=2)
"""Two roundings to whole milliseconds."""


def contradictions(manifest: PackageManifest) -> tuple[str, ...]:
    """What a manifest says that cannot be true together, a line each; empty: nothing."""
    return tuple(_contradictions(manifest))


def _contradictions(manifest: PackageManifest) -> Iterator[str]:
    if manifest.request.start >= manifest.request.end:
        yield tr("the range that was asked for ends before it begins")
    yield from _of_order(manifest)
    covered = coverage(manifest.parts)
    if covered != manifest.covered:
        yield tr("the ranges that it calls covered are not those of its parts")
    if uncovered(manifest.request, covered) != tuple((gap.start, gap.end) for gap in manifest.gaps):
        yield tr("the gaps that it lists are not those between its parts")
    if manifest.chain is None:
        if manifest.parts:
            yield tr("its parts stand in no chain")
        return
    yield from _of_chain(manifest.chain, manifest.head, manifest.request.camera)
    links = {link.number: link for link in manifest.chain.links}
    heads = {part.run: part.sha256 for part in manifest.parts if part.number == 0}
    for part in manifest.parts:
        if part.number and not _stands_in(links, part, heads.get(part.run)):
            yield tr(
                "{file} is not what link {number} of the chain lists",
                file=part.cipher_file,
                number=part.segment,
            )
    yield from _left_out(manifest, links)
    yield from _of_times(manifest)
    yield from _of_reasons(manifest, manifest.chain.links)


def _of_order(manifest: PackageManifest) -> Iterator[str]:
    counted = [
        (run, number)
        for run, (_, group) in enumerate(groupby(manifest.parts, key=lambda part: part.run), 1)
        for number, _ in enumerate(group)
    ]
    if counted != [(part.run, part.number) for part in manifest.parts]:
        yield tr("its parts are not counted one by one")
    if [run.number for run in manifest.runs] != sorted({part.run for part in manifest.parts}):
        yield tr("its runs are not those of its parts")
    for part in manifest.parts:
        hashes = (part.sha256, part.cipher_sha256)
        if part.bytes <= 0 or part.cipher_bytes <= 0 or not all(map(_SHA256.fullmatch, hashes)):
            yield tr("{file} has no size or no hash", file=part.cipher_file)


def _of_chain(chain: Chain, head: ChainHead | None, camera: str) -> Iterator[str]:
    if not chain.links:
        yield tr("its chain has no link")
        return
    if any(link.camera != camera for link in chain.links):
        yield tr("its chain is of another camera")
    for fault in verify_links(chain.links):
        if fault.what != "missing":  # what was deleted by its age is told as a gap
            yield tr("link {number} of the chain does not hold", number=fault.number)
    known = chain.hashes()
    if head is not None and known.get(head.number, head.sha256) != head.sha256:
        yield tr("the newest link of the chain is not the one that it names")


def _stands_in(links: Mapping[int, SegmentLink], part: PackagePart, head_sha256: str | None) -> bool:
    link = links.get(part.segment)
    if link is None or not 0 <= part.record < len(link.parts):
        return False
    listed = link.parts[part.record]
    lasted = timedelta(milliseconds=listed.duration_ms)
    return (
        (listed.sha256, listed.cipher_sha256) == (part.sha256, part.cipher_sha256)
        and link.init_sha256 == head_sha256
        and abs(part.end - part.start - lasted) <= _EXACT
    )


def withheld(manifest: PackageManifest) -> tuple[tuple[datetime, datetime], ...]:
    """The gaps in which the box did record, as the chain says: what lay there was damaged, or is kept back."""
    links = {link.number: link for link in manifest.chain.links} if manifest.chain else {}
    media = [part for part in manifest.parts if part.number]
    return tuple(
        (part.end, after.start)
        for part, after in pairwise(media)
        if after.start - part.end > SEAMLESS and not _next(part, after, links)
    )


def corrections(manifest: PackageManifest) -> tuple[tuple[str, timedelta], ...]:
    """How far the wall times of each boot stand from those that were recorded, where that is more than 2 s.

    The chain holds the time that the box believed then; the parts hold the time that was known later.
    """
    found: dict[str, timedelta] = {}
    for _, link, moved in _moved(manifest):
        if link.clock in VOUCHED and _as_shown(link, moved):
            continue
        if abs(moved) > CORRECTED and abs(moved) > abs(found.get(link.boot, timedelta())):
            found[link.boot] = moved
    return tuple(found.items())


def clock_steps(manifest: PackageManifest) -> tuple[tuple[datetime, timedelta], ...]:
    """Where the wall clock was set between two fragments of a boot: the time before, and by how much."""
    found = []
    at = [(part, link.boot, _offset(part, link)) for part, link, _ in _moved(manifest)]
    for (part, boot, offset), (_, after, after_offset) in pairwise(at):
        if boot == after and abs(after_offset - offset) > CORRECTED:
            found.append((part.end, after_offset - offset))
    return tuple(found)


def _lists(link: SegmentLink, part: PackagePart) -> bool:
    """Whether the link has so many fragments; a manifest may say what it likes."""
    return 0 <= part.record < len(link.parts)


def _offset(part: PackagePart, link: SegmentLink) -> timedelta:
    """Its wall time, less its moment of the steady clock."""
    return part.start - _EPOCH - timedelta(milliseconds=link.start.mono_ms + link.parts[part.record].at_ms)


def _moved(manifest: PackageManifest) -> Iterator[tuple[PackagePart, SegmentLink, timedelta]]:
    """Each fragment with its link, and how far its time stands from the one that the chain holds."""
    links = {link.number: link for link in manifest.chain.links} if manifest.chain else {}
    for part in manifest.parts:
        link = links.get(part.segment)
        if part.number and link is not None and _lists(link, part):
            then_ms = link.start.wall_ms + link.parts[part.record].at_ms
            yield part, link, part.start - _EPOCH - timedelta(milliseconds=then_ms)


def _of_times(manifest: PackageManifest) -> Iterator[str]:
    """Times that a box does not give: it corrects only what nobody vouched for, in each boot by one offset."""
    offsets: dict[str, timedelta] = {}
    twice: set[str] = set()
    wrong: tuple[PackagePart, SegmentLink, timedelta] | None = None
    for part, link, moved in _moved(manifest):
        if _as_shown(link, moved):
            continue
        if link.clock in VOUCHED:
            wrong = wrong or (part, link, moved)
            continue
        offset = _offset(part, link)
        if abs(offset - offsets.setdefault(link.boot, offset)) > CORRECTED:
            twice.add(link.boot)
    if wrong:
        part, link, moved = wrong
        yield tr(
            "{file} stands {seconds:.1f} s away from the time in link {number} of the chain, for which "
            "the clock was vouched",
            file=part.cipher_file,
            seconds=moved.total_seconds(),
            number=link.number,
        )
    for boot in sorted(twice):
        yield tr("the times of boot {boot} were corrected in more than one way", boot=printable(boot))


def _as_shown(link: SegmentLink, moved: timedelta) -> bool:
    """Whether it stands as it was recorded; its clock may have been put right within the segment."""
    lasted_ms = link.end.mono_ms - link.start.mono_ms
    stepped = timedelta(milliseconds=link.end.wall_ms - link.start.wall_ms - lasted_ms)
    return min(stepped, timedelta()) - _STEADY <= moved <= max(stepped, timedelta()) + _STEADY


def _left_out(manifest: PackageManifest, links: Mapping[int, SegmentLink]) -> Iterator[str]:
    """Fragments that the chain lists between two parts, and that are neither there nor told as a gap."""
    numbers = sorted(links)
    for part, after in pairwise([part for part in manifest.parts if part.number]):
        backwards = (after.segment, after.record) <= (part.segment, part.record)
        hidden = after.start - part.end <= SEAMLESS and not _next(part, after, links)
        between = numbers[bisect_right(numbers, part.segment) : bisect_left(numbers, after.segment)]
        if backwards or (hidden and not _set_back(manifest.request, part, after, links, between)):
            yield tr("between {file} and the next part something is left out", file=part.cipher_file)


def _set_back(
    request: Request,
    part: PackagePart,
    after: PackagePart,
    links: Mapping[int, SegmentLink],
    between: Sequence[int],
) -> bool:
    """Whether the clock was set back between two parts, and what the chain lists there is not of the range.

    `between` are the segments after that of the one and before that of the other.
    """
    link, then = links.get(part.segment), links.get(after.segment)
    if link is None or then is None or link.boot != then.boot or part.segment == after.segment:
        return False
    if not (_lists(link, part) and _lists(then, after)):
        return False
    offset, then_offset = _offset(part, link), _offset(after, then)
    if offset - then_offset <= CORRECTED:
        return False
    rest = [_spans(link, offset)[part.record + 1 :], _spans(then, then_offset)[: after.record]]
    rest += [
        _spans(each, _shown(each) if each.clock in VOUCHED else then_offset)
        for each in map(links.__getitem__, between)
    ]
    return all(
        start >= request.end - _EXACT or end <= request.start + _EXACT for spans in rest for start, end in spans
    )


def _shown(link: SegmentLink) -> timedelta:
    """What the clock showed when a segment began, less its moment of the steady clock."""
    return timedelta(milliseconds=link.start.wall_ms - link.start.mono_ms)


def _spans(link: SegmentLink, offset: timedelta) -> list[tuple[datetime, datetime]]:
    """From when to when its fragments last, where wall and steady clock go together so."""
    began = _EPOCH + offset + timedelta(milliseconds=link.start.mono_ms)
    at = timedelta(milliseconds=1)
    return [(began + each.at_ms * at, began + (each.at_ms + each.duration_ms) * at) for each in link.parts]


def _of_reasons(manifest: PackageManifest, links: Sequence[SegmentLink]) -> Iterator[str]:
    """Reasons for gaps that no link gives: a box takes them from there."""
    reasons = GapReasons(manifest.parts, links)
    for gap in manifest.gaps:
        if gap.why not in UNSAID and gap.why != reasons.of(gap.start, gap.end):
            yield tr(
                "the gap from {start} to {end} has the reason {why}, which the chain does not give",
                start=gap.start.isoformat(timespec="seconds"),
                end=gap.end.isoformat(timespec="seconds"),
                why=printable(gap.why)[:40],
            )


def _next(part: PackagePart, after: PackagePart, links: Mapping[int, SegmentLink]) -> bool:
    """Whether nothing lies between them in the chain."""
    if part.segment == after.segment:
        return after.record == part.record + 1
    link = links.get(part.segment)
    following = min((number for number in links if number > part.segment), default=None)
    ends = link is None or part.record == len(link.parts) - 1
    return ends and (after.segment, after.record) == (following, 0)
