"""station.web.search.density"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from station.lookup.places import BoxPlace, CameraPlace
from station.lookup.timeline.blanks import BlankKind, BlankTime
from station.lookup.timeline.density import HOUR_MS, CameraDensity, DensityBar
from station.web.render import Templates
from station.web.search.density import HEIGHT, WIDTH, DensityView, density_views

TEMPLATES = Templates(ZoneInfo("Asia/Ho_Chi_Minh"))
PLACES = {1: BoxPlace(1, "b-1", "Ngã tư", 0, (CameraPlace("north", "Bắc"),))}
BEGIN_MS = 1_795_712_400_000
"""Midnight of 27 November 2026 in Hanoi."""


def view(bars: list[DensityBar], *blanks: BlankTime, hours: int = 10) -> DensityView:
    until_ms = BEGIN_MS + hours * HOUR_MS
    of = CameraDensity(1, "north", BEGIN_MS, until_ms, HOUR_MS, tuple(bars), blanks)
    (found,) = density_views([of], PLACES, TEMPLATES, "vi")
    return found


def test_bars_stand_on_the_ground_where_their_hour_is() -> None:
    found = view([DensityBar(BEGIN_MS + 5 * HOUR_MS, 8, 2), DensityBar(BEGIN_MS, 0, 0)])

    (bar,) = found.bars
    assert WIDTH / 2 < bar["x"] < bar["x"] + bar["width"] < 0.6 * WIDTH
    assert bar["y"] + bar["height"] == HEIGHT
    assert 0 < bar["found_height"] < bar["height"]
    assert bar["words"] == "05:00: 8 sự kiện, trong đó 2 đang tìm"
    assert (found.title, found.most) == ("Bắc, Ngã tư", 8)


def test_what_nobody_watched_is_seen_and_said() -> None:
    blank = BlankTime(BlankKind.CAMERA, BEGIN_MS + HOUR_MS, BEGIN_MS + 2 * HOUR_MS, "lost")
    found = view([], blank)

    assert [(each["class"], each["x"], each["width"]) for each in found.blanks] == [("unseen", 100.0, 100.0)]
    assert "Camera không có hình" in found.summary
    assert len(found.said) == 1


def test_a_moment_in_which_messages_are_missing_can_be_seen() -> None:
    found = view([], BlankTime(BlankKind.GAP, BEGIN_MS + HOUR_MS, BEGIN_MS + HOUR_MS, "2"))

    assert found.blanks[0]["width"] >= 2
    assert found.blanks[0]["class"] == "missing"


def test_of_very_many_blank_times_some_are_said_and_the_rest_is_counted() -> None:
    blanks = [BlankTime(BlankKind.OFFLINE, BEGIN_MS + n * 60_000, BEGIN_MS + n * 60_000 + 1) for n in range(9)]

    found = view([], *blanks)

    assert len(found.said) + found.more == len(found.blanks) == 9
    assert "và 6 lần ngắn hơn" in found.summary


def test_a_camera_that_comes_and_goes_does_not_hide_the_hour_in_which_it_was_away() -> None:
    short = [
        BlankTime(BlankKind.CAMERA, BEGIN_MS + n * 60_000, BEGIN_MS + n * 60_000 + 9, "lost") for n in range(9)
    ]
    away = BlankTime(BlankKind.SILENT, BEGIN_MS + 2 * HOUR_MS, BEGIN_MS + 3 * HOUR_MS)

    found = view([], *short, away)

    assert found.said[-1]["words"] == "Hộp vẫn kết nối nhưng im lặng: không rõ có theo dõi hay không"
    assert found.said[-1]["class"] == "unheard"


def test_a_bar_that_was_not_counted_to_its_end_says_so() -> None:
    found = view([DensityBar(BEGIN_MS, 1000, None, is_all=False)])

    assert found.bars[0]["words"] == "00:00: hơn 1000 sự kiện"
    assert "hơn" in found.summary
