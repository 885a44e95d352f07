"""agent.workers.snapshots"""

from __future__ import annotations

import threading

import cv2
import numpy as np

from agent.core.types import Instant
from agent.workers.snapshots import MAX_BYTES, Snapshots
from tests.support.squares import frame_of


def test_whoever_asks_gets_the_next_frame_and_nobody_else_pays() -> None:
    snapshots, frame = Snapshots(), frame_of((100.0,), 0, Instant(1.0, 1e9))
    snapshots.saw("road", frame)  # nobody asked
    seeing = threading.Event()

    def look() -> bool:
        assert snapshots.wants("road")
        seeing.set()
        return True

    thread = threading.Thread(target=lambda: (seeing.wait(5), snapshots.saw("road", frame)))
    thread.start()
    taken = snapshots.take("road", 10, look)
    thread.join()

    assert taken is not None
    assert not snapshots.wants("road")
    assert (taken.width_px, taken.height_px) == (512, 256)
    assert len(taken.data) <= MAX_BYTES
    picture = cv2.imdecode(np.frombuffer(taken.data, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (256, 512, 3)


def test_without_a_frame_there_is_no_picture_and_waiting_can_be_given_up() -> None:
    turns: list[int] = []

    assert Snapshots().take("road", 1.0, lambda: turns.append(1) is None) is None
    assert len(turns) == 2
    assert Snapshots().take("road", 1000.0, lambda: False) is None
