"""station.web.search.unwatched"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from station.lookup.places import BoxPlace, CameraPlace
from station.lookup.timeline.outages import Outage
from station.web.render import Templates
from station.web.search.unwatched import SHOWN, unwatched_records, unwatched_view

TEMPLATES = Templates(ZoneInfo("Asia/Ho_Chi_Minh"))
PLACES = {1: BoxPlace(1, "b-1", "Ngã tư", 0, (CameraPlace("north", "Bắc"),))}
BEGIN_MS = 1_795_712_400_000
"""Midnight of 27 November 2026 in Hanoi."""
MINUTE_MS = 60_000
WITHIN_MS = BEGIN_MS, BEGIN_MS + 600 * MINUTE_MS


def away(begun: float, ended: float | None, camera: str = "", state: str = "offline") -> Outage:
    """Of a box or a camera of it; minutes after midnight."""
    ends_ms = None if ended is None else BEGIN_MS + round(ended * MINUTE_MS)
    return Outage(
        "Ngã tư",
        camera,
        state,
        BEGIN_MS + round(begun * MINUTE_MS),
        ends_ms,
        "",
        (1, "north" if camera else ""),
    )


def test_who_did_not_watch_is_said_with_why_from_when_and_how_long_of_this_time() -> None:
    found = unwatched_view([away(-30, 90), away(500, None, "Bắc", "lost")], WITHIN_MS, PLACES, TEMPLATES, "vi")

    first, second = found.rows
    assert (first["where"], first["words"], first["lasted"]) == ("Ngã tư", "mất kết nối", "90 phút")
    assert first["when"] == "23:30:00 26/11/2026 – 01:30:00 27/11/2026"
    assert (second["where"], second["when"]) == ("Bắc, Ngã tư", "08:20:00 27/11/2026 – còn tiếp diễn")
    assert (found.more, found.number) == (0, 2)


def test_what_was_so_again_and_again_is_said_once_with_how_often() -> None:
    (row,) = unwatched_view([away(n, n + 0.5) for n in range(20)], WITHIN_MS, PLACES, TEMPLATES, "vi").rows

    assert row["when"] == "20 lần, 00:00:00 27/11/2026 – 00:19:30 27/11/2026"
    assert row["lasted"] == "10 phút"


def test_of_very_many_the_longest_are_said_and_the_rest_is_counted() -> None:
    states = ("stalled", "lost", "blind", "paused", "starting", "disabled", "offline", "silent")
    many = [away(10 * n, 10 * n + n + 1, state=state) for n, state in enumerate(states)]

    found = unwatched_view(many, WITHIN_MS, PLACES, TEMPLATES, "vi")

    assert len(found.rows) == SHOWN and found.more == len(states) - SHOWN
    assert [row["lasted"] for row in found.rows] == [f"{n} phút" for n in range(3, 9)]


def test_programs_get_the_names_of_topics_and_no_end_of_what_lasts() -> None:
    (found,) = unwatched_records([away(60, None, "Bắc", "lost")], PLACES, TEMPLATES)

    assert (found["box"], found["camera"], found["state"]) == ("b-1", "north", "lost")
    assert (found["start"], found["end"]) == ("2026-11-27T01:00:00.000+07:00", None)
