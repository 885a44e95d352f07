"""A clip on request: asked for at the station, cut at the box, decrypted and judged, with the real programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.evidence.encryption import new_identity
from station.watch.embedded import Address
from tests.support.boxes import NGATU, Box, Station, at_work
from tests.support.brokers import until
from tests.support.real_footage import FPS, Recorded, frames_in, record_into
from tests.support.squares import write_clip

pytestmark = pytest.mark.long

SECONDS = 6


class Site:
    """One box in whose ring lies a film, and its station."""

    def __init__(self, folder: Path, port: int) -> None:
        identity, recipient = new_identity()
        source = f"{{kind: file, path: {write_clip(folder / 'road.mp4')}, loop: true}}"
        cameras = (
            f"  - name: road\n    source: {source}\n    rules: [{{kind: motion, id: movement}}]\n"
            f"    record: {{mode: continuous}}\n"
            f"  - name: yard\n    source: {source}\n    rules: [{{kind: motion, id: movement}}]\n"
        )
        self.box, self.station = Box(folder, port, cameras), Station(folder, port)
        with self.box.config.open("a") as file:
            file.write(f"evidence: {{recipient: {recipient}}}\n")
        self.recorded: Recorded = record_into(folder / "state/evidence", recipient, SECONDS, 300)
        self.folder = folder
        self.station.folder.mkdir()
        handle = os.open(self.station.folder / "footage.key", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(handle, "w") as key:
            key.write(identity + "\n")

    def clip(self, *words: str, camera: str = "road") -> subprocess.CompletedProcess[str]:
        """Ask at the station for all that was recorded."""
        span = ("--from", _iso(self.recorded.from_s), "--to", _iso(self.recorded.to_s))
        why = ("--case", "12/2026", "--purpose", "collision", "--officer", "Lê Văn A")
        return self.ngatu("clip", "test-box-01", camera, *span, *why, *words)

    def ngatu(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on the station's host."""
        file = ("-c", str(self.station.folder / "station.yaml")) if words[0] == "clip" else ()
        return subprocess.run(
            [*NGATU, *words, *file],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "200"},
        )


@pytest.fixture
def site(tmp_path: Path, embedded: Address) -> Iterator[Site]:
    site = Site(tmp_path, embedded.port)
    with at_work(site.station, site.box):
        until(lambda: site.box.accepted() > 0, 60, "the box watches")
        yield site


def test_an_officer_asks_and_gets_a_film_that_proves_itself(site: Site) -> None:
    done = site.clip("--save", str(site.folder / "clip.zip"))

    assert done.returncode == 0, done.stdout + done.stderr
    (package,) = re.findall(r"^authentic: (.+)$", done.stdout, re.MULTILINE)
    films = sorted(Path(package).glob("*.mp4"))
    assert sum(map(frames_in, films)) == SECONDS * FPS
    key = str(Path(package).parent / "box.pub")
    for handed in (package, str(site.folder / "clip.zip")):
        judged = judge(handed, key)
        assert judged.returncode == 0, judged.stdout + judged.stderr
    manifest = json.loads((Path(package) / "manifest.json").read_text())
    lines = [json.loads(line) for line in (site.folder / "state/audit.log").read_text().splitlines()]
    (line,) = [each for each in lines if each["n"] == manifest["request"]["audit_line"]]
    assert line["args"]["case_number"] == manifest["request"]["case_number"] == "12/2026"

    request_id = manifest["request"]["id"]
    assert request_id in site.ngatu("clip", "--list").stdout
    assert site.ngatu("clip", "--release", request_id).returncode == 0
    held = json.loads((site.folder / "state/evidence/holds.json").read_text())
    assert held == []


def test_what_cannot_be_had_is_said_in_words_and_what_there_is(site: Site) -> None:
    unknown = site.clip(camera="north")
    assert unknown.returncode == 2
    assert "test-box-01 has no camera north" in unknown.stderr
    assert "it has road, yard" in unknown.stderr
    assert not (site.station.folder / "footage" / "test-box-01").exists()

    off = site.clip(camera="yard")
    assert off.returncode == 1
    assert "camera yard is not recorded; recorded are: road" in off.stdout


def judge(package: str, key: str) -> subprocess.CompletedProcess[str]:
    """As somebody does who has nothing of ours but the verifier."""
    words = [sys.executable, "-m", "verifier", package, "--key", key]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


def _iso(wall_s: float) -> str:
    return datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds")
