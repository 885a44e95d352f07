"""agent.tools.overlay"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from agent.core import image as picture
from agent.core.pipeline import Outcome
from agent.core.rules.kinds.line import LineRule
from agent.core.rules.settings import RuleSettings
from agent.core.rules.zones import Zone
from agent.core.types import (
    Box,
    Crop,
    Event,
    EventKind,
    Frame,
    Image,
    Instant,
    Motion,
    Phase,
    Reason,
    Severity,
    Size,
    Track,
)
from agent.tools.overlay import FLASH_S, Painter, colour_of, video
from tests.support.squares import frame_of

AT = Instant(100.0, 1_770_000_000.0)
JUDGE = RuleSettings(
    zones=(Zone(id="road", polygon=((0.1, 0.6), (0.9, 0.6), (0.9, 0.95), (0.1, 0.95))),),
    rules=(LineRule(id="the-line", start=(0.5, 0.1), end=(0.5, 0.5)),),
)
CAR = Track(
    "019aa3f0-0000-7000-8000-000000000001",
    "car",
    0.8,
    0.9,
    Box(0.2, 0.4, 0.3, 0.6),
    (0.0, 0.0),
    AT,
    AT,
    True,
    True,
)
NOTHING = Outcome(Motion((), 0.0), tracks=())


def frame(at: Instant = AT) -> Frame:
    return frame_of((), 0, at)


def drawn(painter: Painter, outcome: Outcome, at: Instant = AT) -> Image:
    """Where the drawing differs from the picture itself."""
    changed = painter.draw(frame(at), outcome).astype(int) - picture.bgr(frame(at)).astype(int)
    return (np.abs(changed).max(axis=2) > 60).astype(np.uint8)


def near(drawing: Image, x: float, y: float) -> bool:
    """Whether something was drawn around this place, in fractions."""
    height, width = drawing.shape
    column, row = round(x * width), round(y * height)
    return bool(drawing[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4].any())


def crossing(at: Instant, phase: Phase = Phase.START) -> Event:
    return Event(
        "e", 1, EventKind.LINE_CROSSED, phase, Severity.ALERT, at, "the-line", "line", at, direction="in"
    )


def test_zones_lines_motion_crops_and_tracks_are_drawn_where_they_are() -> None:
    outcome = replace(
        NOTHING,
        motion=Motion((Box(0.6, 0.2, 0.7, 0.4),), 0.01),
        crops=(Crop(Box(0.75, 0.1, 0.95, 0.5), Reason.MOTION),),
        tracks=(CAR,),
    )
    drawing = drawn(Painter(JUDGE), outcome)

    for place in ((0.1, 0.8), (0.5, 0.3), (0.6, 0.3), (0.75, 0.3), (0.2, 0.5)):
        assert near(drawing, *place), place
    assert not near(drawing, 0.4, 0.25)


def test_no_box_is_drawn_on_the_road_where_somebody_was_a_second_ago() -> None:
    rules = RuleSettings()
    unseen = replace(CAR, seen=False, last_seen=AT)
    soon, later = (Instant(AT.mono_s + late_s, AT.wall_s + late_s) for late_s in (0.3, 0.8))
    assert drawn(Painter(rules), replace(NOTHING, tracks=(unseen,)), soon).any()
    assert not drawn(Painter(rules), replace(NOTHING, tracks=(unseen,)), later).any()
    assert drawn(Painter(rules), replace(NOTHING, tracks=(replace(unseen, stationary=True),)), later).any()


def test_without_zones_and_tracks_the_picture_stays_as_it_is() -> None:
    assert not drawn(Painter(RuleSettings()), NOTHING).any()


def test_a_static_false_positive_is_grey_so_that_it_is_seen_why_nothing_is_told_of_it() -> None:
    def colourfulness(track: Track) -> int:
        image = Painter(JUDGE).draw(frame(), replace(NOTHING, tracks=(track,)))
        edge = image[int(CAR.box.top * 256) + 20, int(CAR.box.left * 512)].astype(int)
        return int(edge.max() - edge.min())

    assert colourfulness(CAR) > 50
    assert colourfulness(replace(CAR, static_false_positive=True)) < 10


def test_an_event_is_written_for_a_moment_and_a_crossing_is_counted() -> None:
    painter = Painter(JUDGE)
    shown = drawn(painter, replace(NOTHING, reports=(crossing(AT), crossing(AT, Phase.END))))
    later = Instant(AT.mono_s + FLASH_S + 0.1, AT.wall_s)
    gone = drawn(painter, NOTHING, later)

    assert near(shown, 0.05, 0.06)
    assert not near(gone, 0.05, 0.06)
    assert painter.crossings == {"the-line": 1}


def test_a_number_stays_with_its_track_and_is_not_given_twice() -> None:
    painter = Painter(JUDGE)
    others = [replace(CAR, id=f"t-{number}") for number in range(5)]
    painter.draw(frame(), replace(NOTHING, tracks=tuple(others[:3])))
    painter.draw(frame(), replace(NOTHING, tracks=(others[1], replace(others[0], ended=True))))
    painter.draw(frame(), replace(NOTHING, tracks=(others[1], others[3])))

    assert painter.numbers == {"t-1": 2, "t-3": 4}  # and those that are gone are forgotten
    assert set(painter.paths) == {"t-1", "t-3"}


def test_one_id_has_one_bright_colour() -> None:
    colours = {colour_of(f"track-{number}") for number in range(50)}

    assert colour_of("track-1") == colour_of("track-1")
    assert len(colours) > 20
    assert all(max(colour) > 200 for colour in colours)


@pytest.mark.parametrize("size", [Size(320, 240), Size(321, 241)])
def test_a_video_has_what_was_written_into_it(tmp_path: Path, size: Size) -> None:
    path = tmp_path / "overlay.mp4"
    with video(path, size, 12.5) as film:
        for level in range(10):
            film.write(np.full((size.height_px, size.width_px, 3), 20 * level, np.uint8))

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [each.to_ndarray(format="gray").mean() for each in container.decode(stream)]
        assert (stream.width, stream.height) == (320, 240)
        assert float(stream.average_rate or 0) == pytest.approx(12.5)
    assert len(frames) == 10
    assert all(later > earlier for earlier, later in pairwise(frames))


def test_a_label_at_the_edge_stays_inside_the_picture() -> None:
    corner = replace(CAR, box=Box(0.95, 0.0, 1.1, 0.1))
    drawing = drawn(Painter(RuleSettings()), replace(NOTHING, tracks=(corner,)))

    assert near(drawing, 0.9, 0.03)
    assert not near(drawing, 0.3, 0.5)
