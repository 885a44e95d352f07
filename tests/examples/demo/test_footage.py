"""examples.demo.footage"""

from __future__ import annotations

import base64
import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.evidence.package.manifest import CUSTODY
from agent.wire.signature import private_key
from examples.demo.footage import asked, verified
from station.config import DatabaseSettings
from station.footage.box_keys import record_key
from station.footage.custody import FILE, CustodyBook
from station.starter import starter_file
from station.store.database import engine_of, url_of
from station.store.id_cache import IdCache
from station.store.store import Store
from tests.support.footage import NOON_S
from tests.support.packages import Maker, recorded
from tests.support.station_custody import custody_of

NGATU = (sys.executable, "-m", "agent")
DEVICE = "demo-box-01"
CROSSING = {"camera": "north", "time": "2027-01-15T08:00:40.000Z"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A station that knows one box, and has one package of it."""
    state = tmp_path / "station"
    starter_file(state, "demo", "127.0.0.1", 1883)
    maker = Maker(recorded(tmp_path / "ring"))
    package = state / "footage" / DEVICE / "q-1" / "package"
    made = maker.write(package, NOON_S + 3, NOON_S + 57, "decrypted")
    maker.footage.bench.ring.close()
    CustodyBook(state).public()
    (package / CUSTODY).write_bytes(custody_of(made, private_key(state / FILE)))
    engine = engine_of(url_of(DatabaseSettings(), state))
    with closing(Store(engine, state)), engine.begin() as connection:
        word = base64.b64encode(maker.key.public_key().public_bytes_raw()).decode()
        record_key(connection, IdCache().box_id(connection, ("demo", DEVICE), 1), word, 1)
    return tmp_path


@pytest.mark.long
def test_the_verifiers_word_comes_with_what_can_be_played(folder: Path) -> None:
    found = verified(NGATU, folder, folder / "station" / "station.yaml", DEVICE, CROSSING)

    assert found.answer == "authentic"
    assert found.words[0].startswith("authentic: ")
    package = f"station/footage/{DEVICE}/q-1/package"
    assert found.videos == (
        f"{package}/footage-2.mp4",
        f"{package}/footage-1.mp4",
    )
    assert all((folder / video).stat().st_size > 0 for video in found.videos)
    program, *words = shlex.split(found.command)
    assert Path(program).is_file(), "what is printed can be typed: the environment is on nobody's PATH"
    assert subprocess.run([program, *words], capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.long
def test_a_package_that_was_altered_says_so(folder: Path) -> None:
    video = folder / "station" / "footage" / DEVICE / "q-1" / "package" / "footage-1.mp4"
    video.write_bytes(video.read_bytes()[:-1])
    found = verified(NGATU, folder, folder / "station" / "station.yaml", DEVICE, CROSSING)

    assert found.answer == "not authentic"
    assert found.words[1].startswith("  footage-1.mp4: ")


def test_without_a_package_that_is_said(folder: Path) -> None:
    with pytest.raises(LookupError, match="no package"):
        verified(NGATU, folder, folder / "station" / "station.yaml", "demo-box-02", CROSSING)


@pytest.mark.long
def test_a_broker_that_does_not_answer_is_no_footage(folder: Path) -> None:
    why = asked(NGATU, folder / "station" / "station.yaml", DEVICE, CROSSING)

    assert why is not None
    assert "127.0.0.1:1883" in why
