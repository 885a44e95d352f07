"""station.web.boxes.box_view"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.wire.payloads import MOST_CAMERAS, MOST_DEGRADED
from station.access.roles import Role
from station.boxes.history import StateChange
from station.boxes.order_kinds import BoxWish, OrderGiver, OrderKind, OrderProgress, OrderStage
from station.boxes.standing import MOST_SHOWN, NewestPicture
from station.boxes.wall import BoxesNow, BoxWall
from station.ingest.inbound import InboundMessage
from station.web.boxes.box_view import MOST_FINDINGS, BoxView
from station.web.render import Templates
from tests.support.stores import Place
from tests.support.told_boxes import COMMUNE, ToldBox, commune_of_every_kind

NOW_S = 1_795_860_000.0
NOW_MS = round(NOW_S * 1000)
TEMPLATES = Templates(ZoneInfo("Asia/Ho_Chi_Minh"), lambda: NOW_S)
GIVER = OrderGiver("lan", "Trần Thị Lan", Role.OFFICER)


@pytest.fixture
def now(sqlite_place: Place) -> Iterator[BoxesNow]:
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit(list(commune_of_every_kind(NOW_S)))
        yield BoxWall(sqlite_place.engine, COMMUNE, lambda: NOW_S).now()


def view(language: str = "vi", later_s: float = 0.0) -> BoxView:
    return BoxView(TEMPLATES, language, NOW_MS + round(later_s * 1000))


def texts(value: Any) -> Iterator[str]:
    """Every text that is shown."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in ("key", "href", "verdict", "tone", "stage", "state", "picture"):
                yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def standing_now(place: Place, messages: Iterable[InboundMessage]) -> BoxesNow:
    """What a store that got these says of its boxes."""
    with closing(place.open(now=lambda: NOW_S)) as store:
        store.commit(list(messages))
        return BoxWall(place.engine, COMMUNE, lambda: NOW_S).now()


def page(now: BoxesNow, device: str, language: str = "vi", **more: Any) -> dict[str, Any]:
    found = now.find(device)
    assert found is not None
    values = {"pictures": {}, "changes": (), "orders": ()} | more
    return view(language).box(found, values["pictures"], values["changes"], values["orders"])


def test_the_wall_says_what_is_wrong_first_in_both_languages(now: BoxesNow) -> None:
    vi, en = view().wall(now), view("en").wall(now)

    assert [each["verdict"] for each in vi["boxes"]] == ["broken"] * 4 + ["look"] * 2 + ["well"] * 2
    assert (vi["count_broken"], vi["count_look"], vi["count_well"]) == ("4", "2", "2")
    assert (vi["none_broken"], view().wall(BoxesNow(NOW_MS, (), ()))["none_broken"]) == (False, True)
    away = next(each for each in en["boxes"] if each["key"] == "hn-05")
    assert away["findings"][0]["what"] == "The box is not connected"
    assert (away["state"], away["cameras"], away["heat"]) == ("not connected", "cameras: 1", "")
    well = next(each for each in en["boxes"] if each["key"] == "hn-01")
    assert (well["word"], well["cameras"], well["heat"]) == ("0 s ago", "cameras that see: 2 of 2", "58 °C")
    assert vi["read"] == "17:00:00"


def test_no_text_is_the_same_in_both_languages_but_names_and_figures(now: BoxesNow) -> None:
    for each in now.boxes:
        device = each.standing.device
        same = set(texts(page(now, device))) & set(texts(page(now, device, "en")))
        names = {each.standing.title, device, *(camera.title for camera in each.standing.cameras)}
        left = {text for text in same - names if any(letter.isalpha() for letter in text)}
        assert left <= {"58 °C", "78 °C", "yolox-nano", "abab abab"}, left


def test_of_a_box_that_is_away_nothing_is_shown_as_now(now: BoxesNow) -> None:
    away = page(now, "hn-05", "en")
    (camera,) = away["cameras_list"]

    assert away["old"]
    assert (camera["state_words"], camera["tone"]) == ("not known now", "away")
    assert camera["since"] == "last known at 17:00:00: sees"
    assert camera["why"] == camera["recording"] == ""


def test_of_a_box_that_is_silent_its_cameras_are_shown_as_they_were_last_and_when(
    sqlite_place: Place,
) -> None:
    box = ToldBox("hn-01", NOW_S, cameras={"east": "Đông", "west": "Tây", "yard": "Sân"})
    silent = standing_now(
        sqlite_place,
        [
            box.status(),
            box.info(),
            box.health(ago_s=480.0, degraded=["busy"]),
            box.camera("east"),
            box.camera("west", "blind", 120.0, reason="covered"),
        ],
    )

    shown = page(silent, "hn-01", "en")

    assert [(each["state_words"], each["since"]) for each in shown["cameras_list"]] == [
        ("not known now", "last known at 16:52:00: sees"),
        ("not known now", "last known at 16:58:00: cannot see"),
        ("not known now", "last known at 16:52:00: sees"),
    ]
    assert {(each["tone"], each["recording"], each["why"]) for each in shown["cameras_list"]} == {
        ("away", "", "")
    }
    assert (shown["old"], shown["since"]) == (True, "connected, but silent since 16:52:00")
    assert (shown["cameras"], shown["heat"]) == ("cameras: 3", "")
    assert [each["what"] for each in shown["findings"]] == ["The box is connected, but silent for 8 min"]
    in_vietnamese = page(silent, "hn-01")["cameras_list"][0]
    assert in_vietnamese["since"] == "biết được lần cuối lúc 16:52:00: nhìn thấy"


