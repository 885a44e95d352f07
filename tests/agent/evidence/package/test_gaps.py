"""agent.evidence.package.gaps"""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.evidence.links import link_sha256
from agent.evidence.package.consistency import contradictions
from agent.evidence.package.gaps import GapReasons, kept_back, left_out
from agent.evidence.package.manifest import Chain, PackageGap, PackageManifest, coverage, uncovered
from tests.agent.evidence.package.conftest import Made


def without(
    manifest: PackageManifest, *segments: int, links: bool = True, why: str = "unknown"
) -> PackageManifest:
    """The footage of some segments less, and their links, too, unless they stay."""
    parts = [part for part in manifest.parts if not part.number or part.segment not in segments]
    counted = [
        replace(part, number=sum(each.run == part.run for each in parts[:index]))
        for index, part in enumerate(parts)
    ]
    covered = coverage(counted)
    known = {(gap.start, gap.end): gap.why for gap in manifest.gaps}
    gaps = tuple(
        PackageGap(start, end, known.get((start, end), why))
        for start, end in uncovered(manifest.request, covered)
    )
    assert manifest.chain is not None
    chain = Chain(tuple(each for each in manifest.chain.links if links or each.number not in segments))
    return replace(manifest, parts=tuple(counted), covered=covered, gaps=gaps, chain=chain)


def test_the_chain_says_why_nothing_was_recorded(made: Made) -> None:
    manifest = made.signed.manifest
    assert manifest.chain is not None
    reasons = GapReasons(manifest.parts, manifest.chain.links)
    (gap,) = manifest.gaps

    assert reasons.of(gap.start, gap.end) == "camera_lost"
    ends = [part.end for part in manifest.parts if part.number and part.segment == 1]
    assert reasons.of(ends[-1], ends[-1]) == ""  # the next segment begins there
    assert reasons.of(ends[0], ends[0]) is None  # within a segment
    assert reasons.of(ends[0], gap.end) is None


@pytest.mark.parametrize("segments", [(1,), (1, 2), (2,), (5, 6), (3, 4)])
@pytest.mark.parametrize("links", [True, False])
def test_a_reason_that_the_chain_does_not_give_is_a_contradiction(
    made: Made, segments: tuple[int, ...], links: bool
) -> None:
    honest = without(made.signed.manifest, *segments, links=links)
    excused = without(made.signed.manifest, *segments, links=links, why="off")

    assert contradictions(honest) == ()
    assert any("has the reason off, which the chain does not give" in each for each in contradictions(excused))


def test_footage_that_the_chain_lists_at_an_edge_is_told(made: Made) -> None:
    manifest = made.signed.manifest
    first, last = without(manifest, 1, 2), without(manifest, 5, 6)

    assert kept_back(manifest) == ()
    assert kept_back(first) == ((manifest.request.start, first.covered[0][0]),)
    assert kept_back(last) == ((last.covered[-1][1], manifest.request.end),)


def test_links_that_are_not_there_are_told_by_their_numbers(made: Made) -> None:
    manifest = made.signed.manifest

    assert left_out(manifest) == ()
    assert left_out(without(manifest, 1, 2, links=False)) == ((2, 2),)
    assert left_out(without(manifest, 2, 3, links=False)) == ((2, 3),)
    assert left_out(without(manifest, 5, 6, 7, links=False)) == ((5, 5),)


def test_a_number_that_was_never_given_is_no_hole(made: Made) -> None:
    """What was set aside keeps its number, and the next link follows the one before it."""
    manifest = made.signed.manifest
    assert manifest.chain is not None
    links, previous = [], manifest.chain.links[0].previous
    for link in manifest.chain.links:
        links.append(replace(link, number=link.number + (link.number > 3), previous=previous))
        previous = link_sha256(links[-1])
    skipped = replace(manifest, chain=Chain(tuple(links)))

    assert skipped.chain is not None
    assert [list(stretch) for stretch in skipped.chain.stretches()] == [[1, 2, 3, 5, 6, 7, 8]]
    assert left_out(skipped) == ()
