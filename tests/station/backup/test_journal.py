"""station.backup.journal"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from station.backup import journal as module
from station.backup.folder import BackupFolder
from station.backup.journal import RUN, BackupJournal, begin_after, forget_run
from station.backup.segments import Segment, heads
from station.config import StationConfig
from station.ingest.alarms import AlarmKind
from station.store.database import StoreError
from tests.station.ingest.test_receipts import hello, messages, status
from tests.support.backups import config, keep, took

ONE, TWO, THREE = messages(1, 1), messages(2, 2), messages(3, 3)


class Alarms:
    """What was raised and what ended."""

    def __init__(self) -> None:
        self.standing: dict[AlarmKind, str] = {}

    def raise_alarm(self, kind: AlarmKind, _box: object, detail: str, _count: int = 1) -> None:
        self.standing[kind] = detail

    def close_alarm(self, kind: AlarmKind, _box: object) -> None:
        self.standing.pop(kind, None)


@pytest.fixture
def settings(tmp_path: Path) -> StationConfig:
    """A store with a backup in `backup`."""
    made = config(tmp_path / "state")
    keep(made, messages(9, 9))
    took(made, tmp_path / "backup")
    return made


@pytest.fixture
def folder(settings: StationConfig, tmp_path: Path) -> BackupFolder:
    return BackupFolder(tmp_path / "backup")


@pytest.fixture
def journal(folder: BackupFolder, settings: StationConfig) -> Iterator[BackupJournal]:
    with closing(BackupJournal(folder.path, settings.state_dir)) as opened:
        yield opened


def read(folder: BackupFolder) -> list[int | None]:
    """The numbers of all messages in it."""
    files = sorted(folder.journal.glob("*.journal"))
    return [each.seq for path in files for _, batch in Segment(path).batches() for each in batch]


def test_what_is_to_be_receipted_is_there_when_append_returns(
    journal: BackupJournal, folder: BackupFolder
) -> None:
    """Invariant 1; what has no number and is no picture comes anew by itself."""
    journal.append([*ONE, hello(1, 1), status("online", "s")])
    journal.append([status("online", "s")])
    journal.append(TWO)

    assert read(folder) == [1, 2]


def test_it_is_synced_before_append_returns(journal: BackupJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 1."""
    journal.append(ONE)
    synced: list[str] = []
    real = os.fsync

    def fsync(number: int) -> None:
        synced.append(Path(f"/proc/self/fd/{number}").readlink().suffix)
        real(number)

    monkeypatch.setattr(module.os, "fsync", fsync)

    journal.append(TWO)

    assert synced == [".journal"]


def test_each_life_begins_a_file_that_joins_the_last(settings: StationConfig, folder: BackupFolder) -> None:
    for batch in (ONE, TWO, THREE):
        with closing(BackupJournal(folder.path, settings.state_dir)) as journal:
            journal.append(batch)

    assert [(each.number, each.joins) for each in heads(folder.journal)] == [(1, False), (2, True), (3, True)]
    assert len({each.run for each in heads(folder.journal)}) == 1
    assert read(folder) == [1, 2, 3]


def test_a_file_that_is_full_is_followed_by_another(
    journal: BackupJournal, folder: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 2000)
    for number in range(1, 11):
        journal.append(messages(number, number))

    assert len(heads(folder.journal)) > 2
    assert read(folder) == list(range(1, 11))
    assert all(each.joins for each in heads(folder.journal)[1:])


def test_what_a_power_cut_left_of_the_last_write_is_passed_over(
    settings: StationConfig, folder: BackupFolder
) -> None:
    with closing(BackupJournal(folder.path, settings.state_dir)) as journal:
        journal.append(ONE)
        journal.append(TWO)
    path = folder.journal / "00000001.journal"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 10)
    (folder.journal / "00000002.journal").write_bytes(b'{"store"')  # the power was cut while it was made

    with closing(BackupJournal(folder.path, settings.state_dir)) as journal:
        journal.append(THREE)

    _, second = heads(folder.journal)
    assert (second.number, second.joins) == (2, True)
    assert second.previous_bytes < path.stat().st_size
    assert read(folder) == [1, 3]


def test_a_folder_that_is_no_backup_of_this_store_takes_nothing(
    settings: StationConfig, folder: BackupFolder, tmp_path: Path
) -> None:
    """Invariant 4: as where its disk is not mounted, or another one is."""
    other = config(tmp_path / "other")
    keep(other, ONE)
    (tmp_path / "bare").mkdir()

    for place, state_dir, why in (
        (tmp_path / "bare", settings.state_dir, "holds no backup"),
        (folder.path, other.state_dir, "of another store"),
    ):
        with closing(BackupJournal(place, state_dir)) as journal, pytest.raises(StoreError, match=why):
            journal.append(ONE)
    assert list((tmp_path / "bare").iterdir()) == []
    assert read(folder) == []


