"""verifier.report"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.evidence.open_recording import NOT_RUNNING, NOTHING_CAME, STOPPED
from agent.evidence.package.manifest import CUSTODY, MANIFEST, SIGNATURE, PackageManifest
from agent.language import translated
from agent.wire.signature import canonical
from agent.workers.footage.recorder import CAMERA_LOST, DISK_FAILED, HOLES, NO_EVENT, NOT_READY, TOO_SLOW
from tests.support.footage import NOON_S
from tests.support.packages import Maker, copied, members, recorded
from tests.support.station_custody import custody_of
from verifier.findings import Fault, PackageFinding, judged
from verifier.judge import judge
from verifier.report import MAX_LINES, as_json, lines


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Maker, Path]]:
    root = tmp_path_factory.mktemp("package")
    maker = Maker(recorded(root / "ring"))
    signed = maker.write(root / "whole", NOON_S + 3, NOON_S + 57, "decrypted")
    (root / "whole" / CUSTODY).write_bytes(custody_of(signed, maker.key))
    yield maker, root / "whole"
    maker.footage.bench.ring.close()


def report(maker: Maker, package: Path) -> str:
    key = maker.key.public_key()
    return "\n".join(lines(judge(package, key, key)))


def test_a_person_reads_what_it_is_in_the_time_of_the_place(made: tuple[Maker, Path]) -> None:
    text = report(*made)

    assert text.startswith("authentic: everything that the box signed is there")
    for said in (
        "camera north of box thanh-xuan/pole-7",
        "asked for: 2027-01-15 15:00:03.000+07:00 to 15:00:57.000",
        "by Nguyễn Văn A, case 12/2026: collision at the junction",
        "recorded: 50.0 s in 2 files, 25 parts",
        "not recorded: 2027-01-15 15:00:30.000+07:00 to 15:00:36.000: the camera gave no pictures",
        "clock: kept by ntp; 2027-01-15 15:00:00.000+07:00 is 100.000 s of boot boot-1",
        "ordered by the command cccccccccccccccc, signed with the key dddddddddddddddd",
        "recorded as the camera sent it; masks: none",
        "made by ngatu 0.1.0, its configuration then aaaaaaaaaaaaaaaa, its detector then yolov3-tiny-416",
        "package made 2027-01-15 16:00:00.000+07:00; the clock then: kept by ntp",
        "handed over 2027-01-15 18:04:00.000+07:00, by Trần Thị B: to the investigator of case 12/2026",
    ):
        assert said in text


SAID = [NO_EVENT, TOO_SLOW, NOT_READY, DISK_FAILED, CAMERA_LOST, STOPPED, NOT_RUNNING, NOTHING_CAME,
        *HOLES.values()]  # fmt: skip
"""What a box says of a hole; each of the manifest's gaps has one of these, or several."""


