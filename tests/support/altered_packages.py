"""Packages altered by dice: what was done, and which files and ranges a verifier has to name."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.links import SegmentLink, body_sha256, link_sha256
from agent.evidence.package.compose import SignedManifest
from agent.evidence.package.dataclass_json import to_json
from agent.evidence.package.manifest import (
    CUSTODY,
    MANIFEST,
    SIGNATURE,
    Chain,
    ChainHead,
    LinkBody,
    PackageGap,
    PackageManifest,
    PackagePart,
    coverage,
    fingerprint,
    uncovered,
)
from agent.wire.signature import canonical
from tests.support.footage import NOON_S
from tests.support.packages import Maker, recorded
from tests.support.station_custody import custody_of


@dataclass(frozen=True)
class Alteration:
    """What was done to a package."""

    files: frozenset[str]
    """Each of them has to be named."""
    parts: tuple[PackagePart, ...] = ()
    """Each of their ranges has to be named, and no range outside of them; empty: no range has to be."""
    anywhere: bool = False
    """Ranges are of another manifest: any may be named."""


@dataclass
class Insider:
    """Who holds the box's own key, after the station heard of the true chain; the station countersigns his."""

    key: Ed25519PrivateKey
    station: Ed25519PrivateKey
    folder: Path
    """Where footage of the same range lies that no camera sent, as a package of each form."""
    manifest: PackageManifest
    """Of that."""
    newest: SegmentLink
    """The true link that the station heard of."""

    def signs(
        self,
        package: Path,
        manifest: PackageManifest,
        true: PackageManifest,
        tells: tuple[int, str] | None = None,
    ) -> Alteration:
        """Put a manifest of his into a package, as it comes out of the station."""
        data = canonical(to_json(manifest))
        made = SignedManifest(manifest, data, self.key.sign(data))
        (package / MANIFEST).write_bytes(made.data)
        (package / SIGNATURE).write_bytes(made.signature)
        (package / CUSTODY).write_bytes(custody_of(made, self.station, heard_of=true, later=tells))
        return Alteration(frozenset({MANIFEST}), anywhere=True)


def insider(folder: Path, maker: Maker, station: Ed25519PrivateKey, forms: Sequence[str]) -> Insider:
    """One with the key of a maker, whose ring he has, too."""
    forger = Maker(recorded(folder / "ring", maker.footage.camera, seed=5), maker.key)
    for form in forms:
        made = forger.write(folder / form, NOON_S + 3, NOON_S + 57, form)
    forger.footage.bench.ring.close()
    index = maker.footage.bench.ring.index
    newest = index.link(maker.footage.camera, index.head(maker.footage.camera)[0])
    assert newest is not None
    return Insider(maker.key, station, folder, made.manifest, newest)


@dataclass
class Subject:
    """A package that may be altered, and what an enemy has beside it."""

    folder: Path
    manifest: PackageManifest
    other: Path
    """Another package of the same box, of the same kind, of another range of the same camera."""
    stranger: Path
    """A package of another camera."""
    dice: Random
    custody: bool = False
    """It has a custody log, and the station's key is given."""
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    """The enemy's own."""
    insider: Insider | None = None
    """Who does what takes the box's key; None: nobody has it."""

    @property
    def encrypted(self) -> bool:
        return (self.folder / self.manifest.parts[0].cipher_file).exists()

    @property
    def form(self) -> str:
        """As `tests.support.packages.KINDS` calls it."""
        return "encrypted" if self.encrypted else "decrypted"

    @property
    def footage(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("footage-*"))

    @property
    def files(self) -> list[str]:
        judged = [MANIFEST, SIGNATURE, *([CUSTODY] if self.custody else [])]
        # a half of what is done, is done to these few
        return self.footage if self.dice.random() < 0.5 else judged

    def parts_at(self, name: str, first: int, end: int) -> tuple[PackagePart, ...]:
        """Which parts bytes of a file belong to; of what lies after the last, the last."""
        if name.endswith(".age"):
            return tuple(part for part in self.manifest.parts if part.cipher_file == name)
        found, at = [], 0
        parts = self.run(name)
        for part in parts:
            if first < at + part.bytes and end > at:
                found.append(part)
            at += part.bytes
        return tuple(found)

    def run(self, name: str) -> list[PackagePart]:
        return [part for part in self.manifest.parts if part.plain_file == name]


