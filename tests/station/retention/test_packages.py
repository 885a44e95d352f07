"""station.retention.packages"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from station.config import FootageSettings
from station.footage.arrival.intake import FootageIntake
from station.footage.desk import FootageDesk
from station.footage.folder import (
    FOOTAGE,
    FootageFolder,
    FootageRequest,
    FootageStage,
    PackageFolder,
    RequestFolder,
)
from station.footage.samples.folder import SampleFolder
from station.handover import shelf
from station.retention import packages
from station.retention import worker as worker_module
from station.review.states import ReviewState
from station.store.blobs import removal_turn
from station.store.database import engine_of
from station.store.store import Store
from tests.support.aged_store import DAY_S, MINH, AgedStore
from tests.support.footage_requests import package, sent


@pytest.fixture
def came(aged_file: AgedStore) -> RequestFolder:
    """A package of 40 days ago that really came, piece by piece, and shows the event e-1."""
    aged_file.event(1, 40, picture=b"seen")
    folder = asked(aged_file, 40)
    intake = FootageIntake(aged_file.place.folder, FootageSettings().max_bytes)
    with closing(Store(engine_of(aged_file.place.url), aged_file.place.folder, footage=intake)) as store:
        store.commit(store.admitted(list(sent(package(700, 300), first_seq=1_000))))
    desk = FootageDesk(aged_file.place.folder / "no.key")
    desk.settle(FootageFolder(aged_file.place.folder / FOOTAGE).find("north-01", "q-1"))  # type: ignore[arg-type]
    age(folder, aged_file, 40)
    return folder


def asked(aged: AgedStore, days: float, request_id: str = "q-1") -> RequestFolder:
    at = datetime.fromtimestamp(aged.now_s - days * DAY_S, UTC)
    request = FootageRequest(
        id=request_id,
        commune="hai-ninh",
        device="north-01",
        camera="north",
        from_time=at - timedelta(minutes=1),
        to_time=at + timedelta(minutes=1),
        case_number="12/2026",
        purpose="collision",
        officer="Lê Văn A",
        issuer="duty-room",
        asked_at=at,
    )
    return FootageFolder(aged.place.folder / FOOTAGE).new(request, None)


@pytest.fixture
def frames(aged_file: AgedStore) -> SampleFolder:
    """Frames for training that were ordered and came 40 days ago."""
    return aged_file.frames(40)


def age(folder: PackageFolder, aged: AgedStore, days: float) -> None:
    path = folder.path / "state.json"
    state = json.loads(path.read_text())
    at = datetime.fromtimestamp(aged.now_s - days * DAY_S, UTC)
    path.write_text(json.dumps(state | {"changed_at": at.isoformat()}))


def test_a_package_that_is_due_goes_and_who_asked_for_it_stays(
    aged_file: AgedStore, came: RequestFolder
) -> None:
    (came.package / "custody.log").write_text("who had it\n")
    before = aged_file.proven()
    assert before == ([], 0)

    aged_file.run(footage=30)

    assert not came.package.exists()
    assert came.state().stage is FootageStage.DELETED
    assert (came.path / "request.json").is_file()
    assert (came.path / "custody.log").read_text() == "who had it\n"
    (row,) = aged_file.place.rows("select kind, subject, days, item_count, size_bytes > 0 from deletion")
    assert row == ("footage", "north-01/q-1", 30, 1, 1)
    found, deleted = aged_file.proven()
    assert found == []
    assert deleted == len(list(sent(package(700, 300))))


def test_copies_of_a_package_for_a_court_and_for_the_province_go_with_it(came: RequestFolder) -> None:
    for place in (shelf.PLACE, shelf.TO_PROVINCE):
        (came.path / place).mkdir()
        (came.path / place / "handed.zip").write_bytes(b"a copy")

    packages.remove_package(came)

    assert not list(came.path.rglob("*.zip"))


def test_a_package_that_went_without_a_record_stays_a_fault(aged_file: AgedStore, came: RequestFolder) -> None:
    packages.remove_package(came)

    assert len(aged_file.proven()[0]) == len(list(sent(package(700, 300))))


def test_while_a_package_is_here_the_events_in_its_time_stay(aged_file: AgedStore, came: RequestFolder) -> None:
    aged_file.run(events=30)
    assert aged_file.events() == {"e-1"}

    aged_file.run(events=30, footage=30)
    aged_file.run(events=30)
    assert aged_file.events() == set()


def test_a_request_that_is_under_way_holds_them_too_and_one_that_failed_does_not(aged_file: AgedStore) -> None:
    aged_file.event(1, 40)
    folder = asked(aged_file, 40)
    aged_file.run(events=30, footage=1)
    assert aged_file.events() == {"e-1"}

    folder.tell(stage=FootageStage.FAILED)
    aged_file.run(events=30)
    assert aged_file.events() == set()


def test_a_package_that_shows_what_is_held_or_confirmed_stays(
    aged_file: AgedStore, came: RequestFolder
) -> None:
    key = aged_file.key(1)
    aged_file.holds.hold(key, MINH, "12/2026", "collision")
    aged_file.run(footage=30)
    assert came.package.is_dir()
    aged_file.holds.release(key, MINH, "over")

    aged_file.review(1, ReviewState.CONFIRMED)
    aged_file.run(footage=30)
    assert came.package.is_dir()
    aged_file.holds.close(key, MINH, "12/2026", "over")

    aged_file.run(footage=30)
    assert not came.package.exists()


def test_a_young_package_stays(aged_file: AgedStore, came: RequestFolder) -> None:
    age(came, aged_file, 3)
    aged_file.run(footage=30)
    assert came.package.is_dir()


def test_a_removal_that_was_cut_off_after_its_record_is_done_by_the_next_run(
    aged_file: AgedStore, came: RequestFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(_: RequestFolder) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(worker_module, "remove_package", kill)
        with pytest.raises(Killed):
            aged_file.run(footage=30)
    assert came.package.is_dir()

    aged_file.run()

    assert not came.package.exists()
    assert came.state().stage is FootageStage.DELETED
    assert aged_file.place.rows("select count(*), count(ended_ms) from deletion") == [(1, 1)]


def test_while_a_backup_copies_them_packages_stay(aged_file: AgedStore, came: RequestFolder) -> None:
    with removal_turn(aged_file.place.folder, shared=True):
        assert aged_file.run(footage=30).left
    assert came.package.is_dir()


def test_a_package_that_came_back_with_a_backup_goes_again(
    aged_file: AgedStore, came: RequestFolder, tmp_path: Path
) -> None:
    import shutil  # noqa: PLC0415

    shutil.copytree(came.package, tmp_path / "kept")
    aged_file.run(footage=30)
    shutil.copytree(tmp_path / "kept", came.package)

    aged_file.run(footage=30)

    assert not came.package.exists()
    assert aged_file.proven()[0] == []


def test_ordered_frames_go_by_days_of_their_own_and_who_ordered_them_stays(
    aged_file: AgedStore, came: RequestFolder, frames: SampleFolder
) -> None:
    aged_file.run(samples=41)
    assert frames.package.is_dir()

    aged_file.run(samples=30)

    assert not frames.package.exists()
    assert frames.state().stage is FootageStage.DELETED
    assert (frames.path / "request.json").is_file()
    assert (frames.path / "custody.log").read_text() == "who had it\n"
    (row,) = aged_file.place.rows("select kind, subject, days, item_count, size_bytes > 500 from deletion")
    assert row == ("samples", "north-01/s-1", 30, 1, 1)
    assert came.package.is_dir(), "footage has days of its own"


def test_frames_that_are_on_their_way_stay(aged_file: AgedStore, frames: SampleFolder) -> None:
    frames.tell(stage=FootageStage.ARRIVED)
    age(frames, aged_file, 40)

    aged_file.run(samples=30)

    assert frames.package.is_dir()


def test_frames_whose_removal_was_cut_off_go_with_the_next_run(
    aged_file: AgedStore, frames: SampleFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(_: PackageFolder) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(worker_module, "remove_package", kill)
        with pytest.raises(Killed):
            aged_file.run(samples=30)
    assert frames.package.is_dir()

    aged_file.run()

    assert not frames.package.exists()
    assert aged_file.place.rows("select count(*), count(ended_ms) from deletion") == [(1, 1)]
