"""agent.evidence.package.consistency"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.evidence.links import link_sha256
from agent.evidence.package.consistency import contradictions, corrections, withheld
from agent.evidence.package.manifest import (
    Chain,
    ChainHead,
    PackageGap,
    PackageManifest,
    PackagePart,
    coverage,
    uncovered,
)
from tests.agent.evidence.package.conftest import Made

HOUR = timedelta(hours=1)
Change = Callable[[PackageManifest], PackageManifest]


def of_parts(change: Callable[[tuple[PackagePart, ...]], tuple[PackagePart, ...]]) -> Change:
    return lambda manifest: replace(manifest, parts=change(manifest.parts))


def of_part(index: int, **members: object) -> Change:
    return of_parts(lambda parts: (*parts[:index], replace(parts[index], **members), *parts[index + 1 :]))  # type: ignore[arg-type]


def of_chain(change: Callable[[Chain], Chain | None]) -> Change:
    return lambda manifest: replace(manifest, chain=change(manifest.chain) if manifest.chain else None)


def of_link(index: int, **members: object) -> Change:
    return of_chain(
        lambda chain: replace(
            chain,
            links=(*chain.links[:index], replace(chain.links[index], **members), *chain.links[index + 1 :]),  # type: ignore[arg-type]
        )
    )


def other_camera(manifest: PackageManifest) -> PackageManifest:
    return replace(manifest, request=replace(manifest.request, camera="south"))


def more_gaps(manifest: PackageManifest) -> PackageManifest:
    return replace(
        manifest, gaps=(*manifest.gaps, PackageGap(manifest.request.start, manifest.request.end, ""))
    )


def ends_first(manifest: PackageManifest) -> PackageManifest:
    return replace(manifest, request=replace(manifest.request, end=manifest.request.start))


def without(manifest: PackageManifest, first: int, end: int, gap: timedelta) -> PackageManifest:
    """Some fragments of run 1 less, as if `gap` lay between those that are left."""
    parts = [part for index, part in enumerate(manifest.parts) if part.run == 1 and not first <= index < end]
    late = parts[first].start - parts[first - 1].end - gap
    parts = [
        replace(part, number=index, start=part.start - late, end=part.end - late) if index >= first else part
        for index, part in enumerate(parts)
    ]
    covered = coverage(parts)
    gaps = tuple(PackageGap(start, over, "damaged") for start, over in uncovered(manifest.request, covered))
    return replace(manifest, parts=tuple(parts), runs=manifest.runs[:1], covered=covered, gaps=gaps)


CASES: dict[str, tuple[Change, str]] = {
    "asked for nothing": (ends_first, "ends before it begins"),
    "a number twice": (of_part(3, number=2), "not counted one by one"),
    "a run of nothing": (lambda m: replace(m, runs=m.runs[:1]), "runs are not those of its parts"),
    "a part without size": (of_part(3, bytes=0), "has no size or no hash"),
    "a part without hash": (of_part(3, sha256="x"), "has no size or no hash"),
    "covers more than it has": (lambda m: replace(m, covered=m.covered[:1]), "calls covered are not"),
    "a gap that is not told": (lambda m: replace(m, gaps=()), "gaps that it lists"),
    "a gap that is none": (more_gaps, "gaps that it lists"),
    "no chain": (of_chain(lambda _: None), "stand in no chain"),
    "an empty chain": (of_chain(lambda _: Chain(())), "has no link"),
    "another camera": (other_camera, "of another camera"),
    "a link altered": (of_link(1, clock="rtc"), "does not hold"),
    "links in another order": (of_chain(lambda c: replace(c, links=c.links[::-1])), "does not hold"),
    "another newest link": (
        lambda m: replace(m, head=ChainHead(m.head.number, "0" * 64)) if m.head else m, "newest link"
    ),
    "later links that are none": (of_chain(lambda c: replace(c, later=("0" * 64,) * 3)), "newest link"),
    "a part that the chain does not list": (of_part(3, sha256="0" * 64), "is not what link"),
    "other ciphertext": (of_part(3, cipher_sha256="0" * 64), "is not what link"),
    "another head": (of_part(0, sha256="0" * 64), "is not what link"),
    "another record": (of_part(3, record=99), "is not what link"),
    "another segment": (of_part(3, segment=77), "is not what link"),
    "of another length": (of_part(14, end=NotImplemented), "is not what link"),
    "a fragment left out": (lambda m: without(m, 5, 6, timedelta()), "something is left out"),
    "a segment left out": (lambda m: without(m, 4, 11, timedelta()), "something is left out"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_true_together_is_told(made: Made, name: str) -> None:
    change, said = CASES[name]
    if name == "of another length":
        change = of_part(14, end=made.signed.manifest.parts[14].end + HOUR)

    assert any(said in each for each in contradictions(change(made.signed.manifest)))


def test_what_the_chain_lists_in_a_gap_is_told_and_accuses_nobody(made: Made) -> None:
    gapped = without(made.signed.manifest, 5, 7, timedelta(seconds=4))
    between = gapped.parts[4].end, gapped.parts[5].start

    assert contradictions(gapped) == ()
    assert withheld(gapped) == (between,)
    assert withheld(made.signed.manifest) == ()


def test_a_clock_that_was_put_right_later_is_told(made: Made) -> None:
    manifest = made.signed.manifest
    later = tuple(replace(part, start=part.start + HOUR, end=part.end + HOUR) for part in manifest.parts)

    assert corrections(manifest) == ()
    assert corrections(replace(manifest, parts=later)) == (("boot-1", HOUR),)


def test_what_the_box_composed_contradicts_nothing(made: Made) -> None:
    assert contradictions(made.signed.manifest) == ()


def moved(manifest: PackageManifest, first: int, by: timedelta, **link: object) -> PackageManifest:
    """Its parts from one on at another time, and its links with these members."""
    parts = manifest.parts
    parts = (*parts[:first], *(replace(p, start=p.start + by, end=p.end + by) for p in parts[first:]))
    request = replace(manifest.request, start=manifest.request.start + min(by, timedelta()))
    request = replace(request, end=request.end + max(by, timedelta()))
    covered = coverage(parts)
    gaps = tuple(PackageGap(start, end, "unknown") for start, end in uncovered(request, covered))
    assert manifest.chain is not None
    links, previous = [], manifest.chain.links[0].previous
    for each in manifest.chain.links:
        links.append(replace(each, previous=previous, **link))  # type: ignore[arg-type]
        previous = link_sha256(links[-1])
    chain = Chain(tuple(links))
    return replace(manifest, request=request, parts=parts, covered=covered, gaps=gaps, chain=chain, head=None)


def test_a_time_that_was_vouched_for_cannot_have_been_another_one(made: Made) -> None:
    manifest = made.signed.manifest

    assert contradictions(moved(manifest, 0, timedelta())) == ()
    for clock in ("ntp", "rtc"):
        (said,) = contradictions(moved(manifest, 0, HOUR, clock=clock))
        assert said == (
            "footage-1-00001.age stands 3600.0 s away from the time in link 1 of the chain, for which "
            "the clock was vouched"
        )


def test_a_time_that_nobody_vouched_for_is_corrected_by_one_offset_in_each_boot(made: Made) -> None:
    manifest = made.signed.manifest

    assert contradictions(moved(manifest, 0, HOUR, clock="unknown")) == ()
    (said,) = contradictions(moved(moved(manifest, 0, HOUR, clock="unknown"), 15, 2 * HOUR, clock="unknown"))
    assert said == "the times of boot boot-1 were corrected in more than one way"


def test_a_vouched_clock_may_step_while_a_segment_is_recorded(made: Made) -> None:
    """A battery clock that is wrong by seconds, until NTP keeps the time."""
    manifest = made.signed.manifest
    assert manifest.chain is not None
    first = manifest.chain.links[0]
    stepped = replace(first.end, wall_ms=first.end.wall_ms + 10_000)
    by = timedelta(seconds=10)
    again = moved(manifest, 2, by)
    assert again.chain is not None
    links = tuple(
        replace(
            each,
            start=replace(each.start, wall_ms=each.start.wall_ms + (10_000 if each.number > 1 else 0)),
            end=stepped if each.number == 1 else replace(each.end, wall_ms=each.end.wall_ms + 10_000),
        )
        for each in again.chain.links
    )
    later = moved(replace(again, chain=Chain(links)), 0, timedelta())

    assert contradictions(later) == ()
