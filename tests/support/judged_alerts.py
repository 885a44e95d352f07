"""A station with alerts whose whole views are as a box draws them, and what officers made of them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np

from agent.core.types import Box, Image, Instant, Shot
from agent.publishing.jpeg import ThumbnailSettings, scene
from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import FalseReason, ReviewState
from station.store.database import engine_of
from tests.support.stores import Place
from tests.support.told_events import event_at, picture_of, road_user

BEGAN = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
LAN = Reviewer("lan", "Nguyễn Thị Lan")
WIDE, HIGH = 960, 540
PLACE = Box(0.4, 0.5, 0.5, 0.7)


def road(seed: int = 1, wide: int = WIDE, high: int = HIGH) -> Image:
    """BGR, (high, wide, 3): something like asphalt, in which nothing is white beside black."""
    coarse = np.random.default_rng(seed).integers(80, 130, (high // 12, wide // 12, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC), np.uint8)


def whole_view(image: Image, box: Box = PLACE, settings: ThumbnailSettings | None = None) -> bytes:
    """What the box sends of it: JPEG with its frame."""
    return scene(Shot(image, Instant(0.0, 0.0), box, 1.0), settings or ThumbnailSettings()).data


@dataclass
class JudgedAlerts:
    """One store; the alert e-N begins N minutes after BEGAN and is settled an hour later."""

    place: Place
    seq: int = 0
    numbers: list[int] = field(default_factory=list)

    def alert(self, number: int, box: Box = PLACE, *, picture: bytes | None = None, **fields: Any) -> None:
        """It came with its whole view; `fields` are those of its road user."""
        at = BEGAN + timedelta(minutes=number)
        said, message = picture_of(
            whole_view(road(number), box) if picture is None else picture, number, self._seq(), kind="scene"
        )
        place = {"left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom}
        user = road_user(number, at, box=place, **fields)
        event = event_at(
            number, at, severity="alert", lasts_s=None, seq=self._seq(), scene=said, object=user,
            model={"name": "yolox-nano-416"},
        )  # fmt: skip
        self.keep(at, event, message)

    def later(self, number: int, minutes: float, **fields: Any) -> None:
        """A second message of it, so long after the first; it has moved on."""
        at = BEGAN + timedelta(minutes=number + minutes)
        elsewhere = {"left": 0.1, "top": 0.1, "right": 0.2, "bottom": 0.2}
        user = road_user(number, at, box=elsewhere, **fields)
        self.keep(at, event_at(number, at, severity="alert", revision=2, seq=self._seq(), object=user))

    def without_road_user(self, number: int) -> None:
        """Something moved, and there is no road user in what is told."""
        at = BEGAN + timedelta(minutes=number)
        said, message = picture_of(whole_view(road(number)), number, self._seq(), kind="scene")
        event = event_at(number, at, severity="alert", seq=self._seq(), scene=said, object=None)
        self.keep(at, event, message)

    def keep(self, at: datetime, *messages: Any) -> None:
        """They came when they were told."""
        with closing(self.place.open(now=at.timestamp)) as store:
            store.commit(messages)

    def settle(
        self, number: int, state: str, reason: str | None = None, right_label: str | None = None
    ) -> None:
        """What an officer makes of it."""
        at_s = (BEGAN + timedelta(minutes=number + 60)).timestamp()
        engine = engine_of(self.place.url)
        queue = ReviewQueue(engine, now=lambda: at_s)
        why = None if reason is None else FalseReason(reason)
        key = self.key(number)
        seen = queue.standing(key).change_id
        queue.mark(key, ReviewState(state), LAN, seen=seen, reason=why, right_label=right_label)
        engine.dispose()

    def key(self, number: int) -> tuple[int, str]:
        """Ids of box and event."""
        ((box_id,),) = self.place.rows("select id from box where device = 'north-01'")
        return box_id, f"e-{number}"

    def _seq(self) -> int:
        self.seq += 1
        return self.seq
