"""Judges the custody log of a package, and the chain against the links that the station heard of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.errors import WireError
from agent.evidence.package.manifest import CUSTODY, MANIFEST, PackageManifest, PackagePart
from agent.translatable import tr
from verifier.custody_log import FIRST, CustodyEntry, HeardLink, line_sha256, read_line
from verifier.findings import Fault, PackageFinding
from verifier.source import PackageSource, Unreadable, read

MAX_BYTES: Final = 8 << 20
CLOCKS_APART: Final = timedelta(seconds=60)
"""So far the clock of a box may step back: after a start its battery clock counts, until NTP keeps the time."""


@dataclass(frozen=True, slots=True)
class CustodyJudgement:
    """What the log says, as far as it holds, and where it does not."""

    entries: tuple[CustodyEntry, ...]
    findings: tuple[PackageFinding, ...]
    notes: tuple[str, ...]


def judge(
    source: PackageSource,
    manifest: PackageManifest,
    manifest_sha256: str,
    key: Ed25519PublicKey,
    *,
    at_station: bool = False,
) -> CustodyJudgement:
    """Hold the log against the station's key, and the package against the log.

    What leaves a station has a last line that says to whom; the log of what still lies `at_station` need not.
    """
    if CUSTODY in source.listing.others:
        what = tr("is {what}", what=source.listing.others[CUSTODY])
        return CustodyJudgement((), (PackageFinding(Fault.ALTERED, CUSTODY, what),), ())
    if CUSTODY not in source.listing.sizes:
        return CustodyJudgement((), (PackageFinding(Fault.MISSING, CUSTODY, tr("is not there")),), ())
    try:
        data = read(source, CUSTODY, MAX_BYTES)
    except Unreadable as error:
        return CustodyJudgement((), (PackageFinding(Fault.ALTERED, CUSTODY, error.what),), ())
    entries, findings = _entries(data, key)
    if not findings and not at_station:
        findings += _cut_short(entries)
    for entry in entries:
        if (entry.manifest_sha256, entry.box_key_sha256) != (manifest_sha256, manifest.key_sha256):
            text = tr("line {n} is of another package, or of another key", n=entry.n)
            findings.append(PackageFinding(Fault.ALTERED, CUSTODY, text))
    heard = sorted((link for entry in entries for link in entry.heard), key=lambda link: link.at)
    findings += _against(manifest, heard)
    findings += unreached(manifest, heard)
    findings += counted_on(manifest, heard)
    return CustodyJudgement(tuple(entries), tuple(findings), tuple(_notes(manifest, heard)))


def _entries(data: bytes, key: Ed25519PublicKey) -> tuple[list[CustodyEntry], list[PackageFinding]]:
    """Line by line until one does not hold."""
    entries: list[CustodyEntry] = []
    if len(data) > MAX_BYTES:
        return [], [PackageFinding(Fault.ALTERED, CUSTODY, tr("is longer than any custody log"))]
    if not data.endswith(b"\n"):
        return [], [PackageFinding(Fault.ALTERED, CUSTODY, tr("its last line is not whole"))]
    previous = FIRST
    for n, found in enumerate(data.split(b"\n")[:-1], 1):
        try:
            entries.append(read_line(found, n, previous, key))
        except WireError as error:
            return entries, [PackageFinding(Fault.ALTERED, CUSTODY, error.what)]
        previous = line_sha256(found)
    return entries, []


def _cut_short(entries: Sequence[CustodyEntry]) -> Iterator[PackageFinding]:
    """Each line names the one before and none the next, so the last one must be one that a log can end with."""
    if entries and entries[-1].act != "handed_over":
        text = tr(
            "its last line does not hand the package over: lines at its end are missing, "
            "or the package did not come from the station"
        )
        yield PackageFinding(Fault.MISSING, CUSTODY, text)


def _against(manifest: PackageManifest, heard: Sequence[HeardLink]) -> Iterator[PackageFinding]:
    known = manifest.chain.hashes() if manifest.chain else {}
    for link in heard:
        if known.get(link.number, link.sha256) != link.sha256:
            text = tr(
                "link {number} of its chain is not the one that the station heard of at {time}: "
                "the chain was made anew since, with the box's key",
                number=link.number,
                time=link.at.isoformat(timespec="seconds"),
            )
            yield PackageFinding(Fault.CONTRADICTS, MANIFEST, text)


def unreached(manifest: PackageManifest, heard: Sequence[HeardLink]) -> Iterator[PackageFinding]:
    """Footage from which the chain does not lead to the link at or after it that the station heard of first.

    It may have been made anew since: a chain can be ended, or joined to the true one by a hole; and who has the
    box's key can tell the station another link later, under a number that was free.
    """
    reached = _reached(manifest, heard)
    astray = [
        (part, link)
        for part in manifest.parts
        if part.number and (link := _first_after(part, heard)) and link not in reached.get(part.segment, ())
    ]
    if astray:
        part, link = astray[0]
        text = tr(
            "from link {number} its chain does not lead to link {heard}, of which the station heard at {time}: "
            "it was cut there, or made anew since with the box's key",
            number=part.segment,
            heard=link.number,
            time=link.at.isoformat(timespec="seconds"),
        )
        start, end = min(part.start for part, _ in astray), max(part.end for part, _ in astray)
        yield PackageFinding(Fault.CONTRADICTS, MANIFEST, text, start, end)


def _first_after(part: PackagePart, heard: Sequence[HeardLink]) -> HeardLink | None:
    """Of the links at or after a part that which was heard of first; `heard` is in the order of hearing."""
    return next(
        (
            link
            for link in heard
            if link.number >= part.segment and (link.until is None or link.until >= part.start)
        ),
        None,
    )


def counted_on(manifest: PackageManifest, heard: Sequence[HeardLink]) -> Iterator[PackageFinding]:
    """Footage of before a link that the station heard of, under a number after it: no true chain has that."""
    ends = sorted((link.number, link.until) for link in heard if link.until is not None)
    numbers = [number for number, _ in ends]
    newest = list(accumulate((until for _, until in ends), max))
    astray = [
        (part, newest[at - 1])
        for part in manifest.parts
        if part.number
        and (at := bisect_left(numbers, part.segment))
        and newest[at - 1] - part.start > CLOCKS_APART
    ]
    if astray:
        part, until = astray[0]
        text = tr(
            "link {number} of its chain lists footage of before {until}, and until then the station had heard "
            "of lower numbers: it was made since with the box's key",
            number=part.segment,
            until=until.isoformat(timespec="seconds"),
        )
        start, end = min(part.start for part, _ in astray), max(part.end for part, _ in astray)
        yield PackageFinding(Fault.CONTRADICTS, MANIFEST, text, start, end)


def _reached(manifest: PackageManifest, heard: Sequence[HeardLink]) -> dict[int, frozenset[HeardLink]]:
    """By link: those that the station heard of as they are, and to which the chain leads without a hole."""
    found: dict[int, frozenset[HeardLink]] = {}
    for stretch in manifest.chain.stretches() if manifest.chain else ():
        held = frozenset(link for link in heard if stretch.get(link.number) == link.sha256)
        found |= dict.fromkeys(stretch, held)
    return found


def _notes(manifest: PackageManifest, heard: Sequence[HeardLink]) -> Iterator[str]:
    media = [part for part in manifest.parts if part.number]
    last = max(media, key=lambda part: part.segment, default=None)
    if last is None:
        return
    first = _first_after(last, heard)
    if first is None:
        yield tr(
            "the station heard of no link at or after the footage: nothing beside the box's key vouches for it"
        )
    elif not any(unreached(manifest, heard)):
        yield tr(
            "the station heard of link {number} of the chain at {time}: the footage was recorded before that",
            number=first.number,
            time=first.at.isoformat(timespec="seconds"),
        )
