"""agent.core.sampling.label_changes"""

from __future__ import annotations

from agent.core.sampling.label_changes import LabelChanges, follow
from agent.core.types import Box, Detection
from tests.support.sampled_frames import track

BOX = Box(0.2, 0.2, 0.4, 0.5)


def after(labels: list[str], of: str = "car", score: float = 0.6) -> tuple[LabelChanges, ...]:
    known: tuple[LabelChanges, ...] = ()
    for label in labels:
        known = follow(known, [track(BOX, label=of)], [Detection(label, score, BOX)])
    return known


def test_each_change_of_mind_counts() -> None:
    (changes,) = after(["car", "truck", "car", "car", "bus"])

    assert changes.changes == 3
    assert changes.label == "bus"


def test_a_rider_is_no_other_word_for_a_two_wheeler() -> None:
    (changes,) = after(["motorcycle", "person", "motorcycle"], of="motorcycle")

    assert changes.changes == 0


def test_what_the_detector_hardly_sees_or_sees_elsewhere_says_nothing() -> None:
    (weak,) = after(["car"])
    elsewhere = Detection("truck", 0.9, Box(0.6, 0.6, 0.8, 0.9))

    assert follow((weak,), [track(BOX)], [Detection("truck", 0.1, BOX), elsewhere]) == (weak,)


def test_who_is_gone_is_forgotten() -> None:
    known = after(["car"])

    assert follow(known, [], []) == ()
