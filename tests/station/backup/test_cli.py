"""station.backup.cli"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from station.footage.custody import CustodyBook
from station.footage.folder import FootageStage
from tests.station.ingest.test_receipts import messages
from tests.station.test_cli import run
from tests.support.backups import config, held, keep
from tests.support.footage_requests import asked, public_pem


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the files of two stations, the first one's store filled."""
    for name in ("here", "there"):
        (tmp_path / f"{name}.yaml").write_text(f"commune: hai-ninh\nstate_dir: {tmp_path / name}\n")
    keep(config(tmp_path / "here"), *(messages(number, 2 * number, picture=True) for number in range(1, 4)))
    return tmp_path


def test_a_backup_and_its_restore_say_what_they_did(place: Path) -> None:
    code, out, err = run("backup", str(place / "backup"), "-c", str(place / "here.yaml"))
    assert (code, "3 pictures, 3 of them new" in out) == (0, True)
    assert "it lies on the disk of the store" in err

    code, out, _ = run("backup", str(place / "backup"), "-c", str(place / "here.yaml"))
    assert (code, "3 pictures, 0 of them new" in out) == (0, True)

    code, out, err = run("restore", str(place / "backup"), "-c", str(place / "there.yaml"))
    assert code == 0
    assert "3 pictures, 0 messages of the journal" in out
    assert out.endswith("everything in it is as it came\n")
    assert "not covered: there is no journal beside this backup" in err
    assert held(config(place / "there")) == held(config(place / "here"))


def test_a_backup_of_a_store_that_lacks_pictures_ends_with_1(place: Path) -> None:
    shutil.rmtree(place / "here" / "blobs")

    code, _, err = run("backup", str(place / "backup"), "-c", str(place / "here.yaml"))

    assert (code, "3 pictures are missing or altered in the store" in err) == (1, True)


def test_a_restore_of_a_backup_with_an_altered_picture_ends_with_1_and_names_it(place: Path) -> None:
    run("backup", str(place / "backup"), "-c", str(place / "here.yaml"))
    path = next(path for path in (place / "backup" / "blobs").rglob("*") if path.is_file())
    path.write_bytes(b"\xff\xd8forged")

    code, out, err = run("restore", str(place / "backup"), "-c", str(place / "there.yaml"))

    assert code == 1
    assert f"1 pictures are altered in the backup, such as {path.name}" in err
    assert "hai-ninh/north-01 stream s-1: altered: " in out


def test_without_a_folder_it_is_that_of_the_file(place: Path) -> None:
    code, _, err = run("backup", "-c", str(place / "here.yaml"))
    assert (code, "name one, or set backup.folder" in err) == (2, True)

    with (place / "here.yaml").open("a") as file:
        file.write(f"backup: {{folder: {place / 'backup'}}}\n")
    assert run("backup", "-c", str(place / "here.yaml"))[0] == 0


def test_a_backup_that_is_due_is_a_finding_of_check(place: Path) -> None:
    with (place / "here.yaml").open("a") as file:
        file.write(f"backup: {{folder: {place / 'backup'}}}\n")
    run("backup", "-c", str(place / "here.yaml"))
    assert "3 pictures" in run("check", "-c", str(place / "here.yaml"))[1].replace("\n", "")

    shutil.rmtree(place / "backup" / "manifests")
    code, out, _ = run("check", "-c", str(place / "here.yaml"))
    assert (code, "holds no whole backup" in out) == (1, True)


def test_footage_is_told_and_that_its_keys_are_to_be_put_back(place: Path) -> None:
    folder = asked(place / "here")
    folder.package.mkdir()
    (folder.package / "manifest.json").write_bytes(b"{}")
    CustodyBook(place / "here").note(folder, "received", "station", "1 file")
    folder.tell(stage=FootageStage.COMPLETE, verdict="not authentic")

    code, out, _ = run("backup", str(place / "backup"), "-c", str(place / "here.yaml"))
    assert (code, "1 packages of footage, 1 of them new or changed" in out) == (0, True)
    assert not [path for path in (place / "backup").rglob("*") if path.suffix == ".key"]

    code, out, err = run("restore", str(place / "backup"), "-c", str(place / "there.yaml"))
    assert (code, "1 packages of footage are back" in out) == (0, True)
    assert "put back your copies of custody.key and footage.key" in err

    (place / "third").mkdir()
    (place / "here" / "custody.key").rename(place / "third" / "custody.key")
    (place / "third.yaml").write_text(f"commune: hai-ninh\nstate_dir: {place / 'third'}\n")
    code, _, err = run("restore", str(place / "backup"), "-c", str(place / "third.yaml"))
    assert (code, "put back your copies" in err) == (0, False)


def test_a_package_that_is_not_as_it_was_judged_ends_a_restore_with_1(place: Path) -> None:
    folder = asked(place / "here", key=public_pem())
    folder.package.mkdir()
    (folder.package / "manifest.json").write_bytes(b"{}")
    folder.tell(stage=FootageStage.COMPLETE, verdict="authentic")
    run("backup", str(place / "backup"), "-c", str(place / "here.yaml"))

    code, out, err = run("restore", str(place / "backup"), "-c", str(place / "there.yaml"))

    assert (code, "packages of footage that are not as they were judged: q-1" in err) == (1, True)
    assert "everything in it is as it came" not in out
