"""station.backup.take, with station.backup.folder behind it"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import URL

from station.backup.folder import KEPT, BackupError, BackupFolder
from station.backup.restore import restore
from station.backup.take import take
from station.config import StationConfig
from station.store.database import StoreError, url_of
from tests.station.ingest.test_receipts import messages
from tests.support.aged_store import AgedStore
from tests.support.backups import config, held, keep, opened, own_database, took
from tests.support.kept_pictures import pictures_on, spoil
from tests.support.stores import Place


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StationConfig]:
    """A store of ten events with pictures."""
    url: URL | None = None
    if request.param == "postgresql":
        url = own_database(request.getfixturevalue("postgresql"))
    made = config(tmp_path / "state", url)
    keep(made, *(messages(number, 2 * number, picture=True) for number in range(1, 11)))
    yield made


def elsewhere(settings: StationConfig, request: pytest.FixtureRequest, tmp_path: Path) -> StationConfig:
    url = own_database(request.getfixturevalue("postgresql")) if settings.database.url else None
    return config(tmp_path / "elsewhere", url)


def test_what_was_backed_up_comes_back_row_by_row_and_byte_by_byte(
    settings: StationConfig, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    made = took(settings, tmp_path / "backup")
    other = elsewhere(settings, request, tmp_path)

    back = restore(other, tmp_path / "backup", lambda *_: None)

    assert (made.pictures.fresh, made.pictures.there, back.pictures.fresh) == (10, 0, 10)
    assert (back.faults, back.pictures.missing, back.pictures.altered) == ((), [], [])
    assert held(other) == held(settings)


def test_a_second_backup_copies_new_pictures_only(settings: StationConfig, tmp_path: Path) -> None:
    took(settings, tmp_path / "backup")
    kept = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "backup" / "blobs").rglob("*") if path.is_file()
    }
    keep(settings, messages(11, 31, picture=True))

    made = took(settings, tmp_path / "backup")

    assert (made.pictures.fresh, made.pictures.there, made.manifest.pictures) == (1, 10, 11)
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())


def test_the_station_writes_while_it_is_copied_and_the_copy_is_of_one_moment(tmp_path: Path) -> None:
    """The copy begins anew for nobody's writing, and has of each message its number, row and picture."""
    settings = config(tmp_path / "state")
    keep(settings, *(messages(number, 2 * number, picture=True) for number in range(1, 50)))
    stop = threading.Event()

    def write() -> None:
        with closing(opened(settings)) as store:
            number = 50
            while not stop.is_set():
                store.commit(messages(number, 2 * number, picture=True))
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [took(settings, tmp_path / "backup").manifest for _ in range(5)]
    finally:
        stop.set()
        writer.join()

    assert copies[0].pictures < copies[-1].pictures
    other = config(tmp_path / "elsewhere")
    back = restore(other, tmp_path / "backup", lambda *_: None)
    assert back.faults == ()
    rows = held(other)
    assert len(rows["message"]) == 2 * len(rows["picture"]) == 2 * copies[-1].pictures == 2 * len(rows["files"])


def test_older_copies_go_once_enough_newer_ones_are_there(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1))

    for second in range(KEPT + 2):
        took(settings, tmp_path / "backup", now=lambda second=second: 1_772_449_447.0 + second)

    folder = BackupFolder(tmp_path / "backup")
    names = folder.names()
    assert len(names) == KEPT
    assert {path.stem for path in folder.database.iterdir()} == set(names)
    assert folder.manifest().made_ms == 1_772_449_447_000 + 1000 * (KEPT + 1)


def test_the_latest_is_the_one_that_was_made_last_whatever_the_clock_said(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1))
    for at_s in (2e9, 1e9, 1.5e9, 0.5e9):
        took(settings, tmp_path / "backup", now=lambda at_s=at_s: at_s)

    assert BackupFolder(tmp_path / "backup").manifest().made_ms == 500_000_000_000


def test_what_a_backup_left_that_was_cut_off_goes_with_the_next_even_if_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1))
    took(settings, tmp_path / "backup")
    for name in ("000002-20260302T110407Z.db", "000002-20260302T110407Z.db.part-journal"):
        (tmp_path / "backup" / "database" / name).touch()
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))

    with pytest.raises(BackupError):
        took(settings, tmp_path / "backup")

    assert len(list((tmp_path / "backup" / "database").iterdir())) == 1


def test_a_place_in_the_store_around_it_of_others_or_of_another_store_is_refused(tmp_path: Path) -> None:
    settings, other = config(tmp_path / "a" / "state"), config(tmp_path / "b" / "state")
    for each in (settings, other):
        keep(each, messages(1, 1))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").touch()
    took(other, tmp_path / "theirs")
    (tmp_path / "link").symlink_to(settings.state_dir)

    for place, why in (
        ("a/state", "the store's own folder"), ("a/state/backup", "or in it"), ("a", "or around it"),
        ("link/backup", "or in it"), ("full", "holds other files"), ("theirs", "of another store"),
    ):  # fmt: skip
        with pytest.raises(BackupError, match=why):
            took(settings, tmp_path / place)
    assert (
        took(other, tmp_path / "theirs").manifest.store == BackupFolder(tmp_path / "theirs").identity()["store"]
    )


