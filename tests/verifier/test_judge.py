"""verifier.judge"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.package.dataclass_json import to_json
from agent.evidence.package.manifest import CUSTODY, MANIFEST, SIGNATURE, PackageManifest
from agent.wire.signature import canonical
from tests.acceptance.faults.suite import gathered, tried
from tests.support.altered_packages import KINDS, Insider, Subject, altered, insider, misjudged
from tests.support.footage import NOON_S
from tests.support.packages import KINDS as FORMS
from tests.support.packages import Maker, copied, recorded
from tests.support.station_custody import custody_of
from verifier.findings import Fault, PackageVerdict
from verifier.judge import judge
from verifier.report import as_json


@dataclass
class Bench:
    """Packages of one box, and of another camera of it."""

    root: Path
    maker: Maker
    station: Ed25519PrivateKey
    manifests: dict[str, PackageManifest]
    insider: Insider

    def subject(self, form: str, dice: random.Random, to: Path) -> Subject:
        folder = copied(self.root / form, to)
        return Subject(
            folder,
            self.manifests[form],
            self.root / f"later-{form}",
            self.root / f"strange-{form}",
            dice,
            custody=True,
            insider=self.insider,
        )

    def verdict(self, package: Path) -> PackageVerdict:
        return judge(package, self.maker.key.public_key(), self.station.public_key()).verdict


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    root = tmp_path_factory.mktemp("packages")
    maker = Maker(recorded(root / "ring"))
    stranger = Maker(recorded(root / "other ring", "southern"), maker.key)
    station = Ed25519PrivateKey.generate()
    manifests = {}
    for form in FORMS:
        made = maker.write(root / form, NOON_S + 3, NOON_S + 57, form)
        manifests[form] = made.manifest
        (root / form / CUSTODY).write_bytes(custody_of(made, station))
        maker.write(root / f"later-{form}", NOON_S + 104, NOON_S + 127, form)
        stranger.write(root / f"strange-{form}", NOON_S + 3, NOON_S + 57, form)
    yield Bench(root, maker, station, manifests, insider(root / "inside", maker, station, FORMS))
    for each in (maker, stranger):
        each.footage.bench.ring.close()


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_an_untouched_package_is_authentic(bench: Bench, form: str) -> None:
    judgement = judge(bench.root / form, bench.maker.key.public_key(), bench.station.public_key())

    assert (judgement.verdict, judgement.findings) == (PackageVerdict.AUTHENTIC, ())
    assert judgement.manifest == bench.manifests[form]
    assert [entry.act for entry in judgement.custody] == ["received", "verified", "handed_over"]


def test_it_may_be_judged_encrypted_and_decrypted_at_once(bench: Bench, tmp_path: Path) -> None:
    both = copied(bench.root / "encrypted", tmp_path / "both")
    for path in (bench.root / "decrypted").glob("*.mp4"):
        (both / path.name).write_bytes(path.read_bytes())

    assert bench.verdict(both) is PackageVerdict.AUTHENTIC
    (both / "footage-2-00003.age").unlink()
    assert bench.verdict(both) is PackageVerdict.MISSING


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("form", FORMS)
def test_each_alteration_is_found_and_named(bench: Bench, tmp_path: Path, form: str, kind: str) -> None:
    for number in range(8):
        subject = bench.subject(form, random.Random(f"{form}{kind}{number}"), tmp_path / "now")
        done = KINDS[kind](subject)
        if done is None:
            continue
        judgement = judge(subject.folder, bench.maker.key.public_key(), bench.station.public_key())
        found = as_json(judgement)

        assert misjudged(done, found["verdict"], found["findings"]) == "", number


def test_the_judge_of_alterations_can_turn_red(bench: Bench, tmp_path: Path) -> None:
    subject = bench.subject("encrypted", random.Random(7), tmp_path / "now")
    _, done = altered(subject, "flip")
    whole = as_json(judge(bench.root / "encrypted", bench.maker.key.public_key()))

    assert misjudged(done, whole["verdict"], whole["findings"]) == "called authentic"
    assert misjudged(done, "not authentic", []).startswith("does not name")


def test_what_is_missing_is_called_missing_and_no_more(bench: Bench, tmp_path: Path) -> None:
    package = copied(bench.root / "encrypted", tmp_path / "now")
    (package / "footage-1-00004.age").unlink()
    judgement = judge(package, bench.maker.key.public_key())

    assert judgement.verdict is PackageVerdict.MISSING
    assert [(each.fault, each.file) for each in judgement.findings] == [(Fault.MISSING, "footage-1-00004.age")]
    part = next(p for p in bench.manifests["encrypted"].parts if p.cipher_file == "footage-1-00004.age")
    assert (judgement.findings[0].start, judgement.findings[0].end) == (part.start, part.end)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE])
def test_without_manifest_or_signature_it_is_not_signed(bench: Bench, tmp_path: Path, name: str) -> None:
    package = copied(bench.root / "encrypted", tmp_path / "now")
    (package / name).unlink()
    judgement = judge(package, bench.maker.key.public_key())

    assert judgement.verdict is PackageVerdict.NOT_SIGNED
    assert [each.file for each in judgement.findings] == [name]


def test_the_key_of_another_box_is_told_as_that(bench: Bench) -> None:
    judgement = judge(bench.root / "encrypted", Ed25519PrivateKey.generate().public_key())

    assert judgement.verdict is PackageVerdict.NOT_AUTHENTIC
    assert "it is of another box, or somebody else signed it" in judgement.findings[0].text


def test_nothing_is_parsed_that_the_box_did_not_sign(bench: Bench, tmp_path: Path) -> None:
    package = copied(bench.root / "encrypted", tmp_path / "now")
    (package / MANIFEST).write_bytes(b"[" * 1_000_000)

    assert judge(package, bench.maker.key.public_key()).verdict is PackageVerdict.NOT_AUTHENTIC


def test_a_chain_forged_later_with_the_boxs_own_key_contradicts_what_the_station_heard(
    bench: Bench, tmp_path: Path
) -> None:
    forger = Maker(recorded(tmp_path / "ring", seed=5), bench.maker.key)
    made = forger.write(tmp_path / "forged", NOON_S + 3, NOON_S + 57)
    forger.footage.bench.ring.close()
    honest = bench.manifests["encrypted"]
    (tmp_path / "forged" / CUSTODY).write_bytes(custody_of(made, bench.station, heard_of=honest))
    by_box_alone = judge(tmp_path / "forged", bench.maker.key.public_key())
    judgement = judge(tmp_path / "forged", bench.maker.key.public_key(), bench.station.public_key())

    assert by_box_alone.verdict is PackageVerdict.AUTHENTIC  # so much the key is worth
    assert judgement.verdict is PackageVerdict.NOT_AUTHENTIC
    assert "is not the one that the station heard of" in judgement.findings[0].text


def test_a_manifest_that_contradicts_itself_is_not_authentic_whoever_signed_it(
    bench: Bench, tmp_path: Path
) -> None:
    package = copied(bench.root / "encrypted", tmp_path / "now")
    members = to_json(bench.manifests["encrypted"])
    members["gaps"] = []
    data = canonical(members)
    (package / MANIFEST).write_bytes(data)
    (package / SIGNATURE).write_bytes(bench.maker.key.sign(data))
    judgement = judge(package, bench.maker.key.public_key())

    assert judgement.verdict is PackageVerdict.NOT_AUTHENTIC
    assert [each.text for each in judgement.findings] == [
        "the gaps that it lists are not those between its parts"
    ]


def test_a_newer_manifest_is_told_as_that(bench: Bench, tmp_path: Path) -> None:
    package = copied(bench.root / "encrypted", tmp_path / "now")
    data = canonical(json.loads((package / MANIFEST).read_bytes()) | {"version": 2})
    (package / MANIFEST).write_bytes(data)
    (package / SIGNATURE).write_bytes(bench.maker.key.sign(data))
    judgement = judge(package, bench.maker.key.public_key())

    assert "it is of version 2, and this program reads version 1" in judgement.findings[0].text


def test_the_custody_log_needs_the_stations_key(bench: Bench, tmp_path: Path) -> None:
    without = judge(bench.root / "encrypted", bench.maker.key.public_key())
    foreign = judge(
        bench.root / "encrypted", bench.maker.key.public_key(), Ed25519PrivateKey.generate().public_key()
    )

    assert without.notes == ("custody.log was not judged: name the station's key with --station",)
    assert [each.file for each in foreign.findings] == [CUSTODY]


@pytest.mark.long
def test_the_station_vouches_that_the_footage_is_older_than_a_link_that_it_heard_of(bench: Bench) -> None:
    notes = judge(bench.root / "encrypted", bench.maker.key.public_key(), bench.station.public_key()).notes

    assert len(notes) == 1
    assert "the footage was recorded before that" in notes[0]


@pytest.mark.long
def test_a_hole_of_less_than_a_second_is_no_gap(bench: Bench) -> None:
    manifest = bench.manifests["encrypted"]

    assert [(gap.end - gap.start, gap.why) for gap in manifest.gaps] == [(timedelta(seconds=6), "camera_lost")]


@pytest.mark.long
def test_the_promise_of_tampering_is_kept_at_its_smallest_size() -> None:
    verdict = tried(gathered()["P37"], int.from_bytes(os.urandom(4)), "quick")

    assert verdict.outcome == "kept", f"{verdict.measured}; seed {verdict.seed}"
