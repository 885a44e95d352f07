"""station.footage.folder"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from station.footage.folder import FOOTAGE, FootageFolder, FootageStage
from tests.station.ingest.test_receipts import BOX
from tests.support.footage_requests import asked, public_pem


def test_a_request_is_found_as_it_was_made_and_is_never_changed(tmp_path: Path) -> None:
    made = asked(tmp_path, key=public_pem())
    folders = FootageFolder(tmp_path / FOOTAGE)

    found = folders.find(BOX[1], "q-1")

    assert found == made
    assert found.request.officer == "Lê Văn A"
    assert found.key.read_bytes() == public_pem()
    assert found.state().stage is FootageStage.ASKED
    with pytest.raises(FileExistsError):
        asked(tmp_path)


@pytest.mark.parametrize("name", ["..", ".", "", "q-2", "../q-1", "q-1/../q-1", ".q", "q" * 65])
def test_no_name_leads_elsewhere(tmp_path: Path, name: str) -> None:
    asked(tmp_path)
    folders = FootageFolder(tmp_path / FOOTAGE)

    assert folders.find(BOX[1], name) is None
    assert folders.find(name, "q-1") is None


def test_a_request_of_another_box_is_none_of_this_one(tmp_path: Path) -> None:
    folder = asked(tmp_path)
    (tmp_path / FOOTAGE / "other-box").mkdir()
    folder.path.rename(tmp_path / FOOTAGE / "other-box" / "q-1")

    assert FootageFolder(tmp_path / FOOTAGE).find("other-box", "q-1") is None


def test_an_end_is_on_disk_when_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much has come is noted often, and may be lost with the power; the end may not."""
    folder, synced, fsync = asked(tmp_path), [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(handle), fsync(handle)))

    folder.tell(stage=FootageStage.SENDING, arrived_bytes=7)
    assert synced == []
    folder.tell(stage=FootageStage.COMPLETE, verdict="authentic")
    assert len(synced) == 2  # the file, and its name


def test_how_far_it_is_is_replaced_whole_and_what_is_damaged_begins_anew(tmp_path: Path) -> None:
    folder = asked(tmp_path)

    folder.tell(stage=FootageStage.SENDING, arrived_bytes=7, size_bytes=9)
    state = folder.tell(arrived_bytes=8)

    assert (state.stage, state.arrived_bytes, state.size_bytes) == (FootageStage.SENDING, 8, 9)
    assert folder.state() == state
    (folder.path / "state.json").write_text("{")
    assert folder.state().stage is FootageStage.ASKED


def test_all_are_listed_and_foreign_things_are_not(tmp_path: Path) -> None:
    asked(tmp_path, "q-1")
    asked(tmp_path, "q-2")
    root = tmp_path / FOOTAGE
    (root / "stray").write_text("x")
    (root / BOX[1] / "half").mkdir()

    assert [each.request.id for each in FootageFolder(root).every()] == ["q-1", "q-2"]
    assert list(FootageFolder(tmp_path / "nowhere").every()) == []