def altered(subject: Subject, kind: str | None = None) -> tuple[str, Alteration]:
    """Do one thing, chosen by dice unless it is named, and say what."""
    while True:
        chosen = kind or subject.dice.choice(sorted(KINDS))
        done = KINDS[chosen](subject)
        if done is not None:
            return chosen, done


def _in(subject: Subject, name: str, first: int, end: int) -> Alteration:
    return Alteration(
        frozenset({name}), subject.parts_at(name, first, end) if name.startswith("footage") else ()
    )


def flip(s: Subject) -> Alteration:
    """One bit of one file."""
    name = s.dice.choice(s.files)
    data = bytearray((s.folder / name).read_bytes())
    at = s.dice.randrange(len(data))
    data[at] ^= 1 << s.dice.randrange(8)
    (s.folder / name).write_bytes(data)
    return _in(s, name, at, at + 1)


def zero(s: Subject) -> Alteration | None:
    """A block of zeros, as a bad disk leaves it."""
    name = s.dice.choice(s.files)
    data = bytearray((s.folder / name).read_bytes())
    at = s.dice.randrange(len(data))
    length = min(s.dice.choice((16, 512, 4096)), len(data) - at)
    if not any(data[at : at + length]):
        return None
    data[at : at + length] = bytes(length)
    (s.folder / name).write_bytes(data)
    return _in(s, name, at, at + length)


def truncate(s: Subject) -> Alteration:
    name = s.dice.choice(s.files)
    size = (s.folder / name).stat().st_size
    at = s.dice.randrange(size)
    os.truncate(s.folder / name, at)
    return _in(s, name, at, size)


def append(s: Subject) -> Alteration:
    """Bytes after the end."""
    name = s.dice.choice(s.files)
    with (s.folder / name).open("ab") as file:
        file.write(s.dice.randbytes(s.dice.choice((1, 100, 5000))))
    return _loose(s, name)


def insert(s: Subject) -> Alteration:
    """Bytes somewhere: everything after them is shifted."""
    name = s.dice.choice(s.files)
    data = (s.folder / name).read_bytes()
    at = s.dice.randrange(len(data))
    more = s.dice.randbytes(s.dice.choice((1, 7, 1000)))
    (s.folder / name).write_bytes(data[:at] + more + data[at:])
    if name.endswith(".mp4"):
        # between two parts it belongs to neither
        return Alteration(
            frozenset({name}), s.parts_at(name, max(0, at - 1), at + 1) if _inside(s, name, at) else ()
        )
    return _loose(s, name)


def drop_bytes(s: Subject) -> Alteration:
    """Bytes taken out: everything after them is shifted."""
    name = s.dice.choice(s.files)
    data = (s.folder / name).read_bytes()
    at = s.dice.randrange(len(data))
    end = min(len(data), at + s.dice.choice((1, 7, 1000)))
    (s.folder / name).write_bytes(data[:at] + data[end:])
    return _in(s, name, at, end)


def remove(s: Subject) -> Alteration:
    name = s.dice.choice(s.files)
    (s.folder / name).unlink()
    return _in(s, name, 0, 1 << 60)


def rename(s: Subject) -> Alteration:
    name = s.dice.choice(s.files)
    new = s.dice.choice(("footage-9-00001.age", "footage-7.mp4", f"{name}.bak", name.upper(), "manifest.old"))
    (s.folder / name).rename(s.folder / new)
    done = _in(s, name, 0, 1 << 60)
    if name in (MANIFEST, SIGNATURE):
        return done  # there is nothing then that could say what belongs to the package
    return Alteration(done.files | {new}, done.parts)


def swap(s: Subject) -> Alteration | None:
    """Two files in each other's place."""
    if len(s.footage) < 2:
        return None
    one, two = s.dice.sample(s.footage, 2)
    a, b = (s.folder / one).read_bytes(), (s.folder / two).read_bytes()
    if a == b:  # runs of one camera may have one head
        return None
    (s.folder / one).write_bytes(b)
    (s.folder / two).write_bytes(a)
    return Alteration(frozenset({one, two}), (*s.parts_at(one, 0, 1 << 60), *s.parts_at(two, 0, 1 << 60)))


