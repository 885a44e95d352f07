"""examples.demo.results"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from agent.core.types import Image
from examples.demo.page import Scene, write_page
from examples.demo.results import (
    KeptEvent,
    count,
    lapped,
    needed_help,
    read_delivery,
    read_events,
    write_pictures,
)
from station.watch.embedded import Address
from tests.support.boxes import ROAD_RULES, Box, Station, at_work, everything_arrives
from tests.support.brokers import until
from tests.support.kept_pictures import pictures_on
from tests.support.squares import write_clip


@pytest.fixture
def played(tmp_path: Path, embedded: Address) -> Path:
    """A folder as the demo leaves it: a box that saw a clip of one car begin three times, and its station."""
    clip = write_clip(tmp_path / "short.mp4", seconds=5.5, still_s=2.5)
    cameras = f"  - name: road\n    source: {{kind: file, path: {clip}, loop: true}}{ROAD_RULES}"
    box, station = Box(tmp_path, embedded.port, cameras), Station(tmp_path, embedded.port)

    def cuts() -> set[str]:
        return {event["time"] for event in station.events() if event["end_reason"] == "clip_restarted"}

    with at_work(station, box):
        until(lambda: len(cuts()) >= 2, 60, "the clip has begun three times")
        assert box.stop() == 0
        everything_arrives(box, station)
        station.end()
    return tmp_path


@pytest.mark.long
def test_a_road_user_of_a_looped_clip_is_one_in_each_passage_and_every_alert_shows_him(played: Path) -> None:
    events, delivery = read_events(played), read_delivery(played)
    pictures = write_pictures(played, events)
    seen = count("road", events)

    assert seen.laps == 3
    assert seen.in_a_lap == {"car": (1, 1)}
    assert (delivery.lost, delivery.waiting) == (0, 0)
    crossings = [each for each in events if each.body["kind"] == "line_crossed"]
    assert [each.lap for each in crossings] == [2, 1]
    for each in crossings:
        assert (inside_the_frame(played, each) > 180).mean() > 0.6  # the white square, and not the road
    on_disk = {path.relative_to(played).as_posix() for path in (played / "pictures").rglob("*.jpg")}
    assert on_disk == set(pictures.values())
    assert len(on_disk) == len(pictures)

    page = write_page(played, events, {"road": seen}, [Scene("road", "1 car")], delivery, pictures, 16)
    text = page.read_text(encoding="utf-8")
    assert f"<b>{len(events)} events</b>" in text
    assert f"<b>{len(pictures)} pictures</b>" in text
    assert all(f'href="{path}"' in text for path in on_disk)
    assert text.count("<article") == len(events)


def inside_the_frame(folder: Path, event: KeptEvent) -> Image:
    """What the frame of an alert's whole view was drawn around; a pixel on each side is the frame's own."""
    with closing(sqlite3.connect(f"file:{folder}/station/station.db?mode=ro", uri=True)) as station:
        rows = station.execute("select body from event_revision where event_id = ?", [event.body["id"]])
        (start,) = [body for body in (json.loads(row) for (row,) in rows) if body["scene"]]
    data = pictures_on(folder / "station" / "blobs")[event.pictures["scene"]]
    scene = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    height, width = scene.shape[:2]
    box = start["object"]["box"]
    rows_px = slice(int(box["top"] * height) + 4, int(box["bottom"] * height) - 4)
    return np.asarray(scene[rows_px, int(box["left"] * width) + 4 : int(box["right"] * width) - 4], np.uint8)


def test_events_are_numbered_by_the_moments_at_which_their_own_camera_began_again() -> None:
    events = lapped(
        [
            event("a", 1, 3, "clip_restarted"),
            event("b", 2, 3, "clip_restarted"),
            event("c", 3, 4, "left"),
            event("d", 4, 5, "left", camera="yard"),
            event("e", 4, 6, "clip_restarted"),
            event("f", 7, 8, "stopped"),
        ],
        {},
    )

    assert {each.body["id"]: each.lap for each in events} == {"a": 1, "b": 1, "c": 2, "d": 1, "e": 2, "f": 3}


def test_the_last_passage_was_not_played_to_its_end_and_counts_only_where_it_is_the_only_one() -> None:
    whole = ((0, "car"), (0, "car"), (1, "truck"), (2, "car"))
    events = lapped(
        [
            *(
                event(f"{n}", 3 * lap, 3 * lap + 3, "clip_restarted", label)
                for n, (lap, label) in enumerate(whole)
            ),
            event("last", 9, 10, "stopped", "bus"),
        ],
        {},
    )

    seen, alone = count("road", events), count("road", [each for each in events if each.lap == 1])

    assert seen.laps == 4
    assert seen.altogether == {"car": 3, "truck": 1, "bus": 1}
    assert seen.in_a_lap == {"car": (0, 2), "truck": (0, 1), "bus": (0, 0)}
    assert alone.in_a_lap == {"car": (2, 2)}


def event(
    name: str, start_s: int, end_s: int, reason: str, label: str = "car", camera: str = "road"
) -> dict[str, Any]:
    return {
        "id": name,
        "camera": camera,
        "kind": "object",
        "object": {"label": label},
        "start_time": f"2026-01-01T00:00:{start_s:02}.000Z",
        "time": f"2026-01-01T00:00:{end_s:02}.000Z",
        "end_reason": reason,
    }


def test_what_the_box_told_of_itself_is_named_once_and_no_road_user() -> None:
    def kept(camera: str, kind: str, severity: str = "alert", label: str | None = None) -> KeptEvent:
        body = {"camera": camera, "kind": kind, "severity": severity, "object": label and {"label": label}}
        return KeptEvent(body, 1)

    events = [
        kept("north", "recording_stopped"), kept("north", "recording_stopped"), kept("east", "camera_lost"),
        kept("north", "line_crossed", label="car"), kept("box", "clock_untrusted", "info"),
    ]  # fmt: skip
    assert needed_help(events) == ["east: camera_lost", "north: recording_stopped"]
