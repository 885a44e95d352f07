"""station.backup.restore"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import URL

from station.access.audit_entry import AuditVerb
from station.access.audit_log import AuditQuery
from station.backup import restore as module
from station.backup.folder import RESTORING, BackupError, BackupFolder
from station.backup.journal import BackupJournal
from station.backup.restore import Restored, refuse_half, restore
from station.config import StationConfig
from station.ingest.inbound import InboundMessage
from station.store.database import StoreError, url_of
from tests.station.ingest.test_receipts import messages
from tests.station.store.test_store import JPEG, altered, bytes_by
from tests.support.aged_store import DAY_S, AgedStore
from tests.support.backups import config, held, keep, opened, took
from tests.support.kept_events import event_now
from tests.support.people import LAN, People
from tests.support.stores import Place


@pytest.fixture
def settings(tmp_path: Path) -> StationConfig:
    """A store of a few events with pictures, a backup of it, and a journal since."""
    made = config(tmp_path / "state")
    keep(made, *(messages(number, 2 * number, picture=True) for number in range(1, 4)))
    took(made, tmp_path / "backup")
    journaled(made, tmp_path, messages(4, 8, picture=True))
    took(made, tmp_path / "backup")
    return made


def journaled(
    settings: StationConfig, tmp_path: Path, *batches: list[InboundMessage], at_s: float = 2e9
) -> None:
    with closing(BackupJournal(tmp_path / "backup", settings.state_dir, now=lambda: at_s)) as journal:
        keep(settings, *batches, journal=journal.append, now=lambda: at_s)


def brought_back(tmp_path: Path, name: str = "elsewhere", which: str | None = None) -> Restored:
    return restore(config(tmp_path / name), tmp_path / "backup", lambda *_: None, which)


def test_what_the_journal_holds_beyond_it_comes_back_too(settings: StationConfig, tmp_path: Path) -> None:
    """Row by row, also when it came; conflicts and what could not be read as well."""
    event, picture = messages(5, 10, picture=True)
    unreadable = bytes_by("camera/north/event", b"?", 12)
    journaled(settings, tmp_path, [event, picture], [unreadable, altered(event, severity="info")])

    back = brought_back(tmp_path)

    assert (back.holes, back.faults, back.until_ms) == ((), (), 2_000_000_000_000)
    assert held(config(tmp_path / "elsewhere")) == held(settings)


def test_after_a_restore_the_journal_goes_on_and_a_second_loss_loses_nothing_either(
    settings: StationConfig, tmp_path: Path
) -> None:
    journaled(settings, tmp_path, messages(5, 10, picture=True))
    brought_back(tmp_path)
    journaled(config(tmp_path / "elsewhere"), tmp_path, messages(6, 12, picture=True))

    back = brought_back(tmp_path, "third")

    assert back.holes == ()
    assert held(config(tmp_path / "third")) == held(config(tmp_path / "elsewhere"))


def test_without_a_journal_it_is_said_what_a_restore_lacks(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1))
    took(settings, tmp_path / "backup")

    back = brought_back(tmp_path)

    assert back.holes == ("there is no journal beside this backup: what was receipted after it is not in it",)
    assert (back.until_ms, back.faults) == (back.manifest.made_ms, ())


def test_a_place_that_is_not_empty_is_refused_and_left(settings: StationConfig, tmp_path: Path) -> None:
    other = config(tmp_path / "elsewhere")
    keep(other, messages(7, 1))
    before = held(other)

    with pytest.raises(BackupError, match="is not empty"):
        brought_back(tmp_path)
    assert held(other) == before


def test_a_place_with_pictures_only_is_not_empty(settings: StationConfig, tmp_path: Path) -> None:
    shutil.copytree(settings.state_dir / "blobs", tmp_path / "elsewhere" / "blobs")

    with pytest.raises(BackupError, match="is not empty"):
        brought_back(tmp_path)


def test_a_store_in_use_is_refused(settings: StationConfig, tmp_path: Path) -> None:
    with module.claimed(tmp_path / "elsewhere"), pytest.raises(StoreError, match="in use by another process"):
        brought_back(tmp_path)


def test_an_altered_database_is_refused_before_anything_is_written(
    settings: StationConfig, tmp_path: Path
) -> None:
    names = BackupFolder(tmp_path / "backup").names()
    newest = tmp_path / "backup" / "database" / f"{names[-1]}.db"
    whole = bytearray(newest.read_bytes())
    whole[len(whole) // 2] ^= 1
    newest.write_bytes(whole)

    with pytest.raises(BackupError, match="was changed or is damaged") as refused:
        brought_back(tmp_path)
    assert names[0] in refused.value.hint
    assert not (tmp_path / "elsewhere" / "station.db").exists()
    assert brought_back(tmp_path, which=names[0]).faults == ()  # the earlier one, and all of the journal


def test_an_altered_manifest_is_refused(settings: StationConfig, tmp_path: Path) -> None:
    path = max((tmp_path / "backup" / "manifests").iterdir())
    path.write_text(path.read_text().replace('"pictures": 4', '"pictures": 3'))

    with pytest.raises(BackupError, match="was changed or is damaged"):
        brought_back(tmp_path)


def test_altered_and_missing_pictures_are_named_and_the_rest_comes_back(
    settings: StationConfig, tmp_path: Path
) -> None:
    """One that the journal has, too, is none of them."""
    in_journal = messages(4, 8, picture=True)[1].image_sha256
    files = [path for path in (tmp_path / "backup" / "blobs").rglob("*") if path.is_file()]
    first, second, *_ = sorted(path for path in files if path.name != in_journal)
    next(path for path in files if path.name == in_journal).unlink()
    first.unlink()
    second.write_bytes(JPEG)

    back = brought_back(tmp_path)

    assert (back.pictures.missing, back.pictures.altered) == ([first.name], [second.name])
    assert len(back.faults) == 2
    assert in_journal in [name for name, _ in held(config(tmp_path / "elsewhere"))["files"]]


def test_a_journal_that_was_changed_is_said_and_what_is_whole_of_it_comes_back(
    settings: StationConfig, tmp_path: Path
) -> None:
    journaled(settings, tmp_path, messages(5, 10), messages(6, 11), messages(7, 12))
    with closing(opened(settings)) as store:
        assert store.committed("hai-ninh", "north-01", "s-1") == [(2, 12)]
    path = max((tmp_path / "backup" / "journal").glob("*.journal"))
    path.write_bytes(path.read_bytes().replace(b'"seq": 11', b'"seq": 91', 1))

    back = brought_back(tmp_path)

    assert [hole for hole in back.holes if "was changed or is damaged" in hole]
    with closing(opened(config(tmp_path / "elsewhere"))) as store:
        assert store.committed("hai-ninh", "north-01", "s-1") == [(2, 10)]


def test_a_file_of_the_journal_that_is_missing_is_said(settings: StationConfig, tmp_path: Path) -> None:
    for number in range(5, 8):
        journaled(settings, tmp_path, messages(number, 2 * number))
    sorted((tmp_path / "backup" / "journal").glob("*.journal"))[2].unlink()

    assert [hole for hole in brought_back(tmp_path).holes if "are missing" in hole]


def test_a_backup_that_was_cut_off_is_recognised(settings: StationConfig, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "backup" / "manifests")

    with pytest.raises(BackupError, match="holds no whole backup"):
        brought_back(tmp_path)


@pytest.mark.parametrize(("name", "value", "why"), [
    ("commune", "tan-lap", "of the commune tan-lap"),
    ("schema", "9999", "newer station"),
    ("kind", "postgresql", "is of postgresql"),
    ("format", 99, "newer ngatu"),
    ("database", "../../secret", "was changed or is damaged"),
    ("database", "/etc/passwd", "was changed or is damaged"),
    ("more", "than there is", "was changed or is damaged"),
])  # fmt: skip
def test_a_manifest_that_does_not_fit_is_refused_though_its_hash_does(
    settings: StationConfig, tmp_path: Path, name: str, value: object, why: str
) -> None:
    path = max((tmp_path / "backup" / "manifests").iterdir())
    fields = json.loads(path.read_text())["manifest"] | {name: value}
    hash_ = sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"manifest": fields, "sha256": hash_}))

    with pytest.raises(BackupError, match=why):
        brought_back(tmp_path)
    assert not (tmp_path / "elsewhere" / "station.db").exists()


def test_a_restore_that_was_cut_off_goes_on_and_no_station_starts_on_its_half(
    settings: StationConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journaled(settings, tmp_path, messages(5, 10, picture=True))
    for step in ("put_database", "copy_pictures", "begin_after", "findings"):
        real = getattr(module, step)

        def cut(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(module, step, cut)
        with pytest.raises(KeyboardInterrupt):
            brought_back(tmp_path)
        monkeypatch.setattr(module, step, real)
        with pytest.raises(StoreError, match="a restore was cut off here"):
            refuse_half(tmp_path / "elsewhere")

    assert brought_back(tmp_path).holes == ()
    refuse_half(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / RESTORING).exists()
    assert held(config(tmp_path / "elsewhere")) == held(settings)


def test_half_of_another_restore_is_not_gone_on_with(settings: StationConfig, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / RESTORING).write_text(json.dumps({"database": "f" * 64, "is_put": True}))

    with pytest.raises(BackupError, match="half of another restore"):
        brought_back(tmp_path)


def test_what_was_brought_back_belongs_to_its_backup(settings: StationConfig, tmp_path: Path) -> None:
    brought_back(tmp_path)
    other = config(tmp_path / "elsewhere")
    with closing(opened(other)) as store:
        store.commit(messages(8, 20, picture=True))

    assert took(other, tmp_path / "backup").pictures.fresh == 1


def test_nobody_is_logged_in_by_a_backup_and_the_consoles_log_says_that_it_came_back(tmp_path: Path) -> None:
    made = config(tmp_path / "state")
    keep(made, messages(1, 1))
    people = People(Place(url_of(made.database, made.state_dir), made.state_dir))
    people.somebody("lan")
    session = people.sessions.begin(people.accounts.find("lan"), "10.0.0.7", "")  # type: ignore[arg-type]
    people.audit.note(LAN, AuditVerb.LOOK_UP)
    took(made, tmp_path / "backup")
    people.audit.note(LAN, AuditVerb.EXPORT)
    assert people.sessions.find(session.token)
    people.place.close()

    brought_back(tmp_path)
    there = config(tmp_path / "elsewhere")
    back = People(Place(url_of(there.database, there.state_dir), there.state_dir))
    found = list(back.audit.every(AuditQuery()))

    assert back.sessions.find(session.token) is None
    assert back.accounts.find("lan") is not None
    of_accounts = [AuditVerb.PASSWORD_CHANGED, AuditVerb.ACCOUNT_MADE]
    assert [each.verb for each in found] == ["restored", "look_up", *of_accounts]
    assert back.audit.verify().broken is None
    back.place.close()


def test_after_the_restore_of_an_older_backup_retention_deletes_again_what_had_gone(tmp_path: Path) -> None:
    """What was deleted after the backup comes back with it, and goes at the station's next run."""
    place = Place(URL.create("sqlite", database=str(tmp_path / "state" / "station.db")), tmp_path / "state")
    place.folder.mkdir()
    before = AgedStore(place)
    before.event(1, 40, picture=b"old")
    before.event(2, 3, picture=b"young")
    took(config(place.folder), tmp_path / "backup")
    before.run(events=30)
    assert before.events() == {"e-2"}
    before.close()

    assert brought_back(tmp_path).faults == ()
    other = Place(
        URL.create("sqlite", database=str(tmp_path / "elsewhere" / "station.db")), tmp_path / "elsewhere"
    )
    after = AgedStore(other)
    assert after.events() == {"e-1", "e-2"}
    after.run(events=30)

    assert after.events() == {"e-2"}
    assert after.files() == after.rows_of_files()
    assert after.proven() == ([], 2)
    after.close()


