"""station.footage.save"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from agent.errors import NgatuError
from station.footage.custody import CustodyBook
from station.footage.folder import FootageStage as Stage
from station.footage.folder import RequestFolder
from station.footage.save import save
from tests.support.footage_requests import asked
from verifier.custody_log import FIRST, read_line


def there(folder: RequestFolder) -> None:
    """As it is once the service has judged it."""
    folder.package.mkdir()
    (folder.package / "manifest.json").write_bytes(b"{}")
    (folder.package / "footage-1.mp4").write_bytes(b"film")
    folder.tell(stage=Stage.COMPLETE, verdict="authentic")


def test_a_package_that_is_not_judged_yet_is_not_handed_over(tmp_path: Path) -> None:
    """Its log would begin with that, and never say when it came and which links were heard of."""
    folder, book = asked(tmp_path), CustodyBook(tmp_path)
    there(folder)
    folder.tell(stage=Stage.ARRIVED)

    with pytest.raises(NgatuError, match="not here yet"):
        save(folder, tmp_path / "clip.zip", book, "lan", None)

    assert not book.begun(folder)


@pytest.mark.parametrize("file", ["nowhere/clip.zip", "taken", "state/clip.zip"])
def test_a_hand_over_that_fails_is_not_signed_for(tmp_path: Path, file: str) -> None:
    """It stood in the log as done, for the court to read. Folders in the way stand for the disk."""
    (tmp_path / "state").mkdir()
    folder, book = asked(tmp_path / "state"), CustodyBook(tmp_path / "state")
    there(folder)
    (tmp_path / "taken").mkdir()
    if file.startswith("state"):
        (folder.package / "footage-1.mp4").unlink()
        (folder.package / "footage-1.mp4").symlink_to("gone")

    with pytest.raises(NgatuError):
        save(folder, tmp_path / file, book, "lan", "the court")

    assert not book.begun(folder)
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".zip", ".new")] == []


def test_whoever_gives_up_leaves_nothing_half_and_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, book = asked(tmp_path), CustodyBook(tmp_path)
    there(folder)

    def gives_up(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "write", gives_up)
    with pytest.raises(KeyboardInterrupt):
        save(folder, tmp_path / "clip.zip", book, "lan", "the court")

    assert not book.begun(folder)
    assert [path.name for path in tmp_path.iterdir() if "zip" in path.name] == []


def test_a_package_is_saved_as_one_file_to_hand_over(tmp_path: Path) -> None:
    folder, book = asked(tmp_path), CustodyBook(tmp_path)
    with pytest.raises(NgatuError, match="not here yet"):
        save(folder, tmp_path / "clip.zip", book, "lan", None)
    there(folder)

    save(folder, tmp_path / "clip.zip", book, "lan", "the court")

    with zipfile.ZipFile(tmp_path / "clip.zip") as archive:
        assert archive.namelist() == ["q-1/custody.log", "q-1/footage-1.mp4", "q-1/manifest.json"]
        entry = read_line(archive.read("q-1/custody.log").rstrip(b"\n"), 1, FIRST, book.public())
        assert (entry.act, entry.by, entry.detail) == ("handed_over", "lan", "to the court, as clip.zip")
        assert archive.read("q-1/footage-1.mp4") == b"film"
    with pytest.raises(NgatuError, match="No such file or directory"):
        save(folder, tmp_path / "nowhere" / "clip.zip", book, "lan", None)
