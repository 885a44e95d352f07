"""station.backup.footage"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from station.backup import footage as module
from station.backup.folder import BackupError
from station.backup.footage import altered, copy_footage, lacking_bytes
from station.backup.journal import BackupJournal
from station.backup.restore import Restored, restore
from station.config import StationConfig
from station.footage.arrival.intake import FootageIntake
from station.footage.arrival.spool import Spool
from station.footage.custody import CustodyBook
from station.footage.desk import FootageDesk
from station.footage.folder import FOOTAGE, FootageFolder, FootageStage, RequestFolder
from tests.station.ingest.test_receipts import messages
from tests.support.backups import config, keep, took
from tests.support.clip_bench import ClipBench, wanted
from tests.support.footage_requests import asked, package, public_pem, sent


def nothing(*_: object) -> None:
    pass


@pytest.fixture
def settings(tmp_path: Path) -> StationConfig:
    """A store with one package of footage, judged, decrypted and handed over, and one request without any."""
    with ClipBench(tmp_path).at_work() as box:
        box.bench.record(20)
        box.clock.go_on(30)
        request = wanted("q-1", 3, 12)
        folder = box.expect(request)
        box.worker.ask(request)
        assert box.until_whole(folder).stage is FootageStage.ARRIVED
        identity = box.bench.identity
    made = config(tmp_path / "station")
    key = tmp_path / "footage.key"
    key.write_text(identity + "\n")
    key.chmod(0o600)
    book = CustodyBook(made.state_dir)
    FootageDesk(key, book).settle(folder)
    book.note(folder, "handed_over", "lan", "to the court")
    assert folder.state().verdict == "authentic"
    asked(made.state_dir, "q-2").tell(stage=FootageStage.REFUSED, detail="not recorded")
    keep(made, messages(1, 1))
    return made


def held(state_dir: Path) -> dict[str, bytes]:
    root = state_dir / FOOTAGE
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def brought_back(tmp_path: Path, name: str = "elsewhere") -> Restored:
    return restore(config(tmp_path / name), tmp_path / "backup", nothing)


def test_requests_and_packages_come_back_byte_by_byte_with_their_custody_logs(
    settings: StationConfig, tmp_path: Path
) -> None:
    made = took(settings, tmp_path / "backup")
    back = brought_back(tmp_path)

    assert (made.footage.packages, made.footage.left, made.manifest.packages) == (1, [], 1)
    assert (back.footage.packages, back.packages_missing, back.footage_altered) == (1, 0, ())
    there = held(tmp_path / "elsewhere")
    assert there == held(settings.state_dir)
    assert {Path(name).name for name in there} >= {"request.json", "custody.log", "footage-1.mp4", "state.json"}
    (one, two) = FootageFolder(tmp_path / "elsewhere" / FOOTAGE).every()
    assert {each.state().stage for each in (one, two)} == {FootageStage.COMPLETE, FootageStage.REFUSED}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "backup/footage").rglob("*")} == {0o700, 0o600}


def test_a_second_backup_copies_only_what_is_new(settings: StationConfig, tmp_path: Path) -> None:
    took(settings, tmp_path / "backup")
    copies = {path: path.stat().st_ino for path in (tmp_path / "backup/footage").rglob("*") if path.is_file()}
    again = took(settings, tmp_path / "backup")
    (folder,) = (
        each for each in FootageFolder(settings.state_dir / FOOTAGE).every() if each.request.id == "q-1"
    )
    CustodyBook(settings.state_dir).note(folder, "handed_over", "lan", "to the court, again")
    third = took(settings, tmp_path / "backup")

    assert (again.footage.packages, again.footage.fresh, again.footage.fresh_bytes) == (1, 0, 0)
    log = folder.package / "custody.log"
    assert (third.footage.fresh, third.footage.fresh_bytes) == (1, log.stat().st_size)
    changed = {path.name for path, inode in copies.items() if path.stat().st_ino != inode}
    assert changed == {"custody.log"}


def test_what_is_gone_from_the_station_stays_in_the_backup(settings: StationConfig, tmp_path: Path) -> None:
    took(settings, tmp_path / "backup")
    before = held(settings.state_dir)
    for path in sorted((settings.state_dir / FOOTAGE).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()

    took(settings, tmp_path / "backup")
    brought_back(tmp_path)

    assert held(tmp_path / "elsewhere") == before


def test_a_copy_that_was_altered_is_named(settings: StationConfig, tmp_path: Path) -> None:
    took(settings, tmp_path / "backup")
    (film,) = (tmp_path / "backup/footage").rglob("footage-1.mp4")
    film.write_bytes(film.read_bytes()[:-1] + b"x")

    assert brought_back(tmp_path).footage_altered == ("q-1",)
    film.unlink()
    assert brought_back(tmp_path, "third").footage_altered == ("q-1",)


def test_a_package_that_is_missing_in_the_backup_is_counted(settings: StationConfig, tmp_path: Path) -> None:
    took(settings, tmp_path / "backup")
    (tmp_path / "backup/footage").rename(tmp_path / "away")

    assert brought_back(tmp_path).packages_missing == 1


def test_pieces_on_their_way_come_back_and_the_journal_adds_those_that_came_since(tmp_path: Path) -> None:
    """Nothing that was receipted is lost, so the box need not be asked again."""
    settings, files = config(tmp_path / "station"), package(300, 40_000, 500)
    settings.state_dir.mkdir()
    asked(settings.state_dir, key=public_pem())
    came = [*sent(files)]
    keep(settings, came[:3])
    took(settings, tmp_path / "backup")
    for batch in (came[3:5], came[5:]):
        with closing(BackupJournal(tmp_path / "backup", settings.state_dir)) as journal:
            keep(settings, batch, journal=journal.append)
        if batch == came[3:5]:
            took(settings, tmp_path / "backup")

    back = brought_back(tmp_path)

    assert back.holes == ()
    (folder,) = FootageFolder(tmp_path / "elsewhere" / FOOTAGE).every()
    assert folder.state().stage is FootageStage.ARRIVED
    spool = Spool(folder.pieces)
    assert {name: b"".join(spool.read(name)) for name in files} == files


def test_a_request_that_goes_on_while_it_is_copied_is_left_for_the_next_backup(
    settings: StationConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a backup was cut off at changes nothing of the one before, either: no half package has its name."""
    monkeypatch.setattr(module, "TRIES", 1)
    folder = asked(settings.state_dir, "q-3")
    folder.tell(stage=FootageStage.SENDING)
    took(settings, tmp_path / "backup")
    folder.package.mkdir()
    for name in ("manifest.json", "manifest.sig"):
        (folder.package / name).write_bytes(b"of q-3")
    folder.tell(stage=FootageStage.ARRIVED)
    stages = iter([FootageStage.ARRIVED, FootageStage.COMPLETE])
    state = RequestFolder.state

    def moving(each: RequestFolder) -> object:
        found = state(each)
        return found.model_copy(update={"stage": next(stages)}) if each.request.id == "q-3" else found

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(RequestFolder, "state", moving)
        made = copy_footage(settings.state_dir / FOOTAGE, tmp_path / "backup/footage", nothing, live=True)
    assert made.left == ["q-3"]
    brought_back(tmp_path)
    (back,) = (
        each for each in FootageFolder(tmp_path / "elsewhere" / FOOTAGE).every() if each.request.id == "q-3"
    )
    assert (back.state().stage, back.package.exists()) == (FootageStage.SENDING, False)

    assert took(settings, tmp_path / "backup").footage.left == []
    assert (tmp_path / "backup/footage" / folder.path.parent.name / "q-3/package/manifest.sig").exists()


