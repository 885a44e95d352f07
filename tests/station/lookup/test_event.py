"""station.lookup.event"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.language import translated
from station.lookup.event import MOST_ZONES, FrameBox, WholeEvent, whole_event
from tests.support.jpegs import jpeg
from tests.support.stores import Place
from tests.support.told_events import event_at, picture_of, road_user

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
FRAME = {"frame": {"width_px": 640, "height_px": 480}, "model": {"name": "yolox-nano", "sha256": "a" * 64}}


def whole(place: Place, number: int = 1, box: str = "north-01") -> WholeEvent:
    ((box_id,),) = place.rows(f"select id from box where device = '{box}'")
    found = whole_event(place.engine, (box_id, f"e-{number}"))
    assert found is not None
    return found


def seen(**fields: Any) -> dict[str, Any]:
    return {"object": road_user(1, SIX, **fields)}


def test_an_event_has_all_its_messages_with_what_is_new_in_each(place: Place) -> None:
    image, picture = picture_of(jpeg(), 1, 9)
    messages = [
        event_at(1, SIX, lasts_s=None, image=image, **seen(label="car", riders=0)),
        event_at(1, SIX, seq=2, revision=2, lasts_s=None, **seen(riders=2, entered_zones=["gate"])),
        event_at(1, SIX, seq=3, revision=3, severity="alert", lasts_s=None,
                 **seen(riders=2, entered_zones=["gate", "lane"], stationary=True)),
        event_at(1, SIX, seq=4, revision=5, severity="alert", **seen(riders=2, entered_zones=["gate", "lane"])),
    ]  # fmt: skip
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([*messages[::-1], picture])

    found = whole(place)

    assert [step.revision for step in found.steps] == [1, 2, 3, 5]
    assert [list(map(str, step.changes)) for step in found.steps] == [
        ["it began", "a picture came with it"],
        ["taken for motorcycle, before for car", "2 people, before 0", "entered gate"],
        ["entered lane", "it stands", "it is an alert now"],
        ["1 messages before this one are missing", "it moves on", "it ended: left"],
    ]
    assert translated(found.steps[1].changes[0], "vi") == "nhận là xe máy, trước đó là ô tô"


def test_of_very_many_zones_that_were_entered_at_once_some_are_named_and_the_rest_counted(place: Place) -> None:
    """Each other message of a hostile box names thousands, and the one between them none."""
    zones = [f"z{at}" for at in range(MOST_ZONES + 300)]
    messages = [
        event_at(1, SIX, seq=at, revision=at, lasts_s=None, **seen(entered_zones=zones if at % 2 == 0 else []))
        for at in range(1, 7)
    ]
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit(messages)

    found = whole(place)

    assert [len(step.changes) for step in found.steps] == [1, *[MOST_ZONES + 1, 1] * 2, MOST_ZONES + 1]
    assert found.steps[1].changes[-1] == "entered 300 more zones"


def test_its_path_and_place_are_in_fractions_of_the_frame(place: Place) -> None:
    scene, picture = picture_of(jpeg(), 1, 9, kind="scene")
    at_scene = {"left": 0.1, "top": 0.2, "right": 0.3, "bottom": 0.4}
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(1, SIX, lasts_s=None, scene=scene, **FRAME, **seen(box=at_scene)), picture])
        store.commit([event_at(1, SIX, seq=2, revision=2, suppressed=3, **FRAME, **seen(top_score=0.95))])

    detail = whole(place).detail

    assert detail.box == FrameBox(0.1, 0.2, 0.3, 0.4), "as it stands in the picture that is shown"
    assert detail.path == ((0.0, 0.1, 0.6), (0.5, 0.3, 0.65), (1.0, 0.45, 0.7))
    assert (detail.frame, detail.model, detail.top_score, detail.suppressed) == (
        (640, 480),
        "yolox-nano",
        0.95,
        3,
    )
    assert (detail.clock_error_ms, detail.seen_ms) == (3, round(SIX.timestamp() * 1000))


def test_it_has_neighbours_at_its_camera_and_at_others_within_a_minute(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(number, SIX + timedelta(seconds=20 * number)) for number in range(1, 12)])
        store.commit(
            [
                event_at(21, SIX + timedelta(seconds=125), camera="south", seq=21),
                event_at(22, SIX + timedelta(seconds=90), box="east-02", seq=22),
                event_at(23, SIX + timedelta(seconds=185), box="east-02", seq=23),
                event_at(24, SIX + timedelta(seconds=60), box="east-02", seq=24),
            ]
        )

    found = whole(place, 6)

    assert [card.event_id for card in found.before] == ["e-5", "e-4", "e-3", "e-2"]
    assert [card.event_id for card in found.after] == ["e-7", "e-8", "e-9", "e-10"]
    assert [card.event_id for card in found.nearby] == ["e-21", "e-22", "e-24"]


def test_other_events_of_the_same_road_user_are_named(place: Place) -> None:
    same = {"track_id": "t-7"}
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit(
            [event_at(number, SIX + timedelta(seconds=number), **seen(**same)) for number in (3, 1, 2)]
        )
        store.commit([event_at(9, SIX, box="east-02", **seen(**same)), event_at(8, SIX)])

    assert [card.event_id for card in whole(place, 2).same_road_user] == ["e-1", "e-3"]


def test_there_is_no_event_without_one(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(1, SIX)])

    assert whole_event(place.engine, (1, "e-2")) is None
    assert whole_event(place.engine, (99, "e-1")) is None


def test_a_message_that_is_read_no_more_is_said_to_be_so(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(1, SIX)])
    place.do("update event_revision set body = '{'")

    found = whole(place)

    assert list(map(str, found.steps[0].changes)) == ["this message cannot be read any more"]
    assert (found.detail.path, found.detail.box) == ((), None)
