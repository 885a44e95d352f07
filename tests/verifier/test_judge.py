"""verifier.judge"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.clips.cut import Cutter, write
from agent.evidence.package.consistency import contradictions
from agent.evidence.package.dataclass_json import to_json
from agent.evidence.package.manifest import CUSTODY, MANIFEST, SIGNATURE, PackageManifest, coverage
from agent.wire.signature import canonical
from tests.acceptance.faults.suite import gathered, tried
from tests.support.altered_packages import KINDS, Insider, Subject, altered, insider, misjudged
from tests.support.clip_bench import BOX_KEY, facts, wanted
from tests.support.footage import NOON_S
from tests.support.packages import KINDS as FORMS
from tests.support.packages import Footage, Maker, copied, fragments, pem, recorded
from tests.support.station_custody import custody_of
from verifier.findings import Fault, Judgement, PackageVerdict
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


STEPS = [0.7, -0.7, 5.0, -5.0, 30.0, -30.0, 90.0, -90.0, 40 * 86_400.0, -40 * 86_400.0]


@dataclass
class SteppedBox:
    """A box whose clock was set while it recorded one run of a minute, in the middle of a segment."""

    root: Path
    step_s: float
    vouched: tuple[str, str] = ("ntp", "ntp")
    wrong_s: float = 0.0

    def __post_init__(self) -> None:
        self.footage = Footage(self.root / "ring")
        clock, pieces = self.footage.bench.clock, fragments(7, 30)
        clock.state, clock.wall_s = self.vouched[0], clock.wall_s + self.wrong_s
        self.footage.record("run-a", pieces[:9])
        clock.state, clock.wall_s = self.vouched[1], clock.wall_s + self.step_s
        self.footage.go_on("run-a", pieces[9:])
        self.footage.bench.ring.cut("north")
        if self.vouched[1] == "ntp":
            self.footage.bench.ring.note_clock(clock.now())
        ring = self.footage.bench.ring
        self.cutter = Cutter(lambda: ring.index, facts, BOX_KEY)

    def judged(self, from_s: float, to_s: float) -> tuple[Judgement, int]:
        """The judgement of a package of so many seconds after noon, and how many pictures' pieces it has."""
        clip = self.cutter.cut(wanted("01a2", from_s, to_s))
        assert clip is not None
        package = self.root / f"{from_s:.0f} to {to_s:.0f}"
        package.mkdir()
        write(self.cutter, clip, package, lambda _done, _all: None)
        return judge(package, BOX_KEY.public_key()), sum(part.number > 0 for part in clip.manifest.parts)


@pytest.fixture
def stepped(tmp_path: Path) -> Iterator[Callable[..., SteppedBox]]:
    made: list[SteppedBox] = []

    def make(step_s: float, *vouched: str, wrong_s: float = 0.0) -> SteppedBox:
        made.append(SteppedBox(tmp_path, step_s, vouched or ("ntp", "ntp"), wrong_s))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.footage.bench.ring.close()


@pytest.mark.parametrize("step_s", STEPS)
def test_a_package_over_a_step_of_the_clock_is_authentic_and_says_the_step(
    stepped: Callable[..., SteppedBox], step_s: float
) -> None:
    box = stepped(step_s)
    judgement, pieces = box.judged(min(0.0, step_s) - 5, max(60.0, 60 + step_s) + 5)

    assert (judgement.verdict, judgement.findings) == (PackageVerdict.AUTHENTIC, ())
    assert pieces == 30, "nothing is lost for a step"
    assert judgement.notes == (() if abs(step_s) < 2 else (
        f"while it recorded the box's clock was set by {step_s:+.0f} s at 2027-01-15T08:00:16+00:00: "
        "a step forward looks like a gap, and after a step back some time is there twice",
    ))  # fmt: skip


@pytest.mark.parametrize("step_s", STEPS)
@pytest.mark.parametrize(("from_s", "to_s"), [(3, 57), (1, 9), (12, 20)])
def test_a_range_beside_a_step_has_all_that_the_clock_showed_of_it(
    stepped: Callable[..., SteppedBox], step_s: float, from_s: float, to_s: float
) -> None:
    begins = [2.0 * at + (step_s if at >= 8 else 0.0) for at in range(30)]
    wanted_s = [at for at in begins if at < to_s and at + 2 > from_s]
    judgement, pieces = stepped(step_s).judged(from_s, to_s)

    assert (judgement.verdict, judgement.findings) == (PackageVerdict.AUTHENTIC, ())
    assert pieces == len(wanted_s)
    manifest = judgement.manifest
    assert manifest is not None
    noon = datetime.fromtimestamp(NOON_S, UTC)
    assert [(part.start - noon).total_seconds() for part in manifest.parts if part.number] == pytest.approx(
        wanted_s
    )


@pytest.mark.parametrize("unsure", ["floor", "unknown"])
@pytest.mark.parametrize("step_s", [5.0, -7.0, 1e6, -1e6])
def test_a_clock_that_is_known_in_the_middle_of_a_segment_is_told_as_a_correction(
    stepped: Callable[..., SteppedBox], unsure: str, step_s: float
) -> None:
    judgement, pieces = stepped(step_s, unsure, "ntp", wrong_s=-step_s).judged(-5, 65)

    assert (judgement.verdict, judgement.findings, pieces) == (PackageVerdict.AUTHENTIC, (), 30)
    assert judgement.notes == (
        f"the package gives times {step_s:.0f} s away from those that the clock showed while it recorded",
    )


def test_whoever_leaves_out_footage_of_the_range_beside_a_step_back_is_found(
    stepped: Callable[..., SteppedBox],
) -> None:
    box = stepped(-30.0)
    clip = box.cutter.cut(wanted("01a2", 3, 57))
    assert clip is not None
    parts = clip.manifest.parts
    assert contradictions(clip.manifest) == ()
    turn = next(
        at for at, part in enumerate(parts) if part.number and part.start < parts[at - 1].start and at > 1
    )
    for gone in (turn - 1, turn):  # the last before the step, and the first after it
        kept = [part for at, part in enumerate(parts) if at != gone]
        counted = tuple(replace(part, number=at) for at, part in enumerate(kept))
        shorter = replace(clip.manifest, parts=counted, covered=coverage(counted))
        said = contradictions(replace(shorter, gaps=clip.manifest.gaps))
        assert any("something is left out" in each for each in said), gone


@pytest.mark.long
def test_the_command_says_the_step_in_both_languages(
    stepped: Callable[..., SteppedBox], tmp_path: Path
) -> None:
    box = stepped(-30.0)
    box.judged(3, 57)
    key = tmp_path / "box.pub"
    key.write_bytes(pem(BOX_KEY))
    for language, word in (("en", "was set by -30 s"), ("vi", "-30 giây")):
        done = subprocess.run(
            [sys.executable, "-m", "agent", "verify", tmp_path / "3 to 57", "--key", key],
            capture_output=True, check=False, encoding="utf-8",
            env={**os.environ, "LANGUAGE": language, "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        assert done.returncode == 0
        assert word in done.stdout
