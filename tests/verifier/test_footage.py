"""verifier.footage"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.evidence.package.manifest import PackageManifest
from tests.support.footage import NOON_S
from tests.support.packages import Maker, recorded
from verifier.findings import Fault, PackageFinding
from verifier.footage import MAX_FOREIGN, findings
from verifier.source import Listing

FRAGMENTS = list(range(1, 12))
"""Of run 2."""


@dataclass
class Kept:
    """A package in memory; whoever judges it asks no more of a folder."""

    files: dict[str, bytes]

    @property
    def listing(self) -> Listing:
        return Listing({name: len(data) for name, data in self.files.items()})

    def open(self, name: str) -> io.BytesIO:
        return io.BytesIO(self.files[name])


class Bench:
    """No dataclass: Hypothesis would print its megabytes."""

    def __init__(self, manifest: PackageManifest, plain: dict[str, bytes], cipher: dict[str, bytes]) -> None:
        self.manifest, self.plain, self.cipher = manifest, plain, cipher

    def found(self, files: dict[str, bytes]) -> list[PackageFinding]:
        return list(findings(Kept(files), self.manifest, ()))

    def pieces(self, name: str) -> list[bytes]:
        data, found = self.plain[name], []
        for part in (each for each in self.manifest.parts if each.plain_file == name):
            found.append(data[: part.bytes])
            data = data[part.bytes :]
        return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root: Path = tmp_path_factory.mktemp("package")
    maker = Maker(recorded(root / "ring"))
    made = maker.write(root / "plain", NOON_S + 3, NOON_S + 57, "decrypted")
    ciphers = maker.composed(NOON_S + 3, NOON_S + 57)[1]
    maker.footage.bench.ring.close()
    yield Bench(
        made.manifest, {path.name: path.read_bytes() for path in (root / "plain").glob("*.mp4")}, ciphers
    )


def test_whole_footage_has_no_fault(bench: Bench) -> None:
    assert bench.found(bench.plain) == []
    assert bench.found(bench.cipher) == []
    assert bench.found({**bench.plain, **bench.cipher}) == []


def test_with_no_footage_at_all_each_run_is_missing(bench: Bench) -> None:
    found = bench.found({})

    assert {each.fault for each in found} == {Fault.MISSING}
    assert {each.file for each in found} == set(bench.cipher)


def test_a_part_in_another_file_is_told_where_it_lies(bench: Bench) -> None:
    files = dict(bench.cipher)
    files["elsewhere"] = files.pop("footage-1-00005.age")
    found = {each.file: each.text for each in bench.found(files)}

    assert found == {
        "footage-1-00005.age": "is not there; it lies in elsewhere",
        "elsewhere": "holds what belongs in footage-1-00005.age",
    }


def test_neighbours_with_one_fault_are_one_finding(bench: Bench) -> None:
    pieces = bench.pieces("footage-1.mp4")
    found = bench.found({**bench.plain, "footage-1.mp4": b"".join([*pieces[:4], *pieces[8:]])})

    assert [(each.fault, each.file, each.text) for each in found] == [
        (Fault.MISSING, "footage-1.mp4", "a part is not there")
    ]
    parts = [part for part in bench.manifest.parts if part.run == 1]
    assert (found[0].start, found[0].end) == (parts[4].start, parts[7].end)


def test_of_very_many_foreign_files_some_are_named(bench: Bench) -> None:
    found = bench.found({**bench.plain, **{f"x{number:04}": b"" for number in range(1000)}})

    assert len(found) == MAX_FOREIGN + 1
    assert found[-1].text == "900 more files that nobody signed"


@settings(max_examples=60)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14) | st.just(FRAGMENTS))
def test_in_whatever_order_fragments_are_put_each_fault_is_of_the_right_file(
    bench: Bench, order: list[int]
) -> None:
    pieces = bench.pieces("footage-2.mp4")
    data = b"".join(pieces[index] for index in (0, *order))
    found = bench.found({**bench.plain, "footage-2.mp4": data})
    faults = {each.fault for each in found}

    assert ({each.file for each in found} == {"footage-2.mp4"}) == (order != FRAGMENTS)
    assert (Fault.MISSING in faults) == (set(order) != set(FRAGMENTS))
    assert not faults & {Fault.ALTERED, Fault.FOREIGN}


def test_one_altered_fragment_among_thousands_is_found_in_seconds(bench: Bench) -> None:
    """A day of footage has 43,200 parts: nothing may be done for each of them with all the others."""
    first = bench.manifest.parts[0]
    bodies = [b"%06d" % number for number in range(5000)]
    parts = tuple(
        replace(first, number=number, bytes=6, sha256=sha256(body).hexdigest())
        for number, body in enumerate(bodies)
    )
    manifest = replace(bench.manifest, parts=parts)
    bodies[2500] = b"xxxxxx"
    began_s = time.process_time()
    (found,) = findings(Kept({"footage-1.mp4": b"".join(bodies)}), manifest, ())

    assert time.process_time() - began_s < 5
    assert (found.fault, found.first_byte, found.end_byte) == (Fault.ALTERED, 15_000, 15_006)
