"""P37: a package of footage that was altered is found so, and each file and range is named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.package.manifest import CUSTODY, PackageManifest
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.altered_packages import KINDS, Alteration, Insider, Subject, altered, insider, misjudged
from tests.support.footage import NOON_S
from tests.support.packages import KINDS as FORMS
from tests.support.packages import Maker, Replica, pem, recorded
from tests.support.station_custody import custody_of
from verifier.judge import judge
from verifier.report import as_json

COMMAND_EACH = 100
"""Of so many packages one goes to the real command in a process of its own."""


@dataclass
class Room:
    """What is altered: packages of one box, encrypted and decrypted, and what an enemy may take parts from."""

    folder: Path
    maker: Maker
    station: Ed25519PrivateKey
    manifests: dict[str, PackageManifest]
    insider: Insider
    replicas: dict[str, Replica]
    """By the package's form: where each is altered."""

    def subject(self, trial: Trial, number: int) -> Subject:
        dice = trial.chance(number)
        form = dice.choice(FORMS)
        package = self.replicas[form].of(self.folder / form)
        other, stranger = self.folder / f"later-{form}", self.folder / f"strange-{form}"
        return Subject(package, self.manifests[form], other, stranger, dice, custody=True, insider=self.insider)

    def judged(self, package: Path) -> dict[str, Any]:
        return as_json(judge(package, self.maker.key.public_key(), self.station.public_key()))

    def by_command(self, package: Path) -> dict[str, Any]:
        words = [sys.executable, "-m", "verifier", str(package), "--json"]
        words += ["--key", str(self.folder / "box.pub"), "--station", str(self.folder / "station.pub")]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.stderr or done.returncode not in (0, 1):
            raise Broken(f"exit {done.returncode}: {done.stderr[-300:]}")
        found: dict[str, Any] = json.loads(done.stdout)
        if (found["verdict"] == "authentic") != (done.returncode == 0):
            raise Broken(f"{found['verdict']}, and exit {done.returncode}")
        return found


def furnished(folder: Path) -> Room:
    """A minute of real footage in a real ring, and the packages made of it."""
    maker = Maker(recorded(folder / "ring"))
    stranger = Maker(recorded(folder / "another ring", "southern"), maker.key)
    station = Ed25519PrivateKey.generate()
    replicas = {form: Replica(folder / f"now-{form}") for form in FORMS}
    room = Room(folder, maker, station, {}, insider(folder / "inside", maker, station, FORMS), replicas)
    for form in FORMS:
        made = maker.write(folder / form, NOON_S + 3, NOON_S + 57, form)
        room.manifests[form] = made.manifest
        (folder / form / CUSTODY).write_bytes(custody_of(made, room.station))
        maker.write(folder / f"later-{form}", NOON_S + 104, NOON_S + 127, form)
        stranger.write(folder / f"strange-{form}", NOON_S + 3, NOON_S + 57, form)
    (folder / "box.pub").write_bytes(pem(maker.key))
    (folder / "station.pub").write_bytes(pem(room.station))
    for each in (maker, stranger):
        each.footage.bench.ring.close()
    return room


@promise(
    "P37",
    "packages of real footage are altered in 40 ways: cut, swapped, re-timed, forged with the box's own key, …",
    "every one is found, its files and time ranges named, nothing else accused; untouched ones are authentic",
    minutes=4,
    patient=True,
)  # fmt: skip
def tampering(trial: Trial) -> str:
    room = furnished(trial.folder)
    _untouched(room)
    count, kinds = trial.size(10_000, 100_000, quick=400), Counter[str]()
    spent = 0.0
    for number in range(count):
        subject = room.subject(trial, number)
        kind, done = altered(subject)
        began = time.monotonic()
        found = room.by_command(subject.folder) if number % COMMAND_EACH == 0 else room.judged(subject.folder)
        spent += time.monotonic() - began
        if wrong := misjudged(done, found["verdict"], found["findings"]):
            raise Broken(f"number {number}, {kind}: {wrong}")
        kinds[kind] += 1
    if not trial.size_of == "quick" and set(kinds) != set(KINDS):
        raise Broken(f"never done: {sorted(set(KINDS) - set(kinds))}")
    _turns_red(room, trial)
    return (
        f"{count} of {count} found and named, of {len(kinds)} kinds; 2 untouched ones authentic; "
        f"{spent / count * 1000:.0f} ms each"
    )


def _untouched(room: Room) -> None:
    for form in FORMS:
        for found in (room.judged(room.folder / form), room.by_command(room.folder / form)):
            if found["verdict"] != "authentic" or found["findings"]:
                raise Broken(f"an untouched package is {found['verdict']}: {found['findings'][:2]}")


def _turns_red(room: Room, trial: Trial) -> None:
    """The planted fault: a verifier that hashes no footage calls altered footage authentic, and is caught."""
    subject = room.subject(trial, -1)
    name = subject.footage[-1]
    data = bytearray((subject.folder / name).read_bytes())
    data[-1] ^= 1
    blind = room.judged(room.folder / ("encrypted" if subject.encrypted else "decrypted"))
    done = Alteration(frozenset({name}), subject.parts_at(name, len(data) - 1, len(data)))
    if not misjudged(done, blind["verdict"], blind["findings"]):
        raise Broken("a verifier that saw nothing passed")
    shutil.rmtree(subject.folder)
