"""station.backup.folder; what it refuses and what it keeps is tried in test_take.py and test_restore.py"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pytest

from station.backup.folder import (
    BackupError,
    BackupFolder,
    BackupManifest,
    in_words,
    store_id,
    sync_folder,
    write_whole,
)


def test_a_store_has_one_id_whoever_asks_first(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(store_id(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["store.id"]


def test_a_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"two")

    assert path.read_bytes() == b"one"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "1"}', "\x00"])
def test_whose_backup_it_is_must_be_readable(tmp_path: Path, text: str) -> None:
    (tmp_path / "backup.json").write_text(text)

    with pytest.raises(BackupError, match="cannot be read as one"):
        BackupFolder(tmp_path).identity()


def test_a_folder_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "backup.json").write_text('{"format": 2, "store": "a", "commune": "b", "station": "c"}')

    with pytest.raises(BackupError, match="newer ngatu"):
        BackupFolder(tmp_path).identity()


def test_where_nothing_is_there_is_no_backup(tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path / "nowhere")

    assert folder.names() == []
    with pytest.raises(BackupError, match="holds no backup") as caught:
        folder.identity()
    assert "is its disk mounted?" in caught.value.hint


def test_an_error_of_the_disk_is_one_line_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        sync_folder(tmp_path / "nowhere")

    assert str(in_words(caught.value, tmp_path)).splitlines()[0] == (
        f"{tmp_path}: No such file or directory: {tmp_path}/nowhere"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"database": 5},
        {"database": "../../etc/passwd"},
        {"made_ms": 10**18},
        {"journal_first": None},
        {"pictures": "many"},
        {"kind": "x"},
    ],
)
def test_a_manifest_that_was_changed_with_its_sum_is_refused_in_words(
    tmp_path: Path, change: dict[str, object]
) -> None:
    folder = BackupFolder(tmp_path)
    folder.manifests.mkdir()
    whole = BackupManifest(
        "a", "b", "c", 1, "v1", "sqlite", "database/000001-20260101T000000Z.db", 1, "d" * 64, 0, 0
    )
    fields = asdict(whole) | change
    document = {"manifest": fields, "sha256": sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()}
    (folder.manifests / "000001-20260101T000000Z.json").write_text(json.dumps(document))

    with pytest.raises(BackupError, match="was changed or is damaged"):
        folder.manifest()