def reorder(s: Subject) -> Alteration | None:
    """Two fragments of a run in each other's place."""
    name = s.dice.choice(s.footage)
    if not name.endswith(".mp4"):
        return None
    pieces = _pieces(s, name)
    one, two = sorted(s.dice.sample(range(1, len(pieces)), 2))
    pieces[one], pieces[two] = pieces[two], pieces[one]
    (s.folder / name).write_bytes(b"".join(pieces))
    parts = s.run(name)
    return Alteration(frozenset({name}), tuple(parts[one : two + 1]), anywhere=True)


def duplicate(s: Subject) -> Alteration:
    """A fragment once more, or a file under another name."""
    name = s.dice.choice(s.footage)
    if name.endswith(".age"):
        new = s.dice.choice((f"copy of {name}", "footage-8-00002.age"))
        (s.folder / new).write_bytes((s.folder / name).read_bytes())
        return Alteration(frozenset({new}))
    pieces = _pieces(s, name)
    one = s.dice.randrange(1, len(pieces))
    pieces.insert(s.dice.randrange(1, len(pieces) + 1), pieces[one])
    (s.folder / name).write_bytes(b"".join(pieces))
    return Alteration(frozenset({name}), (s.run(name)[one],))


def cut_out(s: Subject) -> Alteration | None:
    """Whole fragments, cleanly: from the middle, or at the end."""
    name = s.dice.choice(s.footage)
    if not name.endswith(".mp4"):
        return None
    pieces = _pieces(s, name)
    first = s.dice.randrange(1, len(pieces))
    end = len(pieces) if s.dice.random() < 0.5 else s.dice.randrange(first, len(pieces)) + 1
    (s.folder / name).write_bytes(b"".join([*pieces[:first], *pieces[end:]]))
    return Alteration(frozenset({name}), tuple(s.run(name)[first:end]))


def cut_end(s: Subject) -> Alteration | None:
    """The last parts of an encrypted package."""
    if not s.encrypted:
        return None
    last = s.manifest.parts[-s.dice.randrange(1, 5) :]
    for part in last:
        (s.folder / part.cipher_file).unlink()
    return Alteration(frozenset(part.cipher_file for part in last), last)


def transplant(s: Subject) -> Alteration | None:
    """A part of another package of the same box in the place of one."""
    return _replaced(s, s.other)


def other_camera(s: Subject) -> Alteration | None:
    """A part of another camera, its head for instance."""
    return _replaced(s, s.stranger)


def retime_fragment(s: Subject) -> Alteration | None:
    """The decode time in a fragment (tfdt): it would be played at another moment."""
    name = s.dice.choice(s.footage)
    if not name.endswith(".mp4"):
        return None
    data = bytearray((s.folder / name).read_bytes())
    marks = [mark.start() for mark in re.finditer(b"tfdt", data[:-13])]
    at = s.dice.choice(marks) + 8 + s.dice.randrange(4)
    data[at] ^= s.dice.randrange(1, 256)
    (s.folder / name).write_bytes(data)
    return _in(s, name, at, at + 1)


def _edit(*path: str, value: Callable[[Subject, object], object]) -> Callable[[Subject], Alteration]:
    """An alteration of the manifest: as it is, or signed anew with the enemy's key."""

    def done(s: Subject) -> Alteration:
        members = json.loads((s.folder / MANIFEST).read_bytes())
        *above, last = path
        place = members
        for name in above:
            place = place[name]
        place[last] = value(s, place[last])
        return _signed_anew(s, members)

    done.__doc__ = f"{'.'.join(path)} of the manifest says something else."
    return done


def _signed_anew(s: Subject, members: object) -> Alteration:
    data = canonical(members)
    if s.dice.random() < 0.5:
        if s.dice.random() < 0.5:
            members["key_sha256"] = fingerprint(s.key.public_key())  # type: ignore[index]
            data = canonical(members)
        (s.folder / SIGNATURE).write_bytes(s.key.sign(data))
    (s.folder / MANIFEST).write_bytes(data)
    return Alteration(frozenset({MANIFEST}))


