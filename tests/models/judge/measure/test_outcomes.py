"""models.judge.measure.outcomes"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from agent.core.types import Box, Detection
from models.dataset.types import AnnotatedImage, Annotation, Dataset
from models.judge.measure.outcomes import label_finds, parts
from models.judge.scenes import Scenes

FAR = Annotation("car", 0, 0, 10, 10)
NEAR = Annotation("car", 100, 100, 200, 200)
CROWD = Annotation("car", 300, 0, 360, 300, ignored=True)


def picture(
    *objects: Annotation, camera: str = "a", condition: str = "", hour: int | None = None
) -> AnnotatedImage:
    taken = None if hour is None else datetime(2026, 3, 1, hour, tzinfo=UTC)
    return AnnotatedImage(Path("x.jpg"), 360, 360, objects, camera, taken, condition)


def found(score: float, left: float, top: float, right: float, bottom: float) -> Detection:
    return Detection("car", score, Box(left / 360, top / 360, right / 360, bottom / 360))


def test_hits_have_the_size_of_the_object_and_false_alarms_their_own() -> None:
    dataset = Dataset("x", (picture(FAR, NEAR), picture(CROWD, NEAR)), ("car",))
    detections = [
        [found(0.9, 0, 0, 10, 10), found(0.5, 200, 200, 230, 230)],
        [found(0.8, 310, 10, 340, 40), found(0.7, 100, 100, 200, 205)],
    ]

    finds = label_finds(dataset, detections, "car")

    assert finds.scores.tolist() == [0.9, 0.5, 0.7]  # that in the crowd counts neither way
    assert finds.lines.round().tolist() == [10, 30, 100]
    assert finds.owners.tolist() == [0, -1, 2]
    assert finds.object_pictures.tolist() == [0, 0, 1]
    assert finds.object_scores.tolist() == [0.9, -1, 0.7]


def test_a_part_holds_its_objects_and_its_boxes_only() -> None:
    dataset = Dataset("x", (picture(FAR, NEAR), picture(NEAR)), ("car",))
    finds = label_finds(dataset, [[found(0.9, 0, 0, 10, 10)], [found(0.5, 200, 200, 230, 230)]], "car")
    scenes = Scenes(np.array([0, 1]), 2, by_camera=False)

    by_name = {part.name: finds.outcome(scenes, part) for part in parts(dataset)}

    assert by_name["far"].recall(0.4)[0] == 1
    assert by_name["near"].objects.tolist() == [1, 1]
    assert by_name["near"].recall(0.4)[0] == 0
    assert by_name["middle"].precision(0.4)[0] == 0
    assert sum(part.objects.sum() for part in by_name.values()) == finds.outcome(scenes).objects.sum()


def test_a_set_has_parts_by_what_it_knows_of_its_pictures() -> None:
    pictures = (
        picture(hour=7, condition="day"),
        picture(camera="b", hour=22, condition="night"),
        picture(camera=""),
    )

    named = [(part.kind, part.name) for part in parts(Dataset("x", pictures, ("car",)))]

    assert named == [
        ("size", "far"), ("size", "middle"), ("size", "near"), ("camera", "a"), ("camera", "b"),
        ("condition", "day"), ("condition", "night"), ("hour", "07:00"), ("hour", "22:00"),
    ]  # fmt: skip
