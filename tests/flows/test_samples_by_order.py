"""Frames for training by order: ordered at the station, sent over a link that breaks, made a data set of."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from agent.evidence.encryption import Recipients, new_identity
from agent.evidence.samples.settings import SamplesSettings
from tests.support.boxes import NGATU, Box, Station, at_work
from tests.support.brokers import Mosquitto, until
from tests.support.cable import Cable
from tests.support.kept_samples import Opened, chosen, jpeg, sample

BY_ORDER = "samples: {enabled: true, purpose: better, legal_basis: Decision 12, by_order: true}\n"
FRAMES = 40
WHY = ("--purpose", "a better detector", "--officer", "Lê Văn A")

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(500)]


class Site:
    """One box on whose disk frames lie, behind a cable, and its station."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self._port = folder, port
        self.cable = Cable("127.0.0.1", port)
        self.box, self.station = Box(folder, self.cable.port), Station(folder, port)
        self.station.folder.mkdir()
        self.key = folder / "command.key"
        self.request: dict[str, Any] = {}

    def configure(self, more: str) -> None:
        with self.box.config.open("a") as file:
            file.write(more)

    def keep(self, count: int, recipient: str | None = None) -> None:
        """So many frames lie on the box, of the last minutes; of forty in an hour it adds none itself."""
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        settings: SamplesSettings = chosen(max_mb=100)
        opened = Opened(state, settings, None if recipient is None else Recipients(recipient))
        store, now_ms = opened.open(), int(time.time() * 1000)
        for number in range(count):
            name, note = sample(number)
            taken_ms = now_ms - 600_000 + number * 1000
            assert store.keep(replace(name, taken_ms=taken_ms), note, jpeg(60_000))
        opened.close()

    def sealed(self) -> str:
        """The station has a key for what boxes encrypt; its public half."""
        identity, recipient = new_identity()
        handle = os.open(self.station.folder / "footage.key", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w") as key:
            key.write(identity + "\n")
        self.configure(f"evidence: {{recipient: {recipient}}}\n")
        return recipient

    def signs(self) -> None:
        """The box does only what is signed with this key."""
        key = Ed25519PrivateKey.generate()
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.key.chmod(0o600)
        public = self.folder / "command.pub"
        public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        self.configure(f"commands: {{key: {public}}}\n")

    def order(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on the station's host."""
        return self.ngatu("station", "samples", *words, "-c", str(self.station.folder / "station.yaml"))

    def ngatu(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*NGATU, *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "300"},
        )

    def mend(self) -> None:
        """Another cable where the one lay that was cut."""
        self.cable = Cable("127.0.0.1", self._port, self.cable.port)

    def folder_of(self, order_id: str) -> Path:
        return self.station.folder / "samples/test-box-01" / order_id

    def arrived(self, order_id: str) -> int:
        """Bytes at the station."""
        try:
            return int(json.loads((self.folder_of(order_id) / "state.json").read_text())["arrived_bytes"])
        except FileNotFoundError:
            return 0

    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "state/audit.log").read_text().splitlines()]

    def handed_over(self) -> list[dict[str, Any]]:
        return [each for each in self.audit() if each.get("samples") == "handed_over"]


@pytest.fixture
def site(tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]) -> Iterator[Site]:
    site = Site(tmp_path, start_mosquitto().port)
    yield site
    site.cable.cut()


def watched(site: Site) -> None:
    until(lambda: site.box.accepted() > 0, 120, "the box watches")


def test_frames_come_over_a_link_that_breaks_while_box_and_station_start_again(site: Site) -> None:
    site.configure(BY_ORDER)
    site.keep(FRAMES, site.sealed())
    with at_work(site.station, site.box):
        watched(site)
        asked = site.order("test-box-01", *WHY, "--no-wait")
        assert asked.returncode == 0, asked.stdout + asked.stderr
        order_id = asked.stdout.split(":")[0]
        assert f'"frames": {FRAMES}' in asked.stdout

        until(lambda: site.arrived(order_id) > 0, 120, "the first pieces are here")
        site.cable.cut()
        site.box.kill()
        site.station.end()
        early = site.arrived(order_id)
        site.mend()
        site.box.start()
        site.station.start()
        done = site.order("--request", order_id)
        # The station has it before the box hears so.
        until(site.handed_over, 60, "the box has noted that they are there")

    assert done.returncode == 0, done.stdout + done.stderr
    package = site.folder_of(order_id) / "package"
    assert f"authentic: {package}" in done.stdout
    on_the_box = {each.name: each.read_bytes() for each in (site.folder / "state/samples").iterdir()}
    here = {each.name: each.read_bytes() for each in package.glob("*.sample.age")}
    assert len(here) == FRAMES
    assert here.items() <= on_the_box.items()
    assert 0 < early < sum(map(len, here.values())), "it was in the middle of them"
    (line,) = site.handed_over()
    assert (line["request"], line["frames"], line["left_out"]) == (order_id, FRAMES, 0)
    (begun,) = [each for each in site.audit() if (each.get("verb"), each.get("state")) == ("samples", "begun")]
    assert (begun["id"], begun["args"]["officer"]) == (order_id, "Lê Văn A")
    assert "Lê Văn A (" in (package / "custody.log").read_text()

    dataset = site.folder / "dataset"
    without = site.ngatu("samples", "open", str(package), str(dataset))
    assert without.returncode == 2
    assert "the frames in it are encrypted" in without.stderr
    key = site.station.folder / "footage.key"
    opened = site.ngatu("samples", "open", str(package), str(dataset), "--key", str(key))
    assert opened.returncode == 0, opened.stdout + opened.stderr
    assert len(json.loads((dataset / "instances.json").read_text())["images"]) == FRAMES
    assert order_id in site.order("--list").stdout


def test_only_a_signed_order_has_frames_sent_and_what_is_not_encrypted_needs_no_key(site: Site) -> None:
    site.configure(BY_ORDER)
    site.signs()
    site.keep(2)
    with at_work(site.station, site.box):
        watched(site)
        unsigned = site.order("test-box-01", *WHY)
        signed = site.order("test-box-01", "--since", "2h", "--most", "1", *WHY, "--key", str(site.key))

    assert unsigned.returncode == 1
    assert "unsigned: this box does only what its station has signed" in unsigned.stdout
    assert signed.returncode == 0, signed.stdout + signed.stderr
    (package,) = (site.station.folder / "samples/test-box-01").glob("*/package")
    assert len([*package.glob("*.sample")]) == 1
    opened = site.ngatu("samples", "open", str(package), str(site.folder / "dataset"))
    assert opened.returncode == 0, opened.stdout + opened.stderr


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("", "samples.enabled is false"),
        (BY_ORDER.replace(", by_order: true", ""), "by stick only: samples.by_order is false"),
    ],
)
def test_a_box_that_may_not_says_why(site: Site, more: str, why: str) -> None:
    site.configure(more)
    site.keep(1)
    with at_work(site.station, site.box):
        watched(site)
        asked = site.order("test-box-01", *WHY)

    assert asked.returncode == 1, asked.stderr
    assert why in asked.stdout
    assert not [*(site.station.folder / "samples").glob("*/*/package")]
