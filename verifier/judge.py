"""Judges a package: signature, then manifest, then every byte of the footage, then what the station signed.

Invariants
1. Nothing is parsed that was not signed by a key that the caller gave.
2. What is wrong is told; nothing that is wrong ends the judgement before the rest was looked at, but for the
   manifest: where that is not what the box signed, there is nothing to hold the rest against.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.errors import WireError
from agent.evidence.package.consistency import clock_steps, contradictions, corrections, withheld
from agent.evidence.package.gaps import kept_back, left_out
from agent.evidence.package.manifest import (
    CUSTODY,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SIGNATURE,
    SIGNATURE_BYTES,
    PackageManifest,
    claimed_key,
    fingerprint,
    opened,
)
from agent.translatable import tr
from verifier import custody, footage
from verifier.findings import Fault, Judgement, PackageFinding, judged
from verifier.source import PackageSource, Unreadable, read
from verifier.source import opened as source_at

MAX_HOLES: Final = 20
"""Of the holes in the numbers of the chain so many are told."""
MAX_STEPS: Final = 20
"""Of the steps of its clock, too."""


def judge(
    path: Path, key: Ed25519PublicKey, station: Ed25519PublicKey | None = None, *, at_station: bool = False
) -> Judgement:
    """Judge the package at a path: a folder or a ZIP file. With `station`, its custody log, too.

    One that still lies `at_station` was not handed over, and its log need not say so.

    Raises:
        UsageError: nothing is there.
        Unreadable: it is neither a folder nor a ZIP file, or cannot be read.
    """
    with source_at(path) as source:
        return judge_source(source, key, station, at_station=at_station)


def judge_source(
    source: PackageSource,
    key: Ed25519PublicKey,
    station: Ed25519PublicKey | None = None,
    *,
    at_station: bool = False,
) -> Judgement:
    """The same of what was opened already."""
    signed = _signed(source, key)
    if isinstance(signed, list):
        return judged(signed, None)
    manifest, digest = signed
    found = [*(PackageFinding(Fault.CONTRADICTS, MANIFEST, text) for text in contradictions(manifest))]
    found += footage.findings(source, manifest, (MANIFEST, SIGNATURE, CUSTODY))
    notes = _of_the_gaps(manifest)
    notes += [
        tr(
            "the package gives times {seconds:.0f} s away from those that the clock showed while it recorded",
            seconds=moved.total_seconds(),
        )
        for _, moved in corrections(manifest)
    ]
    notes += [
        tr(
            "while it recorded the box's clock was set by {seconds:+.0f} s at {time}: "
            "a step forward looks like a gap, and after a step back some time is there twice",
            seconds=by.total_seconds(),
            time=at.isoformat(timespec="seconds"),
        )
        for at, by in clock_steps(manifest)[:MAX_STEPS]
    ]
    if station is not None:
        log = custody.judge(source, manifest, digest, station, at_station=at_station)
        return judged([*found, *log.findings], manifest, [*notes, *log.notes], log.entries)
    if CUSTODY in source.listing.sizes:
        notes.append(tr("custody.log was not judged: name the station's key with --station"))
    return judged(found, manifest, notes)


def _of_the_gaps(manifest: PackageManifest) -> list[str]:
    """What the chain says of them: footage may be gone there, or may be kept back."""
    notes: list[str] = [
        tr(
            "the chain lists footage between {start} and {end}, which is not in the package",
            start=start.isoformat(timespec="seconds"),
            end=end.isoformat(timespec="seconds"),
        )
        for start, end in sorted({*withheld(manifest), *kept_back(manifest)})
    ]
    holes = left_out(manifest)
    notes += [
        tr(
            "links {first} to {last} of the chain are not in the package: "
            "what they list is deleted, or kept back",
            first=first,
            last=last,
        )
        for first, last in holes[:MAX_HOLES]
    ]
    if len(holes) > MAX_HOLES:
        notes.append(tr("the chain has {more:,} more such holes", more=len(holes) - MAX_HOLES))
    return notes


def _signed(source: PackageSource, key: Ed25519PublicKey) -> tuple[PackageManifest, str] | list[PackageFinding]:
    """The manifest and its sha256, or why there is none that could be believed."""
    found = {name: _read(source, name, most) for name, most in _SIZES.items()}
    if faults := [each for each in found.values() if isinstance(each, PackageFinding)]:
        return faults
    data, signature = (each for each in found.values() if isinstance(each, bytes))
    try:
        return opened(data, signature, key), sha256(data).hexdigest()
    except InvalidSignature:
        text = tr("is not the signature of this manifest.json by the key that was given")
        return [
            PackageFinding(Fault.FORGED, MANIFEST, _why_forged(data, key)),
            PackageFinding(Fault.FORGED, SIGNATURE, text),
        ]
    except WireError as error:
        return [PackageFinding(Fault.CONTRADICTS, MANIFEST, error.what)]


_SIZES: Final = {MANIFEST: MAX_MANIFEST_BYTES, SIGNATURE: SIGNATURE_BYTES}


def _read(source: PackageSource, name: str, most: int) -> bytes | PackageFinding:
    if name not in source.listing.sizes:
        what = source.listing.others.get(name)
        return PackageFinding(Fault.UNSIGNED, name, tr("is {what}", what=what) if what else tr("is not there"))
    try:
        data = read(source, name, most)
    except Unreadable as error:
        return PackageFinding(Fault.FORGED, name, error.what)
    if len(data) > most or (name == SIGNATURE and len(data) < most):
        return PackageFinding(Fault.FORGED, name, tr("is of a length that no such file has"))
    return data


def _why_forged(data: bytes, key: Ed25519PublicKey) -> str:
    claimed, given = claimed_key(data), fingerprint(key)
    if claimed and claimed != given:
        return tr(
            "says that it is signed by the key {claimed}, and the key that was given is {given}: "
            "it is of another box, or somebody else signed it",
            claimed=claimed[:16],
            given=given[:16],
        )
    return tr("is not what the box signed: this file, or its signature, was altered")
