"""agent.workers.looks"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import cv2
import numpy as np
import pytest

from agent.commands.policy import Command
from agent.core.types import Instant
from agent.errors import NgatuError
from agent.mqtt.live import Fate, LivePicture, LivePictures
from agent.publishing import jpeg
from agent.wire import codec
from agent.wire.verbs import LookArgs, Verb
from agent.workers.looks import MAX_SIDE_PX, Looks
from tests.conftest import SteppedClock
from tests.support.squares import frame_of


class Link:
    """A box's looks, and a link that takes a picture when it is told to."""

    def __init__(self) -> None:
        self.clock = SteppedClock(Instant(100.0, 1_800_000_000.0))
        self.live = LivePictures()
        self.looks = Looks(self.live, self.clock)
        self.sent: list[LivePicture] = []

    def begin(self, camera: str = "north", seconds: int = 10, per_second: float = 2.0) -> Command:
        args = LookArgs(camera=camera, seconds=seconds, per_second=per_second, officer="Lan", purpose="case 12")
        command = Command(f"look-{camera}", Verb.LOOK, args, "Lan", 0.0, 1.0, "")
        self.looks.begin(command, args)
        return command

    def run(
        self, seconds: float, fps: float = 10, fate: Fate | None = Fate.SENT, camera: str = "north"
    ) -> None:
        """The camera gives its pictures; each that is made gets this fate at once, or none."""
        for _ in range(round(seconds * fps)):
            self.clock.advance(1 / fps)
            now = self.clock.now()
            self.looks.saw(camera, frame_of((100.0,), 0, now))
            picture = self.live.next(now) if fate is not None else None
            if picture is not None and fate is not None:
                self.live.sent(picture, 1)
                self.live.answered(1, fate)
                self.sent.append(picture)


def test_a_look_gives_small_pictures_at_its_pace_and_says_at_its_end_what_it_sent() -> None:
    link = Link()
    command = link.begin(seconds=10)
    link.run(9.0)
    assert link.looks.over() == []
    link.run(3.0)
    (report,) = link.looks.over()

    assert report.command is command
    assert (report.done, report.detail) == (True, None)
    assert report.result["sent"] == len(link.sent) == 20
    digests = [sha256(picture.data).hexdigest() for picture in link.sent]
    assert report.result["pictures_sha256"] == codec.pictures_sha256(digests)
    assert [dict(each.user)["number"] for each in link.sent] == [str(number) for number in range(1, 21)]
    picture = cv2.imdecode(np.frombuffer(link.sent[0].data, np.uint8), cv2.IMREAD_COLOR)
    assert max(picture.shape) <= MAX_SIDE_PX
    assert not link.looks.any


@pytest.mark.parametrize(("fps", "per_second", "expected"), [(3, 2.0, 20), (10, 0.5, 5), (1, 2.0, 10)])
def test_the_pace_is_kept_on_average_whatever_the_camera_gives(
    fps: float, per_second: float, expected: int
) -> None:
    link = Link()
    link.begin(seconds=10, per_second=per_second)
    link.run(11.0, fps=fps)

    assert len(link.sent) == pytest.approx(expected, abs=1)


def test_a_camera_is_looked_at_by_one_at_a_time_and_others_beside_it() -> None:
    link = Link()
    link.begin("north", seconds=20)
    with pytest.raises(NgatuError, match="Lan looks at camera north already, for 20 s more"):
        link.begin("north")
    link.begin("south")

    link.run(21.0)
    assert [report.command.id for report in link.looks.over()] == ["look-north", "look-south"]
    link.begin("north")


def test_a_look_ends_when_nobody_looks_any_more() -> None:
    link = Link()
    link.begin(seconds=60)
    link.run(3.0)
    link.run(3.0, fate=Fate.UNWANTED)
    (report,) = link.looks.over()

    assert report.detail == "nobody looked any more"
    assert (report.result["sent"], report.result["dropped"]) == (6, 3)


def test_a_look_without_pictures_or_without_a_link_says_so() -> None:
    link = Link()
    link.begin("north", seconds=5)
    link.begin("south", seconds=5)
    link.run(5.2, fate=None)
    link.live.disconnected()
    link.clock.advance(5.0)
    north, south = link.looks.over()

    assert (north.done, north.result["sent"], north.result["dropped"]) == (False, 0, 10)
    assert (north.detail or "").startswith("no picture went out")
    assert (south.done, south.detail) == (False, "the camera gave no picture")


def test_the_stop_of_the_agent_cuts_looks_short() -> None:
    link = Link()
    link.begin(seconds=60)
    link.run(2.0)
    (report,) = link.looks.over(all_of_them=True)

    assert (report.done, report.detail, report.result["sent"]) == (True, "cut short: the agent stops", 4)


def test_a_picture_that_is_ready_after_the_report_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent stops while the camera's thread makes the last one."""
    link = Link()
    link.begin(seconds=10)
    encode, reports = jpeg.encode, []

    def encode_slowly(*args: Any, **more: Any) -> Any:
        reports.extend(link.looks.over(all_of_them=True))
        return encode(*args, **more)

    monkeypatch.setattr(jpeg, "encode", encode_slowly)
    link.run(0.1)

    assert [report.result["sent"] + report.result["dropped"] for report in reports] == [0]
    assert link.sent == []


def test_what_waits_when_a_look_is_cut_short_is_told_as_dropped_and_does_not_go_afterwards() -> None:
    link = Link()
    link.begin(seconds=60)
    link.run(0.1, fate=None)
    (report,) = link.looks.over(all_of_them=True)

    assert (report.result["sent"], report.result["dropped"]) == (0, 1)
    assert link.live.next(link.clock.now()) is None


def test_frames_of_a_camera_that_nobody_looks_at_cost_nothing() -> None:
    link = Link()
    link.run(1.0)

    assert link.sent == []
