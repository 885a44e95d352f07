"""station.boxes.standing"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from station.boxes.standing import GONE_SHOWN_MS, MOST_SHOWN, BoxGaps, BoxStanding, newest_pictures, standings
from station.ingest.alarms import AlarmKind
from station.store.alarms import raise_alarm
from station.store.database import StoreError, engine_of
from tests.support.stores import Place
from tests.support.told_boxes import COMMUNE, ToldBox, commune_of_every_kind
from tests.support.told_events import born

NOW_S = 1_795_860_000.0


def one(place: Place, device: str = "hn-01", now_s: float = NOW_S) -> BoxStanding:
    (found,) = [each for each in standings(place.engine, COMMUNE, round(now_s * 1000)) if each.device == device]
    return found


def test_a_box_stands_as_it_told_last(place: Place) -> None:
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit(list(commune_of_every_kind(NOW_S)))
        found = standings(place.engine, COMMUNE, round(NOW_S * 1000))
        well = found[0]

        assert [each.device for each in found] == [f"hn-0{number}" for number in range(1, 9)]
        assert (well.title, well.state, well.is_online, well.speaks) == (
            "Ngã tư chợ Hải Ninh",
            "online",
            True,
            True,
        )
        assert well.since_ms == well.word_ms == round(NOW_S * 1000)
        assert well.health_age_ms == 0
        assert [(each.name, each.title, each.state) for each in well.cameras] == [
            ("north", "Cổng chợ", "streaming"),
            ("south", "Bến xe", "streaming"),
        ]
        assert well.cameras[0].recording is not None
        assert {each.device: each.state for each in found}["hn-05"] == "offline"
        blind = one(place, "hn-04")
        assert [(each.state, each.reason) for each in blind.cameras] == [
            ("blind", "covered"),
            ("streaming", None),
        ]
        paused = one(place, "hn-07").cameras[0]
        assert (paused.state, paused.paused) == ("disabled", True)
        assert standings(place.engine, "another-commune", 0) == ()


def test_a_box_that_never_said_how_it_is_stands_as_unknown_and_is_called_by_its_id(sqlite_place: Place) -> None:
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([ToldBox("hn-01", NOW_S).camera()])
        found = one(sqlite_place)

    assert (found.title, found.state, found.since_ms, found.speaks) == ("hn-01", None, None, False)
    assert [(each.name, each.title, each.state) for each in found.cameras] == [("north", "north", "streaming")]


def test_a_camera_that_the_box_has_no_more_is_not_shown_and_one_that_said_nothing_is(
    sqlite_place: Place,
) -> None:
    box = ToldBox("hn-01", NOW_S, cameras={"south": "Bến xe"})
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([box.status(), box.camera("north"), box.info()])
        found = one(sqlite_place)

    assert [(each.name, each.state, each.since_ms) for each in found.cameras] == [("south", "unknown", None)]


def test_of_a_box_that_claims_more_cameras_than_a_box_has_the_others_are_counted_only(place: Place) -> None:
    named = {f"c{at:03}": f"C {at}" for at in range(MOST_SHOWN + 36)}
    claims, spoke = ToldBox("hn-01", NOW_S, cameras=named), ToldBox("hn-02", NOW_S)
    both = ToldBox("hn-03", NOW_S, cameras={"z-north": "Bắc"})
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit([claims.status(), claims.info()])
        for box in (spoke, both):
            store.commit([box.status(), *(box.camera(name) for name in named)])
        store.commit([both.info(), both.camera("z-north")])

        for device in ("hn-01", "hn-02"):
            found = one(place, device)
            assert [each.name for each in found.cameras] == sorted(named)[:MOST_SHOWN]
            assert found.more_cameras == 36
        found = one(place, "hn-03")
    assert [(each.name, each.state) for each in found.cameras] == [("z-north", "streaming")]
    assert found.more_cameras == 0


def test_the_newest_word_of_a_box_that_is_away_is_its_own_and_not_the_broker_s(sqlite_place: Place) -> None:
    """The will comes much later, and again whenever the station starts."""
    box, later_s = ToldBox("hn-01", NOW_S), NOW_S + 7200
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit(box.well())
    with closing(sqlite_place.open(now=lambda: later_s)) as store:
        store.commit([box.status("offline")])
        found = one(sqlite_place, now_s=later_s)

    assert found.since_ms == round(later_s * 1000)
    assert found.word_ms == round(NOW_S * 1000)
    assert found.health_age_ms == 7_200_000


def test_a_report_that_the_broker_kept_is_as_old_as_its_box_says_if_somebody_vouches_for_its_clock(
    sqlite_place: Place,
) -> None:
    vouched, alone = ToldBox("hn-01", NOW_S), ToldBox("hn-02", NOW_S)
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([vouched.status(), vouched.health(ago_s=900), alone.status()])
        store.commit([alone.health(ago_s=900, clock={"state": "floor"})])

        assert one(sqlite_place, "hn-01").health_age_ms == 900_000
        assert one(sqlite_place, "hn-02").health_age_ms == 0


def test_a_report_of_an_earlier_life_says_nothing_of_this_one(sqlite_place: Place) -> None:
    box = ToldBox("hn-01", NOW_S)
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit(box.well())
        box.session = "life-2"
        store.commit([box.status(), box.info()])

        assert not one(sqlite_place).speaks


def test_alarms_and_gaps_stand_with_their_box(place: Place) -> None:
    now_ms = round(NOW_S * 1000)
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit([*ToldBox("hn-01", NOW_S).well(), *ToldBox("hn-02", NOW_S).well()])
        store.commit(
            [
                ToldBox("hn-02", NOW_S).message(
                    "hello", b'{"session":"a","stream":"s","time":"2026-11-27T00:00:00Z"}'
                )
            ]
        )
        with place.engine.begin() as connection:
            ids = dict(place.rows("select device, id from box"))
            raise_alarm(connection, AlarmKind.SECOND_HOLDER, ids["hn-02"], now_ms, "x")
            raise_alarm(connection, AlarmKind.BACKUP_DUE, None, now_ms, "x")
        (stream_id,) = [row[0] for row in place.rows("select id from stream")]
        for number, (state, opened_ms) in enumerate(
            (("open", 5), ("gone", now_ms - GONE_SHOWN_MS + 1), ("gone", now_ms - GONE_SHOWN_MS - 1))
        ):
            place.do(
                "insert into gap (stream_id, first, last, missing, state, opened_ms) "
                f"values ({stream_id}, {number}, {number}, {number + 3}, '{state}', {opened_ms})"
            )

        assert (one(place, "hn-01").alarms, one(place, "hn-01").gaps) == ((), BoxGaps())
        assert one(place, "hn-02").is_second_holder
        assert one(place, "hn-02").gaps == BoxGaps(missing=3, gone=4)


def test_the_newest_picture_of_a_camera_is_what_was_ordered_or_an_alert_s_view(sqlite_place: Place) -> None:
    box = ToldBox("hn-01", NOW_S, cameras={"north": "N", "south": "S"})
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([*box.well(), box.snapshot(seq=1, shade=80)])
    later = box.snapshot(seq=2, shade=120)
    with closing(sqlite_place.open(now=lambda: NOW_S + 60)) as store:
        store.commit([later])
        standing = one(sqlite_place)
        found = newest_pictures(sqlite_place.engine, standing.id, ("north", "south"))

    assert set(found) == {"north"}
    assert (found["north"].sha256, found["north"].ordered) == (later.image_sha256, True)
    assert found["north"].at_ms == round((NOW_S + 60) * 1000)


def test_a_store_that_cannot_be_read_is_told_in_words(sqlite_place: Place) -> None:
    engine = engine_of(sqlite_place.url, writes=False)
    with pytest.raises(StoreError):
        standings(engine, COMMUNE, 0)
    with pytest.raises(StoreError):
        newest_pictures(engine, 1, ("north",))
    engine.dispose()


@pytest.mark.long
def test_two_hundred_boxes_are_read_in_a_moment(sqlite_place: Place) -> None:
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        for number in range(200):
            store.commit(ToldBox(f"box-{number:03}", NOW_S, cameras={"a": "A", "b": "B"}).well())
        began_s = time.perf_counter()
        found = standings(sqlite_place.engine, COMMUNE, round(NOW_S * 1000))

    assert len(found) == 200
    assert time.perf_counter() - began_s < 2.0


def test_cameras_of_one_title_stand_with_their_names_and_what_hides_in_one_is_not_shown(place: Place) -> None:
    at = datetime.fromtimestamp(NOW_S, UTC)
    cameras = {"north": "Cổng chợ", "south": "Cổng\u200b chợ", "east": "Cầu\u202e"}
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit([born("hn-01", "Ngã tư", cameras, at)])
        shown = {each.name: each.title for each in one(place).cameras}

    assert shown == {"north": "Cổng chợ (north)", "south": "Cổng chợ (south)", "east": "Cầu\ufffd"}
