"""verifier.custody"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.links import body_sha256
from agent.evidence.package.compose import SignedManifest
from agent.evidence.package.manifest import CUSTODY, MANIFEST, Chain, LinkBody
from tests.support.footage import NOON_S
from tests.support.packages import Maker, recorded
from tests.support.station_custody import custody_of
from verifier.custody import MAX_BYTES, CustodyJudgement, counted_on, judge, unreached
from verifier.findings import Fault
from verifier.source import opened

STATION = Ed25519PrivateKey.generate()


@dataclass
class Bench:
    folder: Path
    made: SignedManifest
    log: bytes

    def judged(self, log: bytes | None, *, at_station: bool = False) -> CustodyJudgement:
        path = self.folder / CUSTODY
        path.unlink(missing_ok=True)
        if log is not None:
            path.write_bytes(log)
        digest = sha256((self.folder / MANIFEST).read_bytes()).hexdigest()
        with opened(self.folder) as source:
            return judge(source, self.made.manifest, digest, STATION.public_key(), at_station=at_station)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("package")
    maker = Maker(recorded(root / "ring"))
    made = maker.write(root / "package", NOON_S + 3, NOON_S + 57)
    yield Bench(root / "package", made, custody_of(made, STATION))
    maker.footage.bench.ring.close()


def test_an_untouched_log_tells_the_way_of_the_package(bench: Bench) -> None:
    found = bench.judged(bench.log)

    assert [entry.act for entry in found.entries] == ["received", "verified", "handed_over"]
    assert found.findings == ()


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (None, "is not there"),
        (b"no line", "its last line is not whole"),
        (b"\n", "line 1 is not what the station signed"),
        (b"x" * (MAX_BYTES + 1) + b"\n", "is longer than any custody log"),
    ],
)
def test_what_is_no_log_is_told(bench: Bench, log: bytes | None, said: str) -> None:
    found = bench.judged(log)

    assert [(each.file, each.text) for each in found.findings] == [(CUSTODY, said)]


def lines_of(log: bytes, number: int) -> bytes:
    return b"".join(log.splitlines(keepends=True)[:number])


@pytest.mark.parametrize("left", [1, 2])
def test_a_log_whose_end_was_cut_off_at_a_line_is_missing_its_end(bench: Bench, left: int) -> None:
    found = bench.judged(lines_of(bench.log, left))

    assert [entry.act for entry in found.entries] == ["received", "verified"][:left]
    assert [(each.fault, each.file) for each in found.findings] == [(Fault.MISSING, CUSTODY)]
    assert found.findings[0].text.startswith("its last line does not hand the package over")


def test_the_log_of_a_package_that_still_lies_at_the_station_need_not_hand_it_over(bench: Bench) -> None:
    assert bench.judged(lines_of(bench.log, 2), at_station=True).findings == ()


def test_what_stands_before_a_bad_line_is_told_all_the_same(bench: Bench) -> None:
    found = bench.judged(bench.log[:-40] + bench.log[-39:])

    assert [entry.act for entry in found.entries] == ["received", "verified"]
    assert [each.text for each in found.findings] == ["line 3 is not what the station signed"]


def test_the_log_of_another_package_is_told_line_by_line(bench: Bench, tmp_path: Path) -> None:
    other = Maker(recorded(tmp_path / "ring", seed=9))
    log = custody_of(other.composed(NOON_S + 3, NOON_S + 57)[0], STATION)
    other.footage.bench.ring.close()
    texts = [each.text for each in bench.judged(log).findings]

    assert texts[:3] == [f"line {n} is of another package, or of another key" for n in (1, 2, 3)]
    assert "is not the one that the station heard of" in texts[3]


def test_without_a_link_that_the_station_heard_of_a_note_says_so(bench: Bench, tmp_path: Path) -> None:
    found = bench.judged(custody_of(bench.made, STATION, hears=False))

    assert found.findings == ()
    assert "heard of no link" in found.notes[0]


def test_footage_from_which_no_hole_separates_the_heard_link_is_vouched_for(bench: Bench) -> None:
    chain = bench.made.manifest.chain
    assert chain is not None
    gone = chain.links[3]
    links = tuple(link for link in chain.links if link is not gone)
    bodies = (LinkBody(gone.number, body_sha256(gone)),)
    heard = [link for entry in bench.judged(bench.log).entries for link in entry.heard]

    def said(chain: Chain) -> tuple[list[str], list[str]]:
        manifest = replace(bench.made.manifest, chain=chain)
        with_custody = Bench(bench.folder, replace(bench.made, manifest=manifest), bench.log)
        found = with_custody.judged(bench.log)
        return [each.text for each in found.findings], list(found.notes)

    assert heard[0].number > chain.links[-1].number
    assert said(replace(chain, links=links, between=bodies)) == ([], list(bench.judged(bench.log).notes))
    findings, notes = said(replace(chain, links=links))
    assert findings == [
        f"from link {chain.links[0].number} its chain does not lead to link {heard[0].number}, of which the "
        "station heard at 2027-01-15T08:04:00+00:00: it was cut there, or made anew since with the box's key"
    ]
    assert notes == []


def test_the_first_link_that_was_heard_of_counts_and_none_of_another_time(bench: Bench) -> None:
    """A true link stands before what a forger tells since; a ring that began anew counts from one again."""
    manifest = bench.made.manifest
    assert manifest.chain is not None
    (heard,) = [link for entry in bench.judged(bench.log).entries for link in entry.heard]
    assert heard.until is not None
    foreign = replace(heard, number=40, sha256="0" * 64)
    earlier = {"at": heard.at - timedelta(minutes=1)}

    assert list(unreached(manifest, [heard, replace(foreign, at=heard.at + timedelta(minutes=1))])) == []
    assert len(list(unreached(manifest, [replace(foreign, **earlier), heard]))) == 1
    before = replace(foreign, **earlier, until=manifest.parts[1].start - timedelta(seconds=1))
    assert list(unreached(manifest, [before, heard])) == []


def test_which_footage_leads_to_no_link_that_was_heard_is_told_by_its_range(bench: Bench) -> None:
    manifest = bench.made.manifest
    assert manifest.chain is not None
    short = replace(manifest, chain=replace(manifest.chain, later=()))
    (finding,) = Bench(bench.folder, replace(bench.made, manifest=short), bench.log).judged(bench.log).findings

    assert (finding.file, finding.fault) == (MANIFEST, Fault.CONTRADICTS)
    assert (finding.start, finding.end) == (manifest.covered[0][0], manifest.covered[-1][1])


def test_footage_of_before_a_heard_link_cannot_have_a_later_number(bench: Bench) -> None:
    """Else a forger counts on from beyond every number that was heard of; a clock may step back by a minute."""
    manifest = bench.made.manifest
    (heard,) = [link for entry in bench.judged(bench.log).entries for link in entry.heard]
    assert heard.until is not None
    first = manifest.parts[1].start

    def said(number: int, ends_s: float) -> list[str]:
        link = replace(heard, number=number, sha256="0" * 64, until=first + timedelta(seconds=ends_s))
        found = counted_on(manifest, [link])
        return [each.text for each in found]

    assert said(0, 60) == []
    (text,) = said(0, 61)
    assert text.startswith("link 1 of its chain lists footage of before 2027-01-15T08:01:03+00:00")
    assert said(6, 1000) == []
    assert len(said(5, 1000)) == 1
