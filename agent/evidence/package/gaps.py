"""What the chain says of the gaps of a package: why nothing was recorded there, and whether nothing was. Pure.

A link is made with its segment, long before anybody asks for it, and holds why nothing lies between it and
the one before. So whoever makes a package later cannot give a gap another reason; what he leaves out shows in
the numbers, or in the times of the links beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from agent.evidence.links import VOUCHED, SegmentLink, link_sha256
from agent.evidence.package.manifest import SEAMLESS, PackageManifest, PackagePart

UNKNOWN: Final = "unknown"
"""Why there is no footage, where nobody said."""
UNSAID: Final = frozenset({UNKNOWN, "deleted", "damaged"})
"""What the chain cannot know: it was made when the footage still lay there."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class GapReasons:
    """Why nothing is recorded beside some parts, by the links of their segments."""

    def __init__(self, parts: Sequence[PackagePart], links: Sequence[SegmentLink]) -> None:
        self._links = {link.number: link for link in links}
        media = [part for part in parts if part.number]
        self._by_start = {part.start: part for part in reversed(media)}
        self._by_end = {part.end: part for part in media}

    def of(self, start: datetime, end: datetime) -> str | None:
        """The reason that the chain gives, empty: the footage goes on at once; None: it says nothing of it."""
        before, after = self._by_end.get(start), self._by_start.get(end)
        if before is not None and not _last(self._links, before):
            return None
        if after is None:
            link = None if before is None else self._links.get(before.segment + 1)
            return None if link is None else link.before
        link = self._links.get(after.segment)
        follows = before is None or after.segment == before.segment + 1
        return link.before if link is not None and after.record == 0 and follows else None


def kept_back(manifest: PackageManifest) -> tuple[tuple[datetime, datetime], ...]:
    """Where the range that was asked for begins or ends with a gap in which the chain lists footage."""
    links = {link.number: link for link in manifest.chain.links} if manifest.chain else {}
    media = [part for part in manifest.parts if part.number]
    if not media or not manifest.gaps:
        return ()
    first, last, gaps = media[0], media[-1], manifest.gaps
    found = []
    if gaps[0].end <= first.start:
        end = first.start if first.record else _beside(links, first, first.segment - 1)
        if end is not None and end - gaps[0].start > SEAMLESS:
            found.append((gaps[0].start, min(end, gaps[0].end)))
    if gaps[-1].start >= last.end:
        begin = _beside(links, last, last.segment + 1) if _last(links, last) else last.end
        if begin is not None and gaps[-1].end - begin > SEAMLESS:
            found.append((max(begin, gaps[-1].start), gaps[-1].end))
    return tuple(found)


def left_out(manifest: PackageManifest) -> tuple[tuple[int, int], ...]:
    """The numbers, first and last, of the links that are not there beside or between the footage.

    Those beside it count where the package has a gap there.
    """
    if manifest.chain is None or not manifest.chain.links:
        return ()
    return tuple(_left_out(manifest, manifest.chain.links))


def _left_out(manifest: PackageManifest, links: Sequence[SegmentLink]) -> Iterator[tuple[int, int]]:
    numbers = [link.number for link in links]
    media = [part for part in manifest.parts if part.number]
    begins = bool(manifest.gaps and media and manifest.gaps[0].end <= media[0].start)
    ends = bool(manifest.gaps and media and manifest.gaps[-1].start >= media[-1].end)
    if begins and media[0].segment == numbers[0] > 1 and not media[0].record:
        yield numbers[0] - 1, numbers[0] - 1
    yield from (
        (before.number + 1, after.number - 1)
        for before, after in pairwise(links)
        if after.number > before.number + 1 and after.previous != link_sha256(before)
    )
    head = manifest.head.number if manifest.head else 0
    if ends and media[-1].segment == numbers[-1] < head:
        yield numbers[-1] + 1, numbers[-1] + 1


def _last(links: Mapping[int, SegmentLink], part: PackagePart) -> bool:
    """Whether it is the last of its segment."""
    link = links.get(part.segment)
    return link is not None and part.record == len(link.parts) - 1


def _beside(links: Mapping[int, SegmentLink], part: PackagePart, number: int) -> datetime | None:
    """Until when the segment before the one of this part was recorded, or from when on that after it."""
    link, own = links.get(number), links.get(part.segment)
    if link is None or own is None or not 0 <= part.record < len(own.parts):
        return None
    moment = link.end if number < part.segment else link.start
    if link.boot == own.boot:
        then_ms = own.start.mono_ms + own.parts[part.record].at_ms
        return part.start + timedelta(milliseconds=moment.mono_ms - then_ms)
    return _EPOCH + timedelta(milliseconds=moment.wall_ms) if link.clock in VOUCHED else None
