"""station.backup.due"""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from pathlib import Path

import pytest

from station.backup.due import BackupWatch, state_of
from station.backup.folder import BackupError
from station.backup.journal import BackupJournal
from station.config import StationConfig
from station.ingest.alarms import AlarmKind
from tests.station.backup.test_journal import Alarms
from tests.station.ingest.test_receipts import messages
from tests.support.backups import config, keep, took
from tests.support.brokers import until


@pytest.fixture
def settings(tmp_path: Path) -> StationConfig:
    made = config(tmp_path / "state", more=f"backup: {{folder: {tmp_path / 'backup'}, journal: true}}")
    keep(made, messages(1, 1))
    return made


def state(settings: StationConfig, later_h: float = 0.0) -> tuple[str, str]:
    return state_of(settings.backup, settings.state_dir, time.time() + later_h * 3600)


def test_where_none_was_made_that_is_an_error_with_what_to_do(settings: StationConfig) -> None:
    with pytest.raises(BackupError, match="holds no backup"):
        state(settings)


def test_a_backup_that_a_journal_joins_is_well_until_it_is_old(settings: StationConfig, tmp_path: Path) -> None:
    took(settings, tmp_path / "backup")
    assert "no journal beside this backup" in state(settings)[1]

    with closing(BackupJournal(tmp_path / "backup", settings.state_dir)) as journal:
        journal.append(messages(2, 2))
    assert "no journal beside this backup" in state(settings)[1]

    took(settings, tmp_path / "backup")
    assert state(settings)[1] == ""
    assert state(settings)[0].endswith(", 0 pictures, and a journal since")
    assert state(settings, 27.0)[1] == "it is 27 hours old"


def test_a_backup_of_a_moment_that_has_not_come_is_due_again(settings: StationConfig, tmp_path: Path) -> None:
    took(settings, tmp_path / "backup")

    assert "a moment that has not come" in state(settings, -9.0)[1]


def test_pictures_that_it_lacks_are_said(settings: StationConfig, tmp_path: Path) -> None:
    keep(settings, messages(2, 2, picture=True))
    shutil.rmtree(settings.state_dir / "blobs" / "segments")
    took(settings, tmp_path / "backup")

    assert "it lacks 1 pictures" in state(settings)[1]


def test_it_is_an_alarm_until_a_backup_is_there(settings: StationConfig, tmp_path: Path) -> None:
    alarms = Alarms()
    watch = BackupWatch(settings.backup, settings.state_dir)
    until(lambda: watch.tell(alarms) or alarms.standing, 10)
    assert "holds no backup" in alarms.standing[AlarmKind.BACKUP_DUE]

    took(settings, tmp_path / "backup")
    with closing(BackupJournal(tmp_path / "backup", settings.state_dir)) as journal:
        journal.append(messages(2, 2))
    took(settings, tmp_path / "backup")

    second = BackupWatch(settings.backup, settings.state_dir)
    until(lambda: second.tell(alarms) or not alarms.standing, 10)