@pytest.mark.parametrize(
    ("used", "most", "vi"),
    [(34_100_000_000, 64_000_000_000, "34,1 GB/64,0 GB"), (3_400_000, 200_000_000, "3,4 MB/200,0 MB")],
)
def test_how_much_footage_a_box_has_is_said_in_units_that_suit_it(
    sqlite_place: Place, used: int, most: int, vi: str
) -> None:
    box = ToldBox("hn-01", NOW_S)
    said = box.health(footage={"used_bytes": used, "max_bytes": most})

    shown = page(standing_now(sqlite_place, [box.status(), box.info(), said]), "hn-01")

    assert vi in texts(shown["facts"])


def test_a_box_that_claims_thousands_of_things_has_a_page_like_others_which_says_so(
    sqlite_place: Place,
) -> None:
    names = {f"c{at:03}": f"C {at}" for at in range(MOST_CAMERAS)}
    evil = ToldBox("evil-01", NOW_S, cameras=names)
    with closing(sqlite_place.open(now=lambda: NOW_S)) as store:
        store.commit([evil.status(), evil.info()])
        store.commit([evil.health(degraded=[f"w{at}" for at in range(MOST_DEGRADED)])])
        now = BoxWall(sqlite_place.engine, COMMUNE, lambda: NOW_S).now()

    shown, in_english = page(now, "evil-01"), page(now, "evil-01", "en")

    left_out = MOST_CAMERAS - MOST_SHOWN
    assert (len(shown["cameras_list"]), len(shown["findings"])) == (MOST_SHOWN, MOST_FINDINGS)
    assert in_english["more_findings"] == f"and {MOST_DEGRADED - MOST_FINDINGS} more"
    assert f"claims {left_out} more cameras" in in_english["more_cameras"]
    assert f"thêm {left_out} camera" in shown["more_cameras"]
    assert in_english["cameras"] == f"cameras that see: {MOST_SHOWN} of {MOST_CAMERAS}"


def test_a_camera_says_why_and_shows_its_newest_picture(now: BoxesNow) -> None:
    pictures = {"west": NewestPicture("ab" * 32, NOW_MS - 60_000, ordered=True)}
    east, west = page(now, "hn-04", "en", pictures=pictures)["cameras_list"]

    assert (east["state_words"], east["why"], east["picture"], east["no_picture"]) == (
        "cannot see",
        "covered",
        None,
        True,
    )
    assert (west["picture"], west["tone"], west["why"]) == (f"/pictures/{'ab' * 32}", "well", "")
    (paused,) = page(now, "hn-07", "en")["cameras_list"]
    assert (paused["state_words"], paused["works"]) == ("paused", False)
    assert paused["why"] == "paused by Lan (lan) until 18:00:00"


def test_the_day_of_a_box_is_told_by_names(now: BoxesNow) -> None:
    changes = (StateChange(NOW_MS, None, "offline"), StateChange(NOW_MS - 1000, "east", "blind", "covered"))
    stated = page(now, "hn-04", "en", changes=changes)

    assert [(each["who"], each["state"], each["why"]) for each in stated["history"]] == [
        ("Box", "not connected", ""),
        ("Hướng thị trấn", "cannot see", "covered"),
    ]
    assert (stated["lively"], stated["calm"]) == (True, False)


def test_an_order_says_how_far_it_is_and_nothing_raw(now: BoxesNow) -> None:
    orders = [
        OrderProgress(
            "id", BoxWish(OrderKind.PICTURE, "hn-04", "west"), GIVER, NOW_MS, stage, picture_sha256="ab" * 32
        )
        for stage in OrderStage
    ]
    stated = page(now, "hn-04", orders=orders)

    assert stated["busy"]
    assert {each["tone"] for each in stated["orders"]} == {"on", "good", "bad"}
    assert stated["orders"][0]["what"] == "Lấy ảnh lúc này · Hướng quốc lộ"
    assert all(each["stage_words"] != each["stage"] for each in stated["orders"])
    assert not page(now, "hn-04", orders=orders[4:])["busy"]


def test_what_a_box_says_steers_nothing() -> None:
    order = OrderProgress(
        "id", BoxWish(OrderKind.LOOK, "b", "c"), GIVER, NOW_MS, OrderStage.FAILED, why="a\n\x1b[31m\u202eb"
    )

    assert view().order(order, {})["why"] == "a \ufffd[31m\ufffdb"


def test_how_long_ago_is_said_and_from_a_day_on_when() -> None:
    assert view("en", 5).ago(NOW_MS) == "5 s ago"
    assert view("en", -5).ago(NOW_MS) == "0 s ago"
    assert view("en", 90_000).ago(NOW_MS) == "17:00:00"
