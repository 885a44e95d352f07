"""agent.tools.hardware.storage"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.tools.hardware import storage
from agent.tools.hardware.checklist import State
from tests.support.disks import small_disk


class SlowDisk:
    """A clock by which every second look comes so much later."""

    def __init__(self, slow_s: float) -> None:
        self._slow_s, self._mono_s = slow_s, 0.0

    def now(self) -> Instant:
        self._mono_s += self._slow_s
        return Instant(self._mono_s, self._mono_s)


def test_a_disk_is_written_to_and_left_as_it_was(tmp_path: Path) -> None:
    found = storage.speed(tmp_path, SystemClock())
    assert float(found.measured["bulk_mb_s"] or 0) > 0
    assert float(found.measured["sync_p50_ms"] or 0) <= float(found.measured["sync_max_ms"] or 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("slow_s", "state"), [(0.01, State.OK), (0.6, State.WARNING)])
def test_a_sync_that_takes_half_a_second_is_told(tmp_path: Path, slow_s: float, state: State) -> None:
    assert storage.speed(tmp_path, SlowDisk(slow_s)).state is state


def test_a_disk_that_is_full_keeps_nothing_of_the_trial(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as folder:
        with pytest.raises(OSError, match="No space"):
            storage.speed(folder, SystemClock())
        assert not (folder / "speed.trial").exists()


def kernel(root: Path, folder: Path, **files: str) -> Path:
    """What the kernel shows of the partition below this folder: p1 of a card."""
    device = folder.stat().st_dev
    part = root / "sys/devices/mmc0/block/mmcblk0/mmcblk0p1"
    (part.parent / "device").mkdir(parents=True)
    part.mkdir()
    link = root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}"
    link.parent.mkdir(parents=True)
    link.symlink_to(part)
    (root / "sys/fs/ext4/mmcblk0p1").mkdir(parents=True)
    if "errors" in files:
        (root / "sys/fs/ext4/mmcblk0p1/errors_count").write_text(files["errors"])
    if "life" in files:
        (part.parent / "device/life_time").write_text(files["life"])
    return root


@pytest.mark.parametrize(
    ("files", "found", "measured"),
    [
        ({"errors": "0"}, "no errors; it does not say how worn it is", (0, None)),
        ({"errors": "0", "life": "0x00 0x00"}, "no errors; it does not say how worn it is", (0, None)),
        ({"errors": "0", "life": "0x02 0x00"}, "no errors, 20 % worn", (0, 20)),
        ({"life": "0x02 0x01"}, "20 % worn; its file system does not count errors", (None, 20)),
        ({"life": "0x00 0x00"}, "it says nothing", (None, None)),
    ],
)
def test_what_a_disk_does_not_say_is_told_as_not_said(
    tmp_path: Path, files: dict[str, str], found: str, measured: tuple[int | None, int | None]
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    said = storage.wear(folder, kernel(tmp_path / "root", folder, **files))
    assert (said.found, said.measured["errors"], said.measured["worn_pct"]) == (found, *measured)


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({}, State.ABSENT),
        ({"errors": "0\n"}, State.OK),
        ({"errors": "3\n"}, State.FAILED),
        ({"errors": "0\n", "life": "0x02 0x01\n"}, State.OK),
        ({"life": "0x01 0x09\n"}, State.WARNING),
        ({"errors": "rubbish", "life": ""}, State.ABSENT),
    ],
)
def test_what_a_disk_says_of_itself_is_heeded(tmp_path: Path, files: dict[str, str], state: State) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    assert storage.wear(folder, kernel(tmp_path / "root", folder, **files)).state is state


def interrupted(folder: Path, boot: str) -> None:
    """As a power cut leaves it: the block is entered and never left."""
    code = (
        "import sys, time; from pathlib import Path; from agent.tools.hardware import storage\n"
        "with storage.power_may_go(Path(sys.argv[1]), sys.argv[2]): print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, folder, boot], stdout=subprocess.PIPE) as waiting:
        assert waiting.stdout is not None and waiting.stdout.readline() == b"in\n"
        waiting.kill()


def test_a_power_cut_is_verified_by_another_boot_without_an_end(tmp_path: Path) -> None:
    assert storage.power_went(tmp_path, "first", None) is None
    interrupted(tmp_path, "first")
    found = storage.power_went(tmp_path, "second", 1.4)
    assert found is not None
    assert (found.state, found.measured["how"], found.measured["whole"]) == (State.OK, "power_lost", True)
    assert "1 s off" in found.found
    assert list(tmp_path.iterdir()) == []
    assert storage.power_went(tmp_path, "second", None) is None


def test_an_orderly_restart_is_no_power_cut(tmp_path: Path) -> None:
    with storage.power_may_go(tmp_path, "first"):
        pass
    assert storage.power_went(tmp_path, "second", None) is None
    interrupted(tmp_path, "first")
    found = storage.power_went(tmp_path, "first", None)
    assert found is not None and found.state is State.OPEN and "pull the plug" in found.hint


def test_a_card_that_lost_what_was_synced_is_found_out(tmp_path: Path) -> None:
    interrupted(tmp_path, "first")
    with (tmp_path / storage.PROOF).open("r+b") as file:
        file.seek(1 << 20)
        file.write(bytes(4096))
    found = storage.power_went(tmp_path, "second", None)
    assert found is not None and (found.state, found.measured["whole"]) == (State.FAILED, False)