def respell(s: Subject) -> Alteration:
    """The same manifest in another spelling."""
    members = json.loads((s.folder / MANIFEST).read_bytes())
    text = json.dumps(members, indent=s.dice.choice((None, 1)), ensure_ascii=s.dice.random() < 0.5)
    (s.folder / MANIFEST).write_bytes(text.encode())
    return Alteration(frozenset({MANIFEST}))


def resign(s: Subject) -> Alteration:
    """Nothing altered, and signed by somebody else."""
    (s.folder / SIGNATURE).write_bytes(s.key.sign((s.folder / MANIFEST).read_bytes()))
    return Alteration(frozenset({MANIFEST, SIGNATURE}))


def other_signature(s: Subject) -> Alteration:
    """That of another package of the same box."""
    (s.folder / SIGNATURE).write_bytes((s.other / SIGNATURE).read_bytes())
    return Alteration(frozenset({MANIFEST, SIGNATURE}))


def other_manifest(s: Subject) -> Alteration:
    """Manifest and signature of another package of the same box, which are genuine."""
    for name in (MANIFEST, SIGNATURE):
        (s.folder / name).write_bytes((s.other / name).read_bytes())
    return Alteration(frozenset({"footage-1-00001.age" if s.encrypted else "footage-1.mp4"}), anywhere=True)


def foreign(s: Subject) -> Alteration:
    """A file that nobody signed."""
    name = s.dice.choice(
        ("footage-0.mp4", "footage-99.mp4", "notes.txt", ".hidden", "footage-1-99999.age", "ghi chú.txt")
    )
    (s.folder / name).write_bytes(s.dice.randbytes(100))
    return Alteration(frozenset({name}), anywhere=True)


def link(s: Subject) -> Alteration:
    """A link in the place of a file, to the very same bytes."""
    name = s.dice.choice(s.files)
    away = s.folder.with_name(f"{s.folder.name}-away")
    away.write_bytes((s.folder / name).read_bytes())
    (s.folder / name).unlink()
    (s.folder / name).symlink_to(away)
    return _in(s, name, 0, 1 << 60)


def custody_line(s: Subject) -> Alteration | None:
    """A line of the custody log taken out, doubled, moved, or another's."""
    if not s.custody:
        return None
    lines = (s.folder / CUSTODY).read_bytes().splitlines()
    at = s.dice.randrange(len(lines) - 1)
    done = s.dice.choice(("out", "twice", "swap", "forged"))
    if done == "out":
        del lines[at]
    elif done == "twice":
        lines.insert(at, lines[at])
    elif done == "swap":
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    else:
        data = lines[at].partition(b" ")[2].replace(b'"by":"', b'"by":"x')
        lines[at] = base64.b64encode(s.key.sign(data)) + b" " + data
    (s.folder / CUSTODY).write_bytes(b"\n".join(lines) + b"\n")
    return Alteration(frozenset({CUSTODY}))


def custody_cut(s: Subject) -> Alteration | None:
    """Whole lines of the custody log cut off at its end: to whom it was handed over, and what was before."""
    if not s.custody:
        return None
    lines = (s.folder / CUSTODY).read_bytes().splitlines(keepends=True)
    (s.folder / CUSTODY).write_bytes(b"".join(lines[: s.dice.randrange(1, len(lines))]))
    return Alteration(frozenset({CUSTODY}))


def forged(s: Subject) -> Alteration | None:
    """Other footage under the same numbers, and a whole chain of it."""
    return _forged(s, lambda manifest, _: manifest)


def forged_and_ended(s: Subject) -> Alteration | None:
    """Other footage, and a chain that ends before the link that the station heard of."""
    return _forged(s, lambda manifest, _: replace(manifest, chain=_only_used(manifest), head=None))


def forged_before_a_hole(s: Subject) -> Alteration | None:
    """Other footage, and behind a hole in the chain the true link that the station heard of."""

    def grafted(manifest: PackageManifest, newest: SegmentLink) -> PackageManifest:
        chain, head = _only_used(manifest), s.manifest.head
        assert head is not None
        return replace(
            manifest, chain=Chain((*chain.links, newest)), head=ChainHead(newest.number, head.sha256)
        )

    return _forged(s, grafted)


