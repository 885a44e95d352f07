"""station.labels.export"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import NgatuError, UsageError
from models.dataset.formats import read_dataset
from models.label.workplace import Workplace
from station.access.audit_entry import AT_THE_MACHINE, Actor
from station.access.audit_log import AuditLog, AuditQuery
from station.labels.export import LabelGrounds, LabelSource
from station.labels.judged import LabelWish
from station.store.database import StoreError, engine_of
from tests.station.labels.test_judged import DAY
from tests.support.disks import small_disk
from tests.support.jpegs import jpeg
from tests.support.judged_alerts import BEGAN, JudgedAlerts, road, whole_view
from tests.support.kept_pictures import as_before_segments
from tests.support.stores import Place

BY = Actor("", "root", "", AT_THE_MACHINE)
GROUNDS = LabelGrounds("a better detector", "Decision 12")


@pytest.fixture
def alerts(sqlite_place: Place) -> JudgedAlerts:
    made = JudgedAlerts(sqlite_place)
    for number in range(1, 5):
        made.alert(number)
    made.settle(1, "confirmed")
    made.settle(2, "false", "foliage")
    made.settle(3, "false", "normal_traffic")
    return made


@pytest.fixture
def source(alerts: JudgedAlerts) -> Iterator[LabelSource]:
    reads, writes = engine_of(alerts.place.url, writes=False), engine_of(alerts.place.url)
    yield LabelSource(reads, AuditLog(writes, alerts.place.folder), alerts.place.folder / "blobs")
    for engine in (reads, writes):
        engine.dispose()


def noted(alerts: JudgedAlerts) -> list[dict[str, object]]:
    engine = engine_of(alerts.place.url)
    found = [each.details for each in AuditLog(engine, alerts.place.folder).every(AuditQuery(verb="export"))]
    engine.dispose()
    return found[::-1]


def file_of(alerts: JudgedAlerts, number: int) -> Path:
    """The picture of one, which is put into a file of its own."""
    ((sha256,),) = alerts.place.rows(f"select scene_sha256 from event where event_id = 'e-{number}'")
    return next(path for path in as_before_segments(alerts.place) if path.name == sha256)


def test_what_was_judged_becomes_a_folder_and_stands_in_the_log(
    alerts: JudgedAlerts, source: LabelSource, tmp_path: Path
) -> None:
    done = source.export(DAY, tmp_path / "set", GROUNDS, BY)

    assert (done.pictures, done.there, done.ruled_out, dict(done.left_out)) == (2, 1, 1, {"nothing_said": 1})
    assert {each.name for each in (tmp_path / "set").iterdir()} == {"images", "instances.json"}
    assert len(list((tmp_path / "set/images").iterdir())) == 2
    assert (tmp_path / "set").stat().st_mode & 0o077 == 0, "pictures of people: nobody else looks in"
    (entry,) = noted(alerts)
    assert (entry["form"], entry["purpose"], entry["legal_basis"], entry["count"]) == (
        "labels", "a better detector", "Decision 12", 2,
    )  # fmt: skip


def test_what_cannot_be_noted_is_not_written(alerts: JudgedAlerts, source: LabelSource, tmp_path: Path) -> None:
    """Invariant 1."""
    alerts.place.do("create trigger refuse before insert on audit_entry begin select raise(abort, 'no'); end")

    with pytest.raises(StoreError):
        source.export(DAY, tmp_path / "set", GROUNDS, BY)

    assert [each.name for each in tmp_path.iterdir() if "set" in each.name] == []


def test_on_a_full_disk_nothing_is_left_but_one_clear_error(
    alerts: JudgedAlerts, source: LabelSource, tmp_path: Path
) -> None:
    """Invariant 2."""
    with small_disk(tmp_path / "stick", "100k") as stick:
        with pytest.raises(NgatuError, match="No space left on device") as full:
            source.export(DAY, stick / "set", GROUNDS, BY)
        assert list(stick.iterdir()) == []

    assert full.value.hint == "look at the rights, and at the room that is left there"
    assert len(noted(alerts)) == 1, "that it was begun stands in the log"


def test_what_another_export_has_begun_is_left_alone(source: LabelSource, tmp_path: Path) -> None:
    (tmp_path / ".set.unfinished").mkdir()

    with pytest.raises(UsageError, match="at work there, or was cut off"):
        source.export(DAY, tmp_path / "set", GROUNDS, BY)

    assert (tmp_path / ".set.unfinished").is_dir()
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(("name", "said"), [("", "is there already"), ("none/set", "there is no folder")])
def test_a_place_that_cannot_be_is_refused_before_anything_is_noted(
    alerts: JudgedAlerts, source: LabelSource, tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        source.export(DAY, tmp_path / name, GROUNDS, BY)
    with pytest.raises(UsageError, match="belongs to a station's store"):
        source.export(DAY, alerts.place.folder / "blobs" / "set", GROUNDS, BY)

    assert noted(alerts) == []


def test_a_picture_whose_file_is_gone_or_shows_something_else_is_left_out_and_counted(
    alerts: JudgedAlerts, source: LabelSource, tmp_path: Path
) -> None:
    alerts.alert(5, picture=jpeg(b"no frame"))
    alerts.settle(5, "confirmed")
    file_of(alerts, 2).unlink()

    done = source.export(DAY, tmp_path / "set", GROUNDS, BY)

    assert (done.pictures, dict(done.left_out)) == (1, {"nothing_said": 1, "no_picture": 1, "elsewhere": 1})
    file_of(alerts, 1).write_bytes(jpeg())
    with pytest.raises(NgatuError, match="none of 3 pictures can be used"):
        source.export(DAY, tmp_path / "other", GROUNDS, BY)
    assert not (tmp_path / "other").exists()


def test_what_goes_by_its_age_while_the_set_is_made_is_not_in_it(
    alerts: JudgedAlerts, source: LabelSource, tmp_path: Path
) -> None:
    """Invariant 3: the database lets it go as soon as its first picture is written, as retention would."""
    alerts.place.do(
        "create trigger goes after insert on audit_entry begin"
        " delete from event_feed where event_id = 'e-1'; delete from event where event_id = 'e-1'; end"
    )

    done = source.export(DAY, tmp_path / "set", GROUNDS, BY)

    assert (done.pictures, done.left_out["no_picture"]) == (1, 1)
    content = json.loads((tmp_path / "set/instances.json").read_text())
    assert [each["mark"]["event"] for each in content["images"]] == ["e-2"]
    assert len(list((tmp_path / "set/images").iterdir())) == 1


def test_where_nothing_was_judged_nothing_is_made(
    alerts: JudgedAlerts, source: LabelSource, tmp_path: Path
) -> None:
    with pytest.raises(NgatuError, match="of 0 reviewed events none teaches") as nothing:
        source.export(LabelWish(0, 1), tmp_path / "set", GROUNDS, BY)

    assert "label.md" in (nothing.value.hint or "")
    assert not (tmp_path / "set").exists()
    assert noted(alerts) == []


def test_the_page_for_labels_opens_it_with_what_was_judged_and_writes_what_somebody_has_completed(
    source: LabelSource, tmp_path: Path
) -> None:
    source.export(DAY, tmp_path / "set", GROUNDS, BY)
    with closing(Workplace(tmp_path / "set")) as workplace:
        rows = [workplace.store.picture(each["id"]) for each in workplace.store.summaries()]
        one, two = [row for row in rows if row is not None]
        assert [box.label for box in one.sheet.boxes] == ["motorcycle"]
        assert (one.sheet.state, two.sheet.state, two.sheet.boxes) == ("open", "open", ())
        assert (one.camera, one.taken) == ("hai-ninh/north-01/north", BEGAN + timedelta(minutes=1))
        assert read_dataset(tmp_path / "set").images == ()
        for row in (one, two):
            workplace.store.save(row.id, row.sheet.model_copy(update={"state": "done"}), 0)
        workplace.write_out()

    there, nothing = read_dataset(tmp_path / "set").images
    assert (
        [each.label for each in there.annotations]
        == [each.label for each in nothing.ruled_out]
        == ["motorcycle"]
    )
    assert there.annotations[0].box == pytest.approx(nothing.ruled_out[0].box)
    assert (there.ruled_out, nothing.annotations) == ((), ())


def test_a_picture_in_the_set_has_no_frame(source: LabelSource, tmp_path: Path) -> None:
    source.export(DAY, tmp_path / "set", GROUNDS, BY)

    for picture in (tmp_path / "set/images").iterdir():
        assert picture.read_bytes() not in (whole_view(road(1)), whole_view(road(2)))
