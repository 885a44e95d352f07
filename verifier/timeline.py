"""The range that was asked for as a bar: what is there, never recorded, missing, altered."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from agent.evidence.package.manifest import PackageManifest
from verifier.findings import Fault, PackageFinding

WIDTH: Final = 60
WHOLE, UNRECORDED, ABSENT, WRONG = "=", ".", "?", "X"
"""In the order in which they hide each other."""


def bar(manifest: PackageManifest, findings: tuple[PackageFinding, ...], width: int = WIDTH) -> str:
    """The range from the first to the last moment asked for or covered, `width` characters of equal length."""
    start, end = span(manifest)
    length = (end - start).total_seconds() or 1.0
    cells = [UNRECORDED] * width

    def paint(begins: datetime, ends: datetime, mark: str) -> None:
        first = min(width - 1, int((begins - start).total_seconds() / length * width))
        last = int((ends - start).total_seconds() / length * width - 1e-9)
        for cell in range(max(0, first), min(width - 1, max(first, last)) + 1):
            cells[cell] = mark

    for begins, ends in manifest.covered:
        paint(begins, ends, WHOLE)
    for gap in manifest.gaps:
        paint(gap.start, gap.end, UNRECORDED)
    for mark, faults in ((ABSENT, {Fault.MISSING}), (WRONG, set(Fault) - {Fault.MISSING})):
        for finding in findings:
            if finding.fault in faults and finding.start and finding.end:
                paint(finding.start, finding.end, mark)
    return "".join(cells)


def span(manifest: PackageManifest) -> tuple[datetime, datetime]:
    """From the first to the last moment that was asked for or is covered."""
    ranges = [(manifest.request.start, manifest.request.end), *manifest.covered]
    return min(each[0] for each in ranges), max(each[1] for each in ranges)