def test_a_journal_that_is_away_is_an_alarm_and_keeps_the_station_away(
    settings: StationConfig, folder: BackupFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.0)
    alarms = Alarms()
    with closing(BackupJournal(folder.path, settings.state_dir)) as journal:
        journal.tell(alarms)
        assert not alarms.standing
        journal.close()
        folder.path.rename(tmp_path / "away")
        with pytest.raises(StoreError, match="holds no backup"):
            journal.append(ONE)
        with pytest.raises(StoreError, match="the journal of the backup"):
            journal.tell(alarms)
        assert "gives no receipts" in alarms.standing[AlarmKind.JOURNAL_AWAY]

        (tmp_path / "away").rename(folder.path)
        journal.tell(alarms)
        assert not alarms.standing
        journal.append(TWO)

    assert read(folder) == [2]
    assert all(each.joins for each in heads(folder.journal)[1:])  # nothing was kept meanwhile


def test_a_station_that_goes_on_without_it_begins_anew_and_says_so(
    settings: StationConfig, folder: BackupFolder, tmp_path: Path
) -> None:
    """Invariant 2; over a restart, too."""
    with closing(BackupJournal(folder.path, settings.state_dir, goes_on=True)) as journal:
        journal.append(ONE)
        journal.close()
        folder.path.rename(tmp_path / "away")
        with capture_logs() as lines:
            journal.append(TWO)
            journal.append(TWO)
    (tmp_path / "away").rename(folder.path)
    with closing(BackupJournal(folder.path, settings.state_dir, goes_on=True)) as journal:
        journal.append(THREE)
    with closing(BackupJournal(folder.path, settings.state_dir, goes_on=True)) as journal:
        journal.append(THREE)

    assert [line["event"] for line in lines] == ["journal_begins_anew"]
    assert [each.joins for each in heads(folder.journal)] == [False, False, True]


def test_a_station_that_worked_without_a_journal_begins_anew(
    settings: StationConfig, folder: BackupFolder
) -> None:
    """Invariant 2."""
    for without in (False, True, False):
        if without:
            forget_run(settings.state_dir)
            continue
        with closing(BackupJournal(folder.path, settings.state_dir)) as journal:
            journal.append(ONE)

    assert [each.joins for each in heads(folder.journal)] == [False, False]


def test_a_store_whose_other_copy_has_written_since_writes_nothing(
    settings: StationConfig, folder: BackupFolder, tmp_path: Path
) -> None:
    """Invariant 3: the old machine comes back after the store was restored on another one."""
    with closing(BackupJournal(folder.path, settings.state_dir)) as journal:
        journal.append(ONE)
    old = json.loads((settings.state_dir / RUN).read_text())
    begin_after(old["runs"], settings.state_dir, joins=True)  # as a restore does, elsewhere
    with closing(BackupJournal(folder.path, settings.state_dir)) as journal:
        journal.append(TWO)
    (settings.state_dir / RUN).write_text(json.dumps(old))

    with (
        closing(BackupJournal(folder.path, settings.state_dir)) as journal,
        pytest.raises(StoreError, match="another copy of this store"),
    ):
        journal.append(THREE)

    assert [each.joins for each in heads(folder.journal)] == [False, True]
    assert read(folder) == [1, 2]


def test_two_stations_do_not_write_into_one_journal(
    journal: BackupJournal, settings: StationConfig, folder: BackupFolder
) -> None:
    journal.append(ONE)

    with (
        closing(BackupJournal(folder.path, settings.state_dir)) as second,
        pytest.raises(StoreError, match="written by another station"),
    ):
        second.append(TWO)
    assert read(folder) == [1]


def test_a_write_that_fails_is_begun_again_in_a_new_file(
    journal: BackupJournal, folder: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may lie there of it was confirmed to nobody; the next file says how far the one before counts."""
    journal.append(ONE)
    real, fails = os.fsync, [True]

    def fsync(number: int) -> None:
        if fails and fails.pop():
            raise OSError(5, "Input/output error")
        real(number)

    monkeypatch.setattr(module.os, "fsync", fsync)
    with pytest.raises(StoreError, match="Input/output error"):
        journal.append(TWO)
    journal.append(TWO)

    numbers = read(folder)
    assert numbers[0] == 1
    assert set(numbers) == {1, 2}
    assert all(each.joins for each in heads(folder.journal)[1:])


def test_a_disk_that_lost_what_it_had_confirmed_is_noticed(
    journal: BackupJournal, folder: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 2."""
    journal.append(ONE)
    journal.append(TWO)
    path = folder.journal / "00000001.journal"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 10)
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1)

    journal.append(THREE)

    assert [each.joins for each in heads(folder.journal)] == [False, False]