def forged_in_part(s: Subject) -> Alteration | None:
    """The first run is other footage; between it and the true links a link is left out."""

    def grafted(manifest: PackageManifest, _: SegmentLink) -> PackageManifest:
        first = [part for part in manifest.parts if part.run == 1]
        rest = [part for part in s.manifest.parts if part.run == 2]
        hole = first[-1].segment
        assert manifest.chain is not None and s.manifest.chain is not None
        links = (
            *(link for link in manifest.chain.links if link.number < hole),
            *(link for link in s.manifest.chain.links if link.number > hole),
        )
        first = [part for part in first if part.segment < hole]
        return _with_parts(s.manifest, (*first, *rest), replace(s.manifest.chain, links=links))

    return _forged(s, grafted)


def forged_and_told(s: Subject) -> Alteration | None:
    """Other footage, and a link of it that the station was told of since, under a number that was free."""
    if s.insider is None or s.insider.manifest.chain is None:
        return None
    chain = s.insider.manifest.chain
    number = s.insider.newest.number - 1
    forged = replace(chain, later=chain.later[: number - chain.links[-1].number])
    done = _forged(s, lambda manifest, _: replace(manifest, chain=forged, head=None))
    assert done is not None
    manifest = replace(s.insider.manifest, chain=forged, head=None)
    return s.insider.signs(s.folder, manifest, s.manifest, (number, forged.hashes()[number]))


def forged_beyond(s: Subject) -> Alteration | None:
    """Other footage, its links counted on from beyond every number that the station heard of."""

    def renumbered(manifest: PackageManifest, newest: SegmentLink) -> PackageManifest:
        by = newest.number + s.dice.randrange(1, 1000)
        links: list[SegmentLink] = []
        for link in _only_used(manifest).links:
            previous = link_sha256(links[-1]) if links else link.previous
            links.append(replace(link, number=link.number + by, previous=previous))
        parts = tuple(replace(part, segment=part.segment + by) for part in manifest.parts)
        return replace(manifest, parts=parts, chain=Chain(tuple(links)), head=None)

    return _forged(s, renumbered)


def move_all_times(s: Subject) -> Alteration | None:
    """The true footage, a second to a day away from when it was recorded; the chain stays as it is."""
    if s.insider is None:
        return None
    by = timedelta(seconds=s.dice.choice((-1, 1)) * s.dice.randrange(1, 86_400))
    true = s.manifest
    moved = replace(
        true,
        request=replace(true.request, start=true.request.start + by, end=true.request.end + by),
        covered=tuple((start + by, end + by) for start, end in true.covered),
        gaps=tuple(replace(gap, start=gap.start + by, end=gap.end + by) for gap in true.gaps),
        parts=tuple(replace(part, start=part.start + by, end=part.end + by) for part in true.parts),
    )
    return s.insider.signs(s.folder, moved, true)


def withheld_with_a_reason(s: Subject) -> Alteration | None:
    """Whole segments of the true footage less, and a reason of the enemy's why there is a gap."""
    if s.insider is None or s.manifest.chain is None:
        return None
    away = s.dice.choice(((1,), (2,), (1, 2)))
    form, why = s.form, s.dice.choice(("off", "camera_lost", "not_recorded"))
    parts: list[PackagePart] = []
    for part in s.manifest.parts:
        number = sum(each.run == part.run for each in parts)
        if not part.number or part.segment not in away:
            parts.append(replace(part, number=number))
        if form == "encrypted" and part.number:
            (s.folder / part.cipher_file).rename(s.folder / f"{part.cipher_file}.was")
    for part in s.manifest.parts:
        here = next((each for each in parts if each.sha256 == part.sha256), None)
        if form == "encrypted" and part.number:
            was = s.folder / f"{part.cipher_file}.was"
            was.unlink() if here is None else was.rename(s.folder / here.cipher_file)
    if form == "decrypted":
        kept = [data for part, data in zip(s.run("footage-1.mp4"), _pieces(s, "footage-1.mp4"), strict=True)
                if not part.number or part.segment not in away]  # fmt: skip
        (s.folder / "footage-1.mp4").write_bytes(b"".join(kept))
    chain = s.manifest.chain
    if s.dice.random() < 0.5:
        gone = tuple(LinkBody(each.number, body_sha256(each)) for each in chain.links if each.number in away)
        links = tuple(link for link in chain.links if link.number not in away)
        chain = replace(chain, links=links, between=gone if gone[0].number > links[0].number else ())
    manifest = _with_parts(s.manifest, parts, chain)
    true = {gap.start: gap for gap in s.manifest.gaps}
    gaps = tuple(true.get(gap.start, replace(gap, why=why)) for gap in manifest.gaps)
    return s.insider.signs(s.folder, replace(manifest, gaps=gaps), s.manifest)