def test_pieces_and_encrypted_parts_go_once_the_package_plays(tmp_path: Path) -> None:
    folder = asked(tmp_path / "a", "q-1") if (tmp_path / "a").mkdir() is None else None
    assert folder is not None
    folder.package.mkdir()
    for path in (folder.pieces, folder.package / "manifest.json", folder.package / "footage-1-00000.age"):
        path.write_bytes(b"x")
    folder.tell(stage=FootageStage.ARRIVED)
    source, target = tmp_path / "a" / FOOTAGE, tmp_path / "b" / FOOTAGE
    (tmp_path / "b").mkdir()
    copy_footage(source, target, nothing, live=True)
    (folder.package / "footage-1.mp4").write_bytes(b"film")
    folder.pieces.unlink()
    (folder.package / "footage-1-00000.age").unlink()
    folder.tell(stage=FootageStage.COMPLETE, verdict="authentic")

    assert lacking_bytes(source, target) > 0
    copy_footage(source, target, nothing, live=True)

    assert held(tmp_path / "b") == held(tmp_path / "a")
    assert lacking_bytes(source, target) == 0
    assert altered(target) == []


@pytest.mark.parametrize(
    "below", ["footage", "footage/{box}", "footage/{box}/q-1", "footage/{box}/q-1/package"]
)
def test_nothing_is_written_behind_a_link(settings: StationConfig, tmp_path: Path, below: str) -> None:
    took(settings, tmp_path / "backup")
    box = next(each for each in FootageFolder(settings.state_dir / FOOTAGE).every() if each.request.id == "q-1")
    link = tmp_path / "backup" / below.format(box=box.request.device)
    link.rename(tmp_path / "moved")
    link.symlink_to(tmp_path / "moved")
    (tmp_path / "moved" / "custody.log").unlink(missing_ok=True)
    os.utime(box.package / "custody.log")

    with pytest.raises(BackupError, match="is a link to elsewhere"):
        took(settings, tmp_path / "backup")
    with pytest.raises(BackupError, match="is a link to elsewhere"):
        brought_back(tmp_path)


def test_a_station_with_footage_is_no_empty_place(settings: StationConfig, tmp_path: Path) -> None:
    took(settings, tmp_path / "backup")
    (tmp_path / "elsewhere").mkdir()
    asked(tmp_path / "elsewhere", "q-7")

    with pytest.raises(BackupError, match="is not empty"):
        brought_back(tmp_path)


def test_what_came_back_arrived_is_settled_by_the_service(settings: StationConfig, tmp_path: Path) -> None:
    folder = asked(settings.state_dir, "q-4", key=public_pem())
    keep(settings, [*sent(package(300), "q-4", first_seq=50)])
    assert folder.state().stage is FootageStage.ARRIVED
    took(settings, tmp_path / "backup")
    brought_back(tmp_path)
    whole: list[RequestFolder] = []

    FootageIntake(tmp_path / "elsewhere", 1 << 30, whole.append).resume()

    assert [each.request.id for each in whole] == ["q-4"]
