"""agent.tools.footage_check: what a technician hears of the place of the footage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from agent.config.schema import Config, parse
from agent.evidence.encryption import new_identity
from agent.tools.footage_check import judge
from tests.support.disks import small_disk
from tests.support.nobody import as_nobody, open_folder

KEY = new_identity()[1]


def config(state: Path, **evidence: Any) -> Config:
    plain = {
        "device": {"commune": "hac-thanh", "id": "box-1"},
        "broker": {"host": "127.0.0.1"},
        "state_dir": str(state),
        "evidence": {"recipient": KEY, **evidence},
        "cameras": [
            {"name": "north", "source": {"kind": "file", "path": "a.mp4"}, "record": {"mode": "events"}}
        ],
    }
    return parse(yaml.safe_dump(plain).encode(), "box.yaml")


def test_a_folder_on_the_disk_of_the_state_is_a_warning(tmp_path: Path) -> None:
    found, verdict, hint = judge(config(tmp_path, max_bytes=64_000_000))
    assert verdict == "warning"
    assert "on the disk of state_dir" in found
    assert "cameras recorded: 1" in found
    assert "partition of its own" in hint
    assert not (tmp_path / "evidence").exists()


def test_more_than_the_disk_has_is_a_warning(tmp_path: Path) -> None:
    _, verdict, hint = judge(config(tmp_path, max_bytes=10**15))
    assert verdict == "warning"
    assert "more than the disk has" in hint


def test_a_file_in_its_place_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("in the way")
    found, verdict, _ = judge(config(tmp_path))
    assert verdict == "failed"
    assert "may not be written" in found


def test_a_disk_of_its_own_with_room_is_well(tmp_path: Path) -> None:
    with small_disk(tmp_path / "footage", "110m") as folder:
        found, verdict, hint = judge(config(tmp_path, folder=str(folder / "ring"), max_bytes=100_000_000))
    assert (verdict, hint) == ("ok", "")
    assert "a disk of its own: 0.1 GB for the 0.1 GB wanted" in found


def test_a_partition_that_is_not_mounted_is_a_failure(tmp_path: Path) -> None:
    place = tmp_path / "footage"
    place.mkdir()
    found, verdict, hint = judge(config(tmp_path, folder=str(place), mount=str(place), max_bytes=64_000_000))
    assert verdict == "failed"
    assert found == f"nothing is mounted at {place}, where footage has its partition"
    assert "fstab" in hint


def test_a_camera_folder_of_another_user_is_a_failure_and_what_is_no_camera_is_none() -> None:
    with open_folder() as state:
        ring = state / "evidence"
        (ring / "north").mkdir(parents=True)
        (ring / "north" / "0000000001.seg").write_bytes(bytes(1000))

        def look() -> None:
            (ring / "lost+found").mkdir(mode=0)
            assert judge(config(state, max_bytes=64_000_000))[1] == "warning"
            (ring / "north").chmod(0)
            found, verdict, hint = judge(config(state, max_bytes=64_000_000))
            assert (found, verdict) == (f"{ring}/north may not be written by user nobody", "failed")
            assert hint == f"sudo chown -R nobody {ring}/north"

        as_nobody(ring, look)
