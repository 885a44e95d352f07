"""agent.workers.watching.main_pictures: events alone wait a little for a picture that shows more."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import astuple, replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from agent.cameras.stills import Stills
from agent.core.tracking import best_shot
from agent.core.tracking.best_shot import BestShotSettings
from agent.core.types import Box, Count, Event, EventKind, Frame, Instant, Phase, Severity, Shot, Size
from agent.workers.watching.main_pictures import (
    FORGET_AFTER,
    LATE,
    REACH_S,
    REST_S,
    SETTLED_S,
    WAIT_S,
    WIDE_S,
    MainPictures,
)
from tests.conftest import SteppedClock

SMALL, LARGE = (320, 180), (1280, 720)
MOST_PX = 320


def picture(width: int, height: int, left: float) -> NDArray[np.uint8]:
    """Luma of a view in which a road user stands with its left edge at this fraction."""
    chance = np.random.default_rng(5)
    large = cv2.resize(chance.integers(60, 120, (45, 80), np.uint8), (1280, 720), interpolation=cv2.INTER_CUBIC)
    user = cv2.resize(chance.integers(90, 250, (12, 12), np.uint8), (160, 160), interpolation=cv2.INTER_CUBIC)
    large[280:440, round(left * 1280) :][:, :160] = user
    return np.asarray(cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def shot(at: Instant, left: float = 0.4) -> Shot:
    luma = picture(*SMALL, left)
    grey = np.full((SMALL[1] // 2, SMALL[0] // 2), 128, np.uint8)
    box = Box(left, 280 / 720, left + 160 / 1280, 440 / 720)
    return best_shot.crop(Frame(0, at, luma, grey, grey), box, 0.7, BestShotSettings())


def event(at: Instant, thumbnail: Shot | None, number: int = 1) -> Event:
    return Event(
        id=f"event-{number}", revision=1, kind=EventKind.OBJECT, phase=Phase.START, severity=Severity.INFO,
        at=at, rule_id="anybody", rule_kind="object", started=at, frame=Size(*SMALL), thumbnail=thumbnail,
    )  # fmt: skip


class Child:
    """The child's end of the socket: it hears what is asked, and answers as it is told."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setblocking(False)

    def asked(self) -> dict[str, Any] | None:
        """What was asked last; None: nothing."""
        try:
            wish: dict[str, Any] = json.loads(self._sock.recv(4096))
        except BlockingIOError:
            return None
        return wish

    def answer(
        self, wish: dict[str, Any], lefts: Sequence[float], later_s: float = 0.0, size: tuple[int, int] = LARGE
    ) -> None:
        """Pictures with the road user at these places, each a twentieth of a second after the one before."""
        left, top, right, bottom = wish["box"]
        x0, y0 = int(left * LARGE[0]) // 2 * 2, int(top * LARGE[1]) // 2 * 2
        x1, y1 = -(-int(right * LARGE[0]) // 2) * 2, -(-int(bottom * LARGE[1]) // 2) * 2
        wide, high = x1 - x0, y1 - y0
        data = b"".join(
            picture(*LARGE, each)[y0:y1, x0:x1].tobytes() + bytes([128]) * (wide * high // 2) for each in lefts
        )
        middle_s = (wish["from_s"] + wish["to_s"]) / 2 + later_s
        words = {
            "still": wish["still"], "size": size,
            "part": [x0 / LARGE[0], y0 / LARGE[1], x1 / LARGE[0], y1 / LARGE[1]],
            "layout": {
                "width_px": wide, "height_px": high, "strides": [wide, wide // 2, wide // 2],
                "full_range": False,
            },
            "at_s": [middle_s + 0.05 * n for n in range(len(lefts))],
        }  # fmt: skip
        fd = os.memfd_create("test", os.MFD_ALLOW_SEALING)
        os.write(fd, data)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        socket.send_fds(self._sock, [json.dumps(words).encode()], [fd])
        os.close(fd)

    def refuse(self, wish: dict[str, Any]) -> None:
        self._sock.send(json.dumps({"still": wish["still"]}).encode())


@pytest.fixture
def child() -> Iterator[tuple[Child, Stills]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stills = Stills()
    stills.offer(ours)
    yield Child(theirs), stills
    stills.close()
    theirs.close()


def begun(clock: SteppedClock, stills: Stills) -> MainPictures:
    clock.advance(100)
    return MainPictures("north", stills, clock, MOST_PX)


def test_an_event_waits_for_the_main_stream_and_goes_out_with_its_picture(
    clock: SteppedClock, child: tuple[Child, Stills]
) -> None:
    pictures = begun(clock, child[1])
    small = shot(clock.now())
    news = event(clock.now(), small)
    assert pictures.passed([news]) == []
    wish = child[0].asked()
    assert wish is not None
    assert small.part is not None
    assert wish["box"] == list(astuple(small.part))
    assert (wish["from_s"], wish["to_s"]) == pytest.approx((small.at.mono_s - WIDE_S, small.at.mono_s + WIDE_S))
    assert wish["until_s"] < clock.now().mono_s + WAIT_S

    clock.advance(0.2)
    assert pictures.passed([]) == []
    child[0].answer(wish, [0.38, 0.4, 0.42])
    (given,) = pictures.passed([])
    assert isinstance(given, Event)
    assert given.thumbnail is not None
    assert given.thumbnail.from_main
    assert max(given.thumbnail.image.shape) == min(MOST_PX, 4 * max(small.image.shape))
    assert replace(given, thumbnail=small) == news
    assert (pictures.taken, pictures.refused) == (1, 0)


def test_what_comes_too_late_is_not_waited_for(clock: SteppedClock, child: tuple[Child, Stills]) -> None:
    pictures = begun(clock, child[1])
    news = event(clock.now(), shot(clock.now()))
    assert pictures.passed([news]) == []
    clock.advance(WAIT_S - 0.01)
    assert pictures.passed([]) == []
    clock.advance(0.02)
    assert pictures.passed([]) == [news]
    assert pictures.passed([]) == []
    wish = child[0].asked()
    assert wish is not None
    child[0].answer(wish, [0.4])
    assert pictures.passed([]) == []
    again = replace(news, revision=2, phase=Phase.END)
    (given,) = pictures.passed([again])
    assert isinstance(given, Event)
    assert given.thumbnail is not None
    assert given.thumbnail.from_main, "it came for what is told next"


def test_all_that_is_told_meanwhile_keeps_its_order_and_nothing_waits_twice(
    clock: SteppedClock, child: tuple[Child, Stills]
) -> None:
    pictures = begun(clock, child[1])
    now = clock.now()
    plain = event(now, None, 1)
    first, second = event(now, shot(now), 2), event(now, shot(now, 0.6), 3)
    count = Count("lane", now, now)
    assert pictures.passed([plain, first, count]) == [plain]
    clock.advance(0.4)
    assert pictures.passed([second]) == []
    clock.advance(WAIT_S - 0.39)
    assert pictures.passed([event(now, None, 4)]) == [first, count, second, event(now, None, 4)]


def test_a_new_event_does_not_hold_up_one_whose_wait_is_over(
    clock: SteppedClock, child: tuple[Child, Stills]
) -> None:
    pictures = begun(clock, child[1])
    first = event(clock.now(), shot(clock.now()), 1)
    assert pictures.passed([first]) == []
    wish = child[0].asked()
    assert wish is not None
    child[0].refuse(wish)
    clock.advance(0.3)
    second = event(clock.now(), shot(clock.now(), 0.6), 2)
    assert pictures.passed([second]) == [first]
    assert child[0].asked() is not None
    clock.advance(WAIT_S + 0.01)
    assert pictures.passed([]) == [second]


def test_when_the_camera_ends_nothing_is_left_behind(clock: SteppedClock, child: tuple[Child, Stills]) -> None:
    pictures = begun(clock, child[1])
    first = event(clock.now(), shot(clock.now()), 1)
    assert pictures.passed([first]) == []
    end = replace(first, phase=Phase.END, revision=2, thumbnail=None)
    assert pictures.last([end]) == [first, end]
    assert pictures.passed([]) == []


def test_nothing_waits_where_nobody_answers(clock: SteppedClock) -> None:
    pictures = begun(clock, Stills())
    news = event(clock.now(), shot(clock.now()))
    assert pictures.passed([news]) == [news]


def test_nothing_waits_for_a_picture_that_could_show_no_more(
    clock: SteppedClock, child: tuple[Child, Stills]
) -> None:
    pictures = begun(clock, child[1])
    large = shot(clock.now())
    large = replace(large, image=np.zeros((10, MOST_PX, 3), np.uint8))
    old = shot(Instant(clock.now().mono_s - REACH_S - 0.1, 0.0))
    news = [event(clock.now(), large), event(clock.now(), old)]
    assert pictures.passed(news) == news
    assert child[0].asked() is None


def test_another_moment_is_no_picture_of_the_event(clock: SteppedClock, child: tuple[Child, Stills]) -> None:
    pictures = begun(clock, child[1])
    news = event(clock.now(), shot(clock.now()))
    assert pictures.passed([news]) == []
    wish = child[0].asked()
    assert wish is not None
    child[0].answer(wish, [0.3, 0.5])
    assert pictures.passed([]) == [news]
    assert (pictures.taken, pictures.refused) == (0, 1)


def test_a_main_stream_of_another_shape_is_told_once_and_not_asked_again(
    clock: SteppedClock, child: tuple[Child, Stills]
) -> None:
    pictures = begun(clock, child[1])
    news = event(clock.now(), shot(clock.now()))
    assert pictures.passed([news]) == []
    wish = child[0].asked()
    assert wish is not None
    child[0].answer(wish, [0.4], size=(640, 480))
    with capture_logs() as logs:
        assert pictures.passed([]) == [news]
        clock.advance(1)
        other = event(clock.now(), shot(clock.now()), 2)
        assert pictures.passed([other]) == [other]
    assert [(each["event"], each["watched"], each["main"]) for each in logs] == [
        ("main_stream_of_another_shape", "320x180", "640x480")
    ]
    assert child[0].asked() is None


def test_by_how_much_the_streams_differ_is_learned_and_forgotten(
    clock: SteppedClock, child: tuple[Child, Stills]
) -> None:
    pictures = begun(clock, child[1])

    def tell(lefts: Sequence[float], later_s: float) -> tuple[float, float]:
        clock.advance(5)
        small = shot(clock.now())
        pictures.passed([event(clock.now(), small)])
        wish = child[0].asked()
        assert wish is not None
        child[0].answer(wish, lefts, later_s)
        assert pictures.passed([])
        return wish["from_s"] - small.at.mono_s, wish["to_s"] - small.at.mono_s

    for _ in range(3):
        assert tell([0.4], 0.2) == pytest.approx((-WIDE_S, WIDE_S))
    from_s, to_s = tell([0.4], 0.0)
    assert (from_s + to_s) / 2 == pytest.approx(0.2)
    assert to_s - from_s < 2 * WIDE_S
    for _ in range(FORGET_AFTER):
        tell([0.3], 0.0)
    assert tell([0.4], 0.0) == pytest.approx((-WIDE_S, WIDE_S))


def test_a_picture_that_has_settled_is_had_before_its_event_is_told(
    clock: SteppedClock, child: tuple[Child, Stills]
) -> None:
    pictures = begun(clock, child[1])
    small = shot(clock.now())
    pictures.prepare([(small, Size(*SMALL))])
    assert child[0].asked() is None, "a better one may come"
    clock.advance(SETTLED_S)
    pictures.prepare([(small, Size(*SMALL))])
    wish = child[0].asked()
    assert wish is not None
    child[0].answer(wish, [0.4])
    assert pictures.passed([]) == []
    clock.advance(30)
    (given,) = pictures.passed([event(clock.now(), small)])
    assert isinstance(given, Event)
    assert given.thumbnail is not None
    assert given.thumbnail.from_main


def test_a_board_that_is_too_slow_is_left_alone_for_a_while(
    clock: SteppedClock, child: tuple[Child, Stills]
) -> None:
    pictures = begun(clock, child[1])
    for _ in range(LATE):
        clock.advance(5)
        pictures.passed([event(clock.now(), shot(clock.now()))])
        wish = child[0].asked()
        assert wish is not None
        child[0].refuse(wish)
        assert pictures.passed([])
    clock.advance(5)
    news = event(clock.now(), shot(clock.now()))
    assert pictures.passed([news]) == [news]
    assert child[0].asked() is None
    clock.advance(REST_S)
    assert pictures.passed([event(clock.now(), shot(clock.now()))]) == []
    assert child[0].asked() is not None


def test_of_many_pictures_few_are_kept(clock: SteppedClock, child: tuple[Child, Stills]) -> None:
    pictures = begun(clock, child[1])
    shots = []
    for _ in range(12):
        clock.advance(5)
        shots.append(shot(clock.now()))
        pictures.passed([event(clock.now(), shots[-1])])
        wish = child[0].asked()
        assert wish is not None
        child[0].answer(wish, [0.4])
        pictures.passed([])
    given = pictures.last([event(clock.now(), each) for each in shots])
    main = [
        isinstance(each, Event) and each.thumbnail is not None and each.thumbnail.from_main for each in given
    ]
    assert main == [False] * 4 + [True] * 8
