"""agent.tools.hardware.walk"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.config.schema import Config, parse
from agent.errors import NgatuError
from agent.tools.hardware.checklist import BoardFinding, Checklist, State
from agent.tools.hardware.walk import Patience, guarded, walk
from station.watch.embedded import Address
from tests.agent.tools.hardware.test_storage import interrupted

CLOCK = SystemClock()
QUICK = Patience(heat_s=0.5, camera_s=0.5, hand_s=2.0, power_s=0.2)


@pytest.fixture
def config(tmp_path: Path, numbered_clip: Callable[..., Path], embedded: Address) -> Config:
    """A box with a clip, a USB camera that is not there, and a broker."""
    return parse(
        f"""
device: {{commune: hai-ninh, id: check-03}}
broker: {{host: {embedded.host}, port: {embedded.port}, connect_timeout_s: 5}}
state_dir: {tmp_path / "state"}
cameras:
  - {{name: north, source: {{kind: file, path: {numbered_clip()}}}}}
  - {{name: east, source: {{kind: usb, device: /dev/v4l/by-id/usb-none-video-index0}}}}
""".encode(),
        "box.yaml",
    )


class Technician:
    """Does what is asked, or not."""

    def __init__(self, willing: bool, does: Callable[[], object] = lambda: None) -> None:
        self.willing, self._does = willing, does
        self.heard: list[str] = []
        self.waited = threading.Event()

    def asked(self, what: str, then: str) -> bool:
        assert then
        self.heard.append(what)
        return self.willing

    def now(self) -> None:
        self.heard.append("now")

    def waits(self, for_s: float) -> None:
        self._does()
        self.waited.wait(for_s)


def walked(
    config: Config, folder: Path, person: Technician | None = None, **more: object
) -> dict[str, BoardFinding]:
    folder.mkdir(exist_ok=True)
    before = more.pop("before", Checklist())
    found = walk(config, CLOCK, before, folder, person, QUICK, **more)  # type: ignore[arg-type]
    return {finding.item: finding for finding in found}


MEASURED = [
    "clock", "battery clock", "network", "broker", "keys", "watchdog", "storage", "wear", "cameras", "encoder",
    "frames north", "frames east", "heat", "throttling",
]  # fmt: skip
BY_HAND = ["unplug east", "cover east", "power"]


def test_without_a_person_all_is_measured_and_the_rest_is_listed(config: Config, tmp_path: Path) -> None:
    found = walked(config, tmp_path / "hardware")
    assert list(found) == MEASURED + BY_HAND
    assert {found[item].state for item in BY_HAND} == {State.OPEN}
    assert all(found[item].found and "terminal" in found[item].hint for item in BY_HAND)
    assert found["frames north"].state in (State.OK, State.WARNING)  # a busy machine gives fewer pictures
    assert "320×240 h264" in found["frames north"].found
    assert found["frames east"].state is State.FAILED and "no camera at" in found["frames east"].found
    assert found["broker"].state is State.OK and "MQTT 5" in found["broker"].found
    assert found["storage"].state in (State.OK, State.WARNING)
    assert list((tmp_path / "hardware").iterdir()) == []


def test_what_somebody_will_not_do_now_stays_open(config: Config, tmp_path: Path) -> None:
    person = Technician(willing=False)
    found = walked(config, tmp_path / "hardware", person)
    assert len(person.heard) == 3 and {found[item].state for item in BY_HAND} == {State.OPEN}


def test_what_somebody_claims_to_have_done_is_not_believed(config: Config, tmp_path: Path) -> None:
    found = walked(config, tmp_path / "hardware", Technician(willing=True))
    assert found["unplug east"].state is State.FAILED, "it never came back"
    assert found["cover east"].state is State.FAILED
    assert found["power"].state is State.OPEN and "did not lose its power" in found["power"].found


@pytest.mark.long
def test_the_power_cut_is_verified_by_the_walk_after_it(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hardware"
    folder.mkdir()
    interrupted(folder, "the boot before")
    found = walked(config, folder)
    assert found["power"].state is State.OK and found["power"].measured["how"] == "power_lost"
    before = Checklist()
    before.add(found["power"], CLOCK.now())
    assert walked(config, folder, before=before)["power"] == before.findings["power"], "once is enough"
    person = Technician(willing=False)
    assert walked(config, folder, person, before=before, again=True)["power"].state is State.OPEN


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NgatuError("no such thing", "get one"), "no such thing"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (RuntimeError("first\nsecond rtsp://u:hunter2@h/x"), "RuntimeError: first second rtsp://…@h/x"),
    ],
)
def test_an_item_that_breaks_is_one_line_and_the_walk_goes_on(error: Exception, words: str) -> None:
    def breaks() -> BoardFinding:
        raise error

    found = guarded("wear", "Storage", breaks)
    assert (found.item, found.title, found.state, found.found) == ("wear", "Storage", State.FAILED, words)


def test_a_folder_that_may_not_be_written_is_a_failed_item(config: Config, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        folder = Path("/proc/1")
    else:
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o500)
    assert walked(config, folder)["storage"].state is State.FAILED