def around_the_files(s: Subject) -> Alteration | None:
    """As a ZIP file with a film before its files, between them, or behind its end."""
    path = s.folder.with_suffix(".zip")
    more = b"".join(film.read_bytes() for film in sorted(s.stranger.glob("footage-1*"))[:3])
    place = s.dice.choice(("before", "between", "behind", "comment"))
    with path.open("wb") as file:
        if place == "before":
            file.write(more)
        with zipfile.ZipFile(file, "a") as archive:
            for number, each in enumerate(sorted(s.folder.iterdir())):
                archive.write(each, each.name)
                if place == "between" and number == 3:
                    file.write(more)
                    archive.start_dir = file.tell()
            if place == "comment":
                archive.comment = more[:60_000]
        if place == "behind":
            file.write(more[:60_000])
    s.folder = path
    return Alteration(frozenset({path.name}), anywhere=True)


def _forged(s: Subject, by: Callable[[PackageManifest, SegmentLink], PackageManifest]) -> Alteration | None:
    if s.insider is None:
        return None
    manifest = by(s.insider.manifest, s.insider.newest)
    form = s.form
    theirs = s.insider.folder / form
    kept = {part.cipher_file for part in manifest.parts if part in s.manifest.parts}
    kept |= {part.plain_file for part in manifest.parts if part in s.manifest.parts}
    for name in s.footage:
        if name not in kept:
            (s.folder / name).unlink()
    for part in manifest.parts:
        name = part.cipher_file if form == "encrypted" else part.plain_file
        if name in kept:
            continue
        if form == "encrypted":
            shutil.copyfile(theirs / name, s.folder / name)
        else:
            with (s.folder / name).open("ab") as file:
                file.write(_piece(theirs / name, s.insider.manifest, part))
    return s.insider.signs(s.folder, manifest, s.manifest)


def _piece(file: Path, manifest: PackageManifest, part: PackagePart) -> bytes:
    before = sum(each.bytes for each in manifest.parts if each.run == part.run and each.number < part.number)
    return file.read_bytes()[before : before + part.bytes]


def _only_used(manifest: PackageManifest) -> Chain:
    assert manifest.chain is not None
    used = {part.segment for part in manifest.parts}
    return Chain(tuple(link for link in manifest.chain.links if link.number in used))


def _with_parts(manifest: PackageManifest, parts: Sequence[PackagePart], chain: Chain) -> PackageManifest:
    covered = coverage(parts)
    gaps = tuple(PackageGap(start, end, "unknown") for start, end in uncovered(manifest.request, covered))
    return replace(manifest, parts=tuple(parts), covered=covered, gaps=gaps, chain=chain)


def _replaced(s: Subject, by: Path) -> Alteration | None:
    name = s.dice.choice(s.footage)
    if name.endswith(".age"):
        own = (s.folder / name).read_bytes()
        (s.folder / name).write_bytes(
            s.dice.choice([d for p in by.glob("*.age") if (d := p.read_bytes()) != own])
        )
        return _in(s, name, 0, 1)
    pieces = _pieces(s, name)
    at = s.dice.randrange(len(pieces))
    head, first, *_ = _fragments(next(iter(sorted(by.glob("*.mp4")))).read_bytes())
    new = first if at else head
    if new == pieces[at]:  # runs of one camera may have one head
        return None
    pieces[at] = new
    (s.folder / name).write_bytes(b"".join(pieces))
    return Alteration(frozenset({name}), (s.run(name)[at],))