@pytest.mark.parametrize("why", [*SAID, f"{NOT_RUNNING}; {CAMERA_LOST}"])
def test_why_nothing_was_recorded_is_told_in_the_language_of_whoever_reads(
    made: tuple[Maker, Path], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    maker, whole = made
    key = maker.key.public_key()
    judgement = judge(whole, key, key)
    assert judgement.manifest is not None
    manifest = judgement.manifest
    gaps = tuple(replace(gap, why=why) for gap in manifest.gaps)
    altered = replace(judgement, manifest=replace(manifest, gaps=gaps))
    (english,) = [line for line in lines(altered) if "not recorded: " in line]
    assert english.endswith(f": {why}")
    monkeypatch.setenv("LANGUAGE", "vi")
    vietnamese = translated(english)
    assert not any(each in vietnamese for each in why.split("; "))


def test_what_is_wrong_stands_second_with_file_bytes_and_range(
    made: tuple[Maker, Path], tmp_path: Path
) -> None:
    maker, whole = made
    package = copied(whole, tmp_path / "now")
    data = bytearray((package / "footage-2.mp4").read_bytes())
    data[-5] ^= 1
    (package / "footage-2.mp4").write_bytes(data)
    first, second, *rest = report(maker, package).splitlines()

    assert first == "not authentic: something is not what the box signed"
    assert second.startswith("  footage-2.mp4: is not what the box recorded, bytes ")
    assert second.endswith(", footage 2027-01-15 15:00:56.000+07:00 to 15:00:58.000")
    assert any("=XXX| 15:00:58.000" in line for line in rest)


def test_each_word_is_translated(made: tuple[Maker, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    maker, whole = made
    monkeypatch.setenv("LANGUAGE", "vi")
    key = maker.key.public_key()
    text = "\n".join(map(translated, lines(judge(whole, key, key))))

    assert text.startswith("xác thực")
    assert not any(word in text for word in ("recorded", "asked", "camera north of", "clock", "handed"))


def test_what_somebody_wrote_steers_no_terminal(made: tuple[Maker, Path]) -> None:
    maker, whole = made
    judgement = judge(whole, maker.key.public_key())
    assert judgement.manifest is not None
    evil = replace(judgement.manifest.request, officer="\x1b[2J", case_number="\r\n1", purpose="\u202e")
    manifest: PackageManifest = replace(judgement.manifest, request=evil)
    finding = PackageFinding(Fault.FOREIGN, "\x1b]52", "nobody signed it")

    text = "".join(lines(judged([finding], manifest)))
    assert not any(mark in text for mark in ("\x1b", "\r", "\u202e"))


def test_of_very_many_findings_json_has_all(made: tuple[Maker, Path]) -> None:
    many = judged(
        [PackageFinding(Fault.FOREIGN, str(number), "nobody signed it") for number in range(1000)], None
    )

    assert len(list(lines(many))) == MAX_LINES + 2
    assert len(as_json(many)["findings"]) == 1000


def test_a_program_reads_english_and_utc(made: tuple[Maker, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    maker, whole = made
    monkeypatch.setenv("LANGUAGE", "vi")
    found = json.loads(json.dumps(as_json(judge(whole, maker.key.public_key(), maker.key.public_key()))))

    assert (found["verdict"], found["findings"]) == ("authentic", [])
    assert found["package"]["request"]["start"] == "2027-01-15T08:00:03.000Z"
    assert found["package"]["parts"] == 27
    assert [each["act"] for each in found["custody"]] == ["received", "verified", "handed_over"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("rtc", "kept by rtc"),
        ("corrected", "nobody vouched for it at first; put right later in the same boot"),
        ("floor", "nobody vouched for it"),
        ("\x1b[2J", "nobody vouched for it"),
    ],
)
def test_it_says_how_far_each_clock_can_be_believed(made: tuple[Maker, Path], state: str, said: str) -> None:
    maker, whole = made
    manifest = judge(whole, maker.key.public_key()).manifest
    assert manifest is not None
    clocks = tuple(replace(each, state=state) for each in manifest.facts.clocks)
    facts = replace(manifest.facts, clocks=clocks, made_clock=state)
    text = "\n".join(lines(judged([], replace(manifest, facts=facts))))

    assert f"  clock: {said}; 2027-01-15 15:00:00.000+07:00 is" in text
    assert f"  package made 2027-01-15 16:00:00.000+07:00; the clock then: {said}\n" in f"{text}\n"


STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
EXTREMES: tuple[object, ...] = (
    None, 0, -1, -100, 10**9, 2**53 - 1, -(2**53) + 1, 1e300, -0.5, "", "x", [], {},
    "\x1b[2J\x1b[Hauthentic", "\u202eauthentic", {"\x1b[2J": 1}, {"\x1b[2J": "\x1b[2J"},
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z",
)  # fmt: skip


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Each place in a JSON value; of a list its first and its last."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from places(each, (*path, name))
    elif isinstance(value, list) and value:
        for index in {0, len(value) - 1}:
            yield from places(value[index], (*path, index))


@pytest.mark.long
def test_nothing_that_the_box_may_sign_breaks_the_verifier_or_steers_a_terminal(
    made: tuple[Maker, Path], tmp_path: Path
) -> None:
    maker, whole = made
    package = copied(whole, tmp_path / "now")
    text = (package / MANIFEST).read_text(encoding="utf-8")
    key = maker.key.public_key()
    tried = 0
    for place in places(members(package)):
        for value in EXTREMES:
            changed: Any = json.loads(text)
            *above, last = place
            at = changed
            for name in above:
                at = at[name]
            at[last] = value
            data = canonical(changed)
            (package / MANIFEST).write_bytes(data)
            (package / SIGNATURE).write_bytes(maker.key.sign(data))
            for station in (None, key) if tried % 8 == 0 else (key,):
                judgement = judge(package, key, station)
                said = [translated(each) for each in lines(judgement)]
                steers = [each for each in said if STEERING.search(each)]

                assert not steers, (place, value)
                assert json.loads(json.dumps(as_json(judgement)))["verdict"] == str(judgement.verdict)
            tried += 1
    assert tried > 2000
