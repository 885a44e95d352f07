"""Every part of the footage held against its hash: encrypted, a file each; decrypted, one file for each run."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby, pairwise
from typing import Final

from agent.evidence.package.manifest import PackageManifest, PackagePart
from agent.printable import printable
from agent.translatable import tr
from verifier.findings import Fault, PackageFinding
from verifier.layout.splitting import MORE_PIECES, Blocks, Located, at_their_places, by_their_content, in_order
from verifier.source import PackageSource, Unreadable, reading

MORE_BYTES: Final = 64 << 20
"""So much more than twice what was signed of a file is looked at: one of a terabyte wants our day."""
MAX_FOREIGN: Final = 100
"""Of the files that nobody signed so many are named."""


def findings(
    source: PackageSource, manifest: PackageManifest, beside: Iterable[str]
) -> Iterator[PackageFinding]:
    """Everything that is not as it was signed; `beside` are the files that are judged elsewhere."""
    there = {*source.listing.sizes, *source.listing.others}
    runs = {file: tuple(group) for file, group in groupby(manifest.parts, key=lambda part: part.plain_file)}
    encrypted = any(part.cipher_file in there for part in manifest.parts)
    decrypted = any(file in there for file in runs)
    listed = {*beside}
    misplaced = _Misplaced(source, manifest, there)
    if encrypted or not decrypted:
        listed |= {part.cipher_file for part in manifest.parts}
        yield from _together(_of_encrypted(source, manifest.parts, misplaced))
    if decrypted:
        listed |= set(runs)
        known = {part.sha256: part for part in reversed(manifest.parts)}
        for file, parts in runs.items():
            own = {part.sha256: part for part in reversed(parts)}
            yield from _together(_of_decrypted(source, file, parts, known | own))
    yield from _foreign(source, sorted(there - listed), misplaced)
    yield from _loose(source)


def _of_encrypted(
    source: PackageSource, parts: Sequence[PackagePart], misplaced: _Misplaced
) -> Iterator[PackageFinding]:
    for part in parts:
        name = part.cipher_file
        if name in source.listing.others:
            yield _of_part(Fault.ALTERED, part, name, tr("is {what}", what=source.listing.others[name]))
            continue
        if name not in source.listing.sizes:
            yield _of_part(Fault.MISSING, part, name, misplaced.where(part, tr("is not there")))
            continue
        try:
            whole = _sha256(source, name, part.cipher_bytes) == part.cipher_sha256
        except Unreadable as error:
            yield _of_part(Fault.ALTERED, part, name, error.what)
            continue
        if not whole:
            yield _of_part(Fault.ALTERED, part, name, misplaced.what(name, tr("is not what the box recorded")))


def _of_decrypted(
    source: PackageSource, name: str, parts: Sequence[PackagePart], known: Mapping[str, PackagePart]
) -> Iterator[PackageFinding]:
    if name in source.listing.others:
        yield _of_run(Fault.ALTERED, parts, name, tr("is {what}", what=source.listing.others[name]))
        return
    if name not in source.listing.sizes:
        yield _of_run(Fault.MISSING, parts, name, tr("is not there"))
        return
    try:
        with reading(source, name) as blocks:
            located, ends = at_their_places(blocks, parts)
        if ends and len(located) == len(parts):
            return
        size = 0
        with reading(source, name) as blocks:
            looked_at = _at_most(blocks, 2 * sum(part.bytes for part in parts) + MORE_BYTES)
            for each in by_their_content(looked_at, known, len(parts) + MORE_PIECES):
                if isinstance(each, int):
                    size = each
                else:
                    located.append(each)
    except Unreadable as error:
        yield _of_run(Fault.ALTERED, parts, name, error.what)
        return
    yield from _explained(name, parts, sorted(set(located), key=lambda one: one.first_byte), size)


def _at_most(blocks: Blocks, most: int) -> Blocks:
    left = most

    def bounded(asked: int) -> bytes:
        nonlocal left
        found = blocks(min(asked, left)) if left else b""
        left -= len(found)
        return found

    return bounded


def _explained(
    name: str, parts: Sequence[PackagePart], located: Sequence[Located], size: int
) -> Iterator[PackageFinding]:
    """What is altered, missing, moved, twice or foreign in a file of which these pieces are known.

    They are in the order of the file, each once.
    """
    own = [each for each in located if each.part.run == parts[0].run]
    right = [own[index] for index in sorted(in_order(own))]
    chosen = set(right)
    loose = [each for each in located if each not in chosen]
    begins = [each.first_byte for each in loose]
    there = {each.part for each in right}
    astray = {each.part.number for each in own} - {part.number for part in there}
    for each in loose:
        fault = Fault.TWICE if each.part in there else Fault.MOVED
        what = (
            _WHERE[fault]
            if each.part.run == parts[0].run
            else tr("holds a part of {file}", file=each.part.plain_file)
        )
        yield _at(
            PackageFinding(fault, name, what, each.part.start, each.part.end), each.first_byte, each.end_byte
        )
    edges = [Located(0, 0, parts[0]), *right, Located(size, size, parts[-1])]
    for index, (before, after) in enumerate(pairwise(edges)):
        first = 0 if index == 0 else before.part.number + 1
        last = parts[-1].number + 1 if index == len(edges) - 2 else after.part.number
        lacking = [part for part in parts[first:last] if part.number not in astray]
        between = loose[bisect_left(begins, before.end_byte) : bisect_left(begins, after.first_byte)]
        left = _left(before.end_byte, after.first_byte, between)
        for part in lacking:
            fault = Fault.ALTERED if left else Fault.MISSING
            what = tr("is not what the box recorded") if left else tr("a part is not there")
            yield _at(
                _of_part(fault, part, name, what), *(left[0] if left else (before.end_byte, before.end_byte))
            )
        if left and not lacking:
            moment = before.part.end if index and before.part.number else parts[0].start
            text = tr("holds bytes that the box did not record")
            yield _at(PackageFinding(Fault.FOREIGN, name, text, moment, moment), *left[0])


_WHERE: Final = {
    Fault.MOVED: tr("a part stands at the wrong place"),
    Fault.TWICE: tr("a part stands there once more"),
}


def _left(first: int, end: int, known: Iterable[Located]) -> list[tuple[int, int]]:
    """What of a range of bytes no piece that begins there takes: one range from the first to the last of it."""
    holes, at = [], first
    for each in known:
        if each.first_byte > at:
            holes.append((at, each.first_byte))
        at = max(at, each.end_byte)
    if at < end:
        holes.append((at, end))
    return [(holes[0][0], holes[-1][1])] if holes else []


def _foreign(source: PackageSource, names: Sequence[str], misplaced: _Misplaced) -> Iterator[PackageFinding]:
    for name in names[:MAX_FOREIGN]:
        what = source.listing.others.get(name)
        text = (
            tr("is {what}; nobody signed it", what=what)
            if what
            else misplaced.what(name, tr("nobody signed it"))
        )
        yield PackageFinding(Fault.FOREIGN, printable(name), text)
    if len(names) > MAX_FOREIGN:
        more = len(names) - MAX_FOREIGN
        yield PackageFinding(Fault.FOREIGN, "…", tr("{more:,} more files that nobody signed", more=more))


def _loose(source: PackageSource) -> Iterator[PackageFinding]:
    """What of a ZIP file belongs to none of its files: a player would play a film that stands before them."""
    listing = source.listing
    for first, end in listing.loose:
        text = tr("holds bytes that belong to none of its files; nobody signed them")
        yield _at(PackageFinding(Fault.FOREIGN, printable(listing.archive), text), first, end)


class _Misplaced:
    """Where encrypted parts are that are not in their own files: looked for only once something is amiss."""

    def __init__(self, source: PackageSource, manifest: PackageManifest, there: Iterable[str]) -> None:
        self._source, self._parts = source, {part.cipher_sha256: part for part in manifest.parts}
        self._sizes = {part.cipher_bytes for part in manifest.parts}
        self._there, self._found = sorted(there), dict[str, str]()
        self._looked = False

    def where(self, part: PackagePart, otherwise: str) -> str:
        """In which other file a part lies."""
        self._look()
        file = next((name for name, digest in self._found.items() if digest == part.cipher_sha256), None)
        return otherwise if file is None else tr("is not there; it lies in {file}", file=printable(file))

    def what(self, name: str, otherwise: str) -> str:
        """Which part lies in a file."""
        self._look()
        part = self._parts.get(self._found.get(name, ""))
        return otherwise if part is None else tr("holds what belongs in {file}", file=part.cipher_file)

    def _look(self) -> None:
        if self._looked:
            return
        self._looked = True
        fitting = [name for name in self._there if self._source.listing.sizes.get(name) in self._sizes]
        for name in fitting[: len(self._parts) + MORE_PIECES]:
            try:
                digest = _sha256(self._source, name, self._source.listing.sizes[name])
            except Unreadable:
                continue
            if digest in self._parts:
                self._found[name] = digest


def _sha256(source: PackageSource, name: str, size: int) -> str:
    """Of a file of this size; of another one something that is no hash."""
    digest, left = sha256(), size
    with reading(source, name) as blocks:
        while left and (block := blocks(left)):
            digest.update(block)
            left -= len(block)
        return "" if left or blocks(1) else digest.hexdigest()


def _of_part(fault: Fault, part: PackagePart, name: str, text: str) -> PackageFinding:
    return PackageFinding(fault, name, text, part.start, part.end)


def _of_run(fault: Fault, parts: Sequence[PackagePart], name: str, text: str) -> PackageFinding:
    return PackageFinding(fault, name, text, parts[0].start, parts[0].end)


def _at(finding: PackageFinding, first_byte: int, end_byte: int) -> PackageFinding:
    return PackageFinding(
        finding.fault, finding.file, finding.text, finding.start, finding.end, first_byte, end_byte
    )


def _together(found: Iterable[PackageFinding]) -> Iterator[PackageFinding]:
    """Neighbours of one file with one fault as one finding."""
    kept: PackageFinding | None = None
    for each in found:
        if (
            kept
            and (each.fault, each.file, each.text) == (kept.fault, kept.file, kept.text)
            and _touch(kept, each)
        ):
            kept = PackageFinding(
                kept.fault, kept.file, kept.text,
                min(filter(None, (kept.start, each.start)), default=None),
                max(filter(None, (kept.end, each.end)), default=None),
                None if kept.first_byte is None else min(kept.first_byte, each.first_byte or 0),
                None if kept.end_byte is None else max(kept.end_byte, each.end_byte or 0),
            )  # fmt: skip
            continue
        if kept:
            yield kept
        kept = each
    if kept:
        yield kept


def _touch(one: PackageFinding, other: PackageFinding) -> bool:
    return one.end is None or other.start is None or abs((other.start - one.end).total_seconds()) <= 1