def test_a_backup_of_after_a_deletion_comes_back_as_it_is_and_the_journal_brings_nothing_back(
    tmp_path: Path,
) -> None:
    """The journal holds what came before the deletion, too."""
    place = Place(URL.create("sqlite", database=str(tmp_path / "state" / "station.db")), tmp_path / "state")
    place.folder.mkdir()
    aged = AgedStore(place)
    settings = config(place.folder)
    took(settings, tmp_path / "backup")
    with closing(BackupJournal(tmp_path / "backup", place.folder, now=time.time)) as journal:
        event = event_now(1, ago_s=40 * DAY_S, severity="info", phase="end", end_reason="left")
        picture = aged.picture(1, b"old")
        keep(settings, [event, picture], journal=journal.append, now=lambda: time.time() - 40 * DAY_S)
        aged.run(events=30)
        assert aged.events() == set()
        took(settings, tmp_path / "backup")
    aged.close()

    back = brought_back(tmp_path)

    assert (back.faults, back.journal_messages) == ((), 2)
    after = AgedStore(
        Place(URL.create("sqlite", database=str(tmp_path / "elsewhere" / "station.db")), tmp_path / "elsewhere")
    )
    assert (after.events(), after.files()) == (set(), set())
    assert after.proven() == ([], 2)
    after.close()
