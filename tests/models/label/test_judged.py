"""models.label.judged"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from models.dataset.coco import read_coco
from models.dataset.types import AnnotatedImage, Annotation
from models.label.judged import not_yet_judged, note_ruled_out, ruled_out_in, uncontradicted
from models.label.prefill import Prefill
from models.label.sheet import DrawnBox, LabelSheet, ProposedBox
from models.label.store import LabelStore
from models.label.workplace import Workplace
from tests.models.label.test_prefill import marked
from tests.models.label.test_proposer import MarkReader
from tests.support.brokers import until
from tests.support.labelled import NAMES

CAR = [100, 100, 100, 60]
"""Where the pictures of `marked` have their red car."""
NOTHING = Annotation("car", 100, 100, 200, 160)


def drawn(label: str = "car", shift: float = 0.0) -> DrawnBox:
    return DrawnBox(label=label, left=100 + shift, top=100, right=200 + shift, bottom=160)


def proposed(label: str = "car", shift: float = 0.0) -> ProposedBox:
    return ProposedBox(**drawn(label, shift).model_dump(), score=0.7)


def from_a_station(folder: Path) -> Path:
    """Four pictures with a car each: for officers a bus, no car, a car elsewhere; of one they said nothing."""
    marked(folder / "images")
    names = {"car": 1, "bus": 2}
    images: list[dict[str, Any]] = [
        {"id": number, "file_name": name, "width": 640, "height": 360, "camera": "c", "labelled": False}
        for number, name in enumerate(NAMES, 1)
    ]
    images[1]["ruled_out"] = [{"label": "car", "bbox": CAR}]
    objects = [
        {"id": 1, "image_id": 1, "category_id": 2, "bbox": CAR, "iscrowd": 0, "by": "officer"},
        {"id": 2, "image_id": 3, "category_id": 1, "bbox": [400, 200, 50, 50], "iscrowd": 0, "by": "officer"},
    ]
    categories = [{"id": number, "name": name} for name, number in names.items()]
    (folder / "instances.json").write_text(
        json.dumps({"images": images, "annotations": objects, "categories": categories})
    )
    return folder


def sheets(workplace: Workplace) -> list[LabelSheet]:
    rows = [workplace.store.picture(each["id"]) for each in workplace.store.summaries()]
    return [row.sheet for row in rows if row is not None]


def test_what_officers_said_is_drawn_and_only_the_rest_is_proposed(tmp_path: Path) -> None:
    with closing(Workplace(from_a_station(tmp_path))) as workplace:
        assert [len(sheet.boxes) for sheet in sheets(workplace)] == [1, 0, 1, 0]
        prefill = Prefill(workplace, MarkReader())
        prefill.start()
        until(lambda: not prefill.running)
        prefill.stop()

        bus, nothing, elsewhere, untouched = sheets(workplace)
        assert (bus.boxes[0].label, bus.proposals) == ("bus", ()), "the detector's car is the officers' bus"
        assert (nothing.boxes, nothing.proposals) == ((), ()), "what they ruled out is not proposed again"
        assert (len(elsewhere.boxes), len(elsewhere.proposals)) == (1, 1)
        assert (len(untouched.boxes), len(untouched.proposals)) == (0, 1)
        assert {each["state"] for each in workplace.store.summaries()} == {"open"}
        assert workplace.dataset().images == (), "nobody has looked at any of them as a whole"


def test_what_was_ruled_out_is_written_with_the_picture_once_that_is_done(tmp_path: Path) -> None:
    with closing(Workplace(from_a_station(tmp_path))) as workplace:
        two = workplace.store.summaries()[1]["id"]
        workplace.store.save(two, LabelSheet(state="done"), 0)
        workplace.write_out()
    (image,) = read_coco(tmp_path).images
    assert (image.annotations, image.ruled_out) == ((), (NOTHING,))

    with closing(Workplace(tmp_path)) as workplace:
        workplace.store.save(two, LabelSheet(state="done", boxes=(drawn(),)), 1)
        workplace.write_out()
    (image,) = read_coco(tmp_path).images
    assert (len(image.annotations), image.ruled_out) == (1, ()), "whoever labels has the last word"


def test_the_places_lie_in_the_folder_by_the_name_of_their_picture(tmp_path: Path) -> None:
    with closing(LabelStore(tmp_path)) as store:
        assert ruled_out_in(store) == {}
        image = AnnotatedImage(tmp_path / "a.jpg", 640, 360, (), ruled_out=(NOTHING,))
        note_ruled_out(store, {"a.jpg": image, "b.jpg": AnnotatedImage(tmp_path / "b.jpg", 640, 360, ())})
    with closing(LabelStore(tmp_path)) as store:
        assert ruled_out_in(store) == {"a.jpg": (NOTHING,)}


def test_only_what_is_drawn_there_with_the_same_label_contradicts() -> None:
    assert uncontradicted([NOTHING], [drawn()]) == ()
    assert uncontradicted([NOTHING], [drawn("bus"), drawn(shift=90)]) == (NOTHING,)


def test_only_a_proposal_of_the_same_thing_is_left_out() -> None:
    assert not_yet_judged([proposed("bus")], [drawn()], ()) == ()
    assert not_yet_judged([proposed()], (), [NOTHING]) == ()
    others = (proposed("bus"), proposed(shift=90))
    assert not_yet_judged(others, (), [NOTHING]) == others