def test_a_store_that_is_not_there_is_not_backed_up_as_an_empty_one(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    (tmp_path / "state").mkdir()

    with pytest.raises(StoreError, match="is not there"):
        took(settings, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_another_user_than_the_stores_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What root wrote into the folders the station's user could not read."""
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    with pytest.raises(BackupError, match="belongs to another user") as refused:
        took(settings, tmp_path / "backup")
    assert "runuser -u" in refused.value.hint
    assert not (tmp_path / "backup").exists()


def test_two_backups_at_once_are_one_and_a_refusal(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1))
    refusals = []

    def meanwhile(*_: object) -> None:
        if not refusals:
            with pytest.raises(BackupError, match="another backup is being made") as refused:
                took(settings, tmp_path / "backup")
            refusals.append(refused)

    take(settings, tmp_path / "backup", meanwhile)

    assert len(refusals) == 1


def test_a_disk_without_room_is_told_before_anything_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1, picture=True))
    took(settings, tmp_path / "backup")
    before = sorted(path for path in (tmp_path / "backup").rglob("*"))
    full = SimpleNamespace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    with pytest.raises(BackupError, match="MiB are to be copied, 0 MiB are free"):
        took(settings, tmp_path / "backup")
    assert sorted(path for path in (tmp_path / "backup").rglob("*")) == before


def test_pictures_that_the_store_lacks_or_that_were_altered_are_counted(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, *(messages(number, 2 * number, picture=True) for number in range(1, 4)))
    place = Place(url_of(settings.database, settings.state_dir), settings.state_dir)
    first, second, _ = sorted(pictures_on(settings.state_dir / "blobs"))
    place.do(f"update blob set segment = 7 where sha256 = '{first}'")
    spoil(place, second, b"\xff\xd8forged")

    made = took(settings, tmp_path / "backup")

    assert (made.manifest.pictures_missing, made.pictures.missing, made.pictures.altered) == (
        2, [first], [second],
    )  # fmt: skip


def test_a_store_of_an_older_version_is_to_be_brought_up_to_date_first(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1))
    with closing(sqlite3.connect(tmp_path / "state" / "station.db")) as database:
        database.execute("update alembic_version set version_num = '0005'")
        database.commit()

    with pytest.raises(StoreError, match="has version 0005"):
        took(settings, tmp_path / "backup")


@pytest.mark.parametrize("name", ["blobs", "blobs/incoming", "database", "manifests", "journal"])
def test_a_link_in_the_folder_is_refused_before_anything_behind_it_is_removed(
    tmp_path: Path, name: str
) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 2, picture=True))
    took(settings, tmp_path / "backup")
    place = tmp_path / "backup" / name
    shutil.rmtree(place)
    place.symlink_to(settings.state_dir)
    before = sorted(settings.state_dir.rglob("*"))

    with pytest.raises(BackupError, match="is a link to elsewhere"):
        took(settings, tmp_path / "backup")

    assert sorted(settings.state_dir.rglob("*")) == before


def test_a_clock_that_once_was_ahead_does_not_let_a_new_backup_go_as_the_oldest(tmp_path: Path) -> None:
    settings, folder = config(tmp_path / "state"), BackupFolder(tmp_path / "backup")
    keep(settings, messages(1, 2))
    for day in range(KEPT):
        take(settings, folder.path, lambda *_: None, now=lambda day=day: 2_082_758_400.0 + 86_400 * day)
    keep(settings, messages(2, 4))

    made = take(settings, folder.path, lambda *_: None, now=lambda: 1_780_000_000.0).manifest

    assert folder.manifest() == made
    assert made.made_ms == 1_780_000_000_000
    assert (folder.path / made.database).exists()


def test_what_is_deleted_by_its_age_while_it_is_copied_is_in_the_copy_and_its_file_goes_later(
    tmp_path: Path,
) -> None:
    place = Place(URL.create("sqlite", database=str(tmp_path / "state" / "station.db")), tmp_path / "state")
    place.folder.mkdir()
    aged = AgedStore(place)
    for number in range(1, 4):
        aged.event(number, 40, picture=b"p%d" % number)
    results = []

    def delete(what: str, _done: int, _all: int) -> None:
        if what == "database" and not results:
            results.append(aged.run(events=30))

    taken = take(config(place.folder), tmp_path / "backup", delete)

    assert results[0].left
    assert (taken.manifest.pictures, taken.manifest.pictures_missing) == (3, 0)
    assert (aged.events(), len(aged.files())) == (set(), 3)
    aged.run(events=30)
    assert aged.files() == set()
    aged.close()
    place.close()
