"""agent.host.restarts"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agent.host import restarts


@pytest.mark.parametrize(
    ("ended", "boot", "reason"),
    [
        (True, "boot-1", "agent_restarted"),
        (False, "boot-1", "agent_crashed"),
        (True, "boot-2", "box_restarted"),
        (False, "boot-2", "power_lost"),
    ],
)
def test_the_next_life_knows_why_it_begins(tmp_path: Path, ended: bool, boot: str, reason: str) -> None:
    assert restarts.begin(tmp_path, "boot-1") == "first_start"
    if ended:
        restarts.end(tmp_path, "boot-1")

    assert restarts.begin(tmp_path, boot) == reason


def test_a_restart_that_the_station_ordered_is_told_as_that_once(tmp_path: Path) -> None:
    restarts.begin(tmp_path, "boot-1")
    restarts.end(tmp_path, "boot-1", ordered=True)

    assert restarts.begin(tmp_path, "boot-1") == "restart_ordered"
    restarts.end(tmp_path, "boot-1")
    assert restarts.begin(tmp_path, "boot-1") == "agent_restarted"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"boot_id": 1', "\udcff"])
def test_a_spoilt_note_means_only_that_nothing_is_known(tmp_path: Path, text: str) -> None:
    (tmp_path / restarts.NAME).write_bytes(text.encode("utf-8", "surrogateescape"))

    assert restarts.begin(tmp_path, "boot-1") == "unknown"
    assert restarts.begin(tmp_path, "boot-1") == "agent_crashed"


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"

    assert restarts.begin(nowhere, "boot-1") == "first_start"
    restarts.end(nowhere, "boot-1")
    assert not nowhere.exists()


def test_beginning_and_end_are_on_the_disk_with_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is synced and renamed is the old one again after a power cut, until its folder is synced."""
    synced: list[str] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    restarts.begin(tmp_path, "boot-1")
    restarts.end(tmp_path, "boot-1")
    assert synced == ["file", "folder"] * 2
