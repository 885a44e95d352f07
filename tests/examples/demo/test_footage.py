"""examples.demo.footage"""

from __future__ import annotations

import base64
import shlex
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.demo.footage import HAND_TO, HANDED_OVER, asked, verified
from station.config import DatabaseSettings
from station.footage.box_keys import record_key
from station.footage.folder import RequestFolder
from station.footage.save import save
from station.starter import starter_file
from station.store.database import engine_of, url_of
from station.store.id_cache import IdCache
from station.store.store import Store
from tests.support.judged_packages import DEVICE, JudgedPackages

NGATU = (sys.executable, "-m", "agent")
CROSSING = {"camera": "north", "time": "2027-01-15T08:00:40.000Z"}


@dataclass
class Demo:
    """The folder of a demo: a station that knows one box, and has one package of it."""

    folder: Path
    packages: JudgedPackages
    request: RequestFolder

    @property
    def station(self) -> Path:
        return self.folder / "station" / "station.yaml"

    def hand_over(self) -> None:
        save(self.request, self.folder / HANDED_OVER, self.packages.custody, "lan", HAND_TO)


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    packages = JudgedPackages(tmp_path)
    made = Demo(tmp_path, packages, packages.here())
    packages.close()
    state = tmp_path / "station"
    starter_file(state, "demo", "127.0.0.1", 1883)
    engine = engine_of(url_of(DatabaseSettings(), state))
    with closing(Store(engine, state)), engine.begin() as connection:
        word = base64.b64encode(packages.maker.key.public_key().public_bytes_raw()).decode()
        record_key(connection, IdCache().box_id(connection, ("demo", DEVICE), 1), word, 1)
    return made


@pytest.mark.long
def test_the_verifiers_word_comes_with_what_can_be_played(demo: Demo) -> None:
    demo.hand_over()
    found = verified(NGATU, demo.folder, demo.station, DEVICE, CROSSING)

    assert found.answer == "authentic"
    assert found.words[0].startswith("authentic: ")
    assert any(HAND_TO in line for line in found.words), "to whom it was handed over"
    assert found.package == HANDED_OVER
    package = demo.request.package.relative_to(demo.folder).as_posix()
    assert found.videos == (f"{package}/footage-2.mp4", f"{package}/footage-1.mp4")
    assert all((demo.folder / video).stat().st_size > 0 for video in found.videos)
    program, *words = shlex.split(found.command)
    assert Path(program).is_file(), "what is printed can be typed: the environment is on nobody's PATH"
    assert subprocess.run([program, *words], capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.long
def test_a_package_that_was_altered_says_so(demo: Demo) -> None:
    video = demo.request.package / "footage-1.mp4"
    video.write_bytes(video.read_bytes()[:-1])
    demo.hand_over()
    found = verified(NGATU, demo.folder, demo.station, DEVICE, CROSSING)

    assert found.answer == "not authentic"
    assert found.words[1].startswith("  footage-1.mp4: ")


def test_without_a_package_that_is_said(demo: Demo) -> None:
    demo.hand_over()
    with pytest.raises(LookupError, match="no package"):
        verified(NGATU, demo.folder, demo.station, "demo-box-02", CROSSING)


def test_what_was_not_handed_over_is_no_package(demo: Demo) -> None:
    with pytest.raises(LookupError, match="no package"):
        verified(NGATU, demo.folder, demo.station, DEVICE, CROSSING)


@pytest.mark.long
def test_a_broker_that_does_not_answer_is_no_footage(demo: Demo) -> None:
    why = asked(NGATU, demo.folder, demo.station, DEVICE, CROSSING)

    assert why is not None
    assert "127.0.0.1:1883" in why
    assert not (demo.folder / HANDED_OVER).exists()
