"""What is found in a package, in ONVIF's words, each with its file and its time range."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from agent.evidence.package.manifest import PackageManifest
from agent.printable import printable
from verifier.custody_log import CustodyEntry


class PackageVerdict(StrEnum):
    """The answer; the words are those of ONVIF Media Signing."""

    AUTHENTIC = "authentic"
    """Everything that the box signed is there, as it signed it, and nothing else."""
    MISSING = "authentic with missing"
    """What is there is what the box signed; parts that it signed are not there."""
    NOT_SIGNED = "not signed"
    """There is nothing that anybody signed."""
    NOT_AUTHENTIC = "not authentic"
    """Something is not what the box signed."""


class Fault(StrEnum):
    """What is wrong with a file, or with a range of it."""

    UNSIGNED = "unsigned"
    """The signature or what it is for is not there."""
    FORGED = "forged"
    """The signature is not that of the key that was given for these bytes."""
    CONTRADICTS = "contradicts"
    """Signed, and yet it cannot be true."""
    MISSING = "missing"
    ALTERED = "altered"
    MOVED = "moved"
    """What the box signed for another place stands there."""
    TWICE = "twice"
    FOREIGN = "foreign"
    """Nobody signed it for this package."""


@dataclass(frozen=True, slots=True)
class PackageFinding:
    """One fault, located."""

    fault: Fault
    file: str
    text: str
    """In words, marked for translation."""
    start: datetime | None = None
    end: datetime | None = None
    """Which range of the footage it touches; None: none, or all of it."""
    first_byte: int | None = None
    """Of the file; counts from 0."""
    end_byte: int | None = None
    """After the last one."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer, and all that it rests on."""

    verdict: PackageVerdict
    findings: tuple[PackageFinding, ...]
    manifest: PackageManifest | None
    """What the box signed; None: nothing that could be believed."""
    notes: tuple[str, ...] = ()
    """What else a reader has to know; accuses nobody."""
    custody: tuple[CustodyEntry, ...] = ()
    """What the station signed of its way, as far as that holds."""


def judged(
    findings: Sequence[PackageFinding],
    manifest: PackageManifest | None,
    notes: Iterable[str] = (),
    custody: Iterable[CustodyEntry] = (),
) -> Judgement:
    """The answer that such findings make."""
    findings = [replace(finding, text=printable(finding.text)) for finding in findings]
    faults = {finding.fault for finding in findings}
    if Fault.UNSIGNED in faults:
        verdict = PackageVerdict.NOT_SIGNED
    elif faults - {Fault.MISSING}:
        verdict = PackageVerdict.NOT_AUTHENTIC
    else:
        verdict = PackageVerdict.MISSING if faults else PackageVerdict.AUTHENTIC
    return Judgement(verdict, tuple(findings), manifest, tuple(map(printable, notes)), tuple(custody))