def _fragments(data: bytes) -> list[bytes]:
    cuts = [0, *(found.start() - 4 for found in re.finditer(b"moof", data)), len(data)]
    return [data[first:end] for first, end in pairwise(cuts)]


def _pieces(s: Subject, name: str) -> list[bytes]:
    data, found, at = (s.folder / name).read_bytes(), [], 0
    for part in s.run(name):
        found.append(data[at : at + part.bytes])
        at += part.bytes
    return found


def _inside(s: Subject, name: str, at: int) -> bool:
    edges, here = set(), 0
    for part in s.run(name):
        edges.add(here)
        here += part.bytes
    return at not in edges


def _loose(s: Subject, name: str) -> Alteration:
    whole = s.parts_at(name, 0, 1 << 60) if name.endswith(".age") else ()
    return Alteration(frozenset({name}), whole, anywhere=name.endswith(".mp4"))


def _later(_: Subject, value: object) -> object:
    return str(value).replace("T08:", "T13:")


def _retimed(s: Subject, parts: object) -> object:
    assert isinstance(parts, list)
    part = s.dice.choice(parts)
    part["start"], part["end"] = _later(s, part["start"]), _later(s, part["end"])
    return parts


def _rehashed(s: Subject, parts: object) -> object:
    assert isinstance(parts, list)
    s.dice.choice(parts)[s.dice.choice(("sha256", "cipher_sha256"))] = "0" * 64
    return parts


KINDS: dict[str, Callable[[Subject], Alteration | None]] = {
    "flip": flip,
    "zero": zero,
    "truncate": truncate,
    "append": append,
    "insert": insert,
    "drop bytes": drop_bytes,
    "remove": remove,
    "rename": rename,
    "swap": swap,
    "reorder": reorder,
    "duplicate": duplicate,
    "cut out": cut_out,
    "cut at the end": cut_end,
    "transplant": transplant,
    "other camera": other_camera,
    "re-time a fragment": retime_fragment,
    "re-time the request": _edit("request", "start", value=_later),
    "re-time a part": _edit("parts", value=_retimed),
    "alter gaps": _edit("gaps", value=lambda s, gaps: [] if gaps else [{"start": 1}]),
    "alter who asked": _edit("request", "officer", value=lambda _s, _v: "somebody else"),
    "alter the clock": _edit("facts", "made_clock", value=lambda _s, _v: "rtc"),
    "alter a hash": _edit("parts", value=_rehashed),
    "downgrade": _edit("version", value=lambda s, _v: s.dice.choice((0, 2, "1", None))),
    "respell": respell,
    "re-sign": resign,
    "other signature": other_signature,
    "other manifest": other_manifest,
    "foreign file": foreign,
    "link": link,
    "custody": custody_line,
    "cut the custody log": custody_cut,
    "forge": forged,
    "forge, and end the chain": forged_and_ended,
    "forge before a hole": forged_before_a_hole,
    "forge a part": forged_in_part,
    "forge, and tell it": forged_and_told,
    "forge, and count on": forged_beyond,
    "move all times": move_all_times,
    "withhold, with a reason": withheld_with_a_reason,
    "around the files of a ZIP": around_the_files,
}


def misjudged(done: Alteration, verdict: str, findings: Sequence[dict[str, object]]) -> str:
    """What a verifier did not name, or named in vain; empty: it was right."""
    if verdict == "authentic":
        return "called authentic"
    named = {str(each["file"]) for each in findings}
    if not done.files <= named:
        return f"does not name {sorted(done.files - named)}, but {sorted(named)[:5]}"
    if done.anywhere or not done.parts:
        return ""
    ranges = [(str(f["start"]), str(f["end"])) for f in findings if f["start"] and f["file"] in done.files]
    named_ranges = [(_moment(start), _moment(end)) for start, end in ranges]
    for part in done.parts:
        if not any(start <= part.start and part.end <= end for start, end in named_ranges):
            return f"does not name {part.start} to {part.end}, but {named_ranges[:5]}"
    first, last = min(part.start for part in done.parts), max(part.end for part in done.parts)
    beyond = [each for each in named_ranges if each[0] < first or each[1] > last]
    return f"names {beyond[:3]}, which nobody touched" if beyond else ""


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
