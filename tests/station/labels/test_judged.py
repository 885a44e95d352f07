"""station.labels.judged"""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.wire.payloads import BoxPayload
from station.labels.judged import JudgedEvent, LabelWish, judged_events, still_there
from station.labels.verdict import LabelVerdict
from station.store.database import StoreError, engine_of
from tests.support.judged_alerts import BEGAN, JudgedAlerts
from tests.support.stores import Place

DAY = LabelWish(round(BEGAN.timestamp() * 1000), round(BEGAN.timestamp() * 1000) + 86_400_000)
THERE = BoxPayload(left=0.4, top=0.5, right=0.5, bottom=0.7)


@pytest.fixture
def alerts(place: Place) -> JudgedAlerts:
    return JudgedAlerts(place)


def found(place: Place, wish: LabelWish = DAY) -> list[JudgedEvent | str]:
    return list(judged_events(place.engine, wish))


def test_each_review_gives_what_it_says_of_the_place_in_the_picture(alerts: JudgedAlerts) -> None:
    for number in range(1, 5):
        alerts.alert(number)
    alerts.settle(1, "confirmed")
    alerts.settle(2, "false", "animal")
    alerts.settle(3, "false", "wrong_label", "bicycle")
    alerts.settle(4, "false", "normal_traffic")

    *taught, left_out = found(alerts.place)

    assert left_out == "nothing_said"
    assert all(isinstance(each, JudgedEvent) and each.place == THERE for each in taught)
    assert [each.verdict for each in taught if isinstance(each, JudgedEvent)] == [
        LabelVerdict("motorcycle", is_there=True),
        LabelVerdict("motorcycle", is_there=False),
        LabelVerdict("bicycle", is_there=True),
    ]
    first = taught[0]
    assert isinstance(first, JudgedEvent)
    assert (first.commune, first.device, first.camera, first.model) == (
        "hai-ninh", "north-01", "north", "yolox-nano-416",
    )  # fmt: skip
    assert first.taken == BEGAN + timedelta(minutes=1)


def test_the_place_is_that_of_the_picture_and_the_label_that_of_the_moment_of_judging(
    alerts: JudgedAlerts,
) -> None:
    alerts.alert(1, label="car")
    alerts.later(1, 1, label="truck")
    alerts.settle(1, "confirmed")
    alerts.alert(2, label="car")
    alerts.settle(2, "confirmed")
    alerts.later(2, 90, label="truck")

    one, two = found(alerts.place)

    assert isinstance(one, JudgedEvent) and isinstance(two, JudgedEvent)
    assert (one.place, one.verdict.label) == (THERE, "truck"), "he saw a truck confirmed"
    assert (two.place, two.verdict.label) == (THERE, "car"), "that it became a truck nobody has judged"


def test_what_has_no_picture_no_road_user_or_no_judgement_teaches_nothing(alerts: JudgedAlerts) -> None:
    alerts.alert(1)
    alerts.without_road_user(2)
    for number in (3, 4, 5):
        alerts.alert(number)
    for number in (1, 2):
        alerts.settle(number, "confirmed")
    alerts.settle(3, "passed_on")
    alerts.settle(4, "confirmed")
    alerts.settle(4, "new")
    sha256 = alerts.place.rows("select scene_sha256 from event where event_id = 'e-1'")[0][0]
    for table in ("picture", "blob"):
        alerts.place.do(f"delete from {table} where sha256 = '{sha256}'")

    assert found(alerts.place) == ["no_picture", "no_road_user"], "of the others nobody has judged anything"


def test_an_event_that_was_deleted_by_its_age_is_not_in_it_though_its_review_stays(
    alerts: JudgedAlerts,
) -> None:
    for number in (1, 2):
        alerts.alert(number)
        alerts.settle(number, "confirmed")
    keys = [alerts.key(1), alerts.key(2)]
    assert still_there(alerts.place.engine, keys) == set(keys)
    for table in ("event_feed", "event_revision", "event"):
        alerts.place.do(f"delete from {table} where event_id = 'e-1'")

    assert still_there(alerts.place.engine, keys) == {alerts.key(2)}
    assert found(alerts.place)[0] == "no_picture"


def test_only_what_is_wanted_is_read(alerts: JudgedAlerts) -> None:
    for number in (1, 2, 3):
        alerts.alert(number)
        alerts.settle(number, "confirmed")
    second_ms = round((BEGAN + timedelta(minutes=2)).timestamp() * 1000)

    def count(**fields: tuple[str, ...]) -> int:
        return len(found(alerts.place, LabelWish(DAY.since_ms, DAY.until_ms, **fields)))

    assert len(found(alerts.place, LabelWish(second_ms, second_ms + 60_000))) == 1
    assert (count(boxes=("north-01",)), count(boxes=("south-01",))) == (3, 0)
    assert (count(cameras=("north",)), count(cameras=("north-01/north",))) == (3, 3)
    assert (count(cameras=("south",)), count(cameras=("south-01/north",))) == (0, 0)


def test_a_store_that_cannot_be_read_is_one_clear_error(sqlite_place: Place) -> None:
    engine = engine_of(sqlite_place.url)
    with pytest.raises(StoreError):
        list(judged_events(engine, DAY))
    with pytest.raises(StoreError):
        still_there(engine, [(1, "e-1")])
    engine.dispose()
