"""Judged pictures as a data set that other tools read: a folder `images/`, `instances.json` beside it.

Format: COCO's (https://cocodataset.org/#format-data). Of each picture one place was judged, and nobody has
looked at the rest: so each says `"labelled": false`, and counts for nothing until somebody has completed it
(`ngatu models label`). A road user who is there is an annotation `"by": "officer"`, without `proposal`. What
was no road user is in `ruled_out` of its picture, for other programs would take an annotation for an object.
`camera`, `taken`, `labelled`, `ruled_out` and `mark` are ours, and other programs leave them out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.wire.words import LABELS
from station.labels.judged import JudgedEvent
from station.labels.unframed import BarePicture
from station.review.standing import ReviewKey

FILE: Final = "instances.json"
IMAGES: Final = "images"
DESCRIPTION: Final = (
    "Pictures of events that officers judged. Of each picture one place was judged, and nobody has looked at "
    "the rest: somebody has to complete each. The frame that the box had drawn around the place is painted out."
)
_ID_DIGITS: Final = 12
"""Of the end of an event's id: of a UUIDv7 they are chance."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A picture that is in the folder."""

    event: JudgedEvent
    name: str
    width_px: int
    height_px: int

    @property
    def sides(self) -> list[float]:
        """Left, top, width, height of the judged place, in pixels of the picture."""
        place = self.event.place
        left, right = place.left * self.width_px, place.right * self.width_px
        top, bottom = place.top * self.height_px, place.bottom * self.height_px
        return [round(side, 2) for side in (left, top, right - left, bottom - top)]


class JudgedDataset:
    """A data set that is being written: pictures one by one, and at its end what is in them."""

    def __init__(self, folder: Path, purpose: str, legal_basis: str) -> None:
        """`folder` is there, and empty.

        Raises:
            OSError: it cannot be written.
        """
        self._folder = folder
        self._said = {"purpose": purpose, "legal_basis": legal_basis}
        (folder / IMAGES).mkdir()
        self._written: dict[ReviewKey, _Written] = {}
        self._names: set[str] = set()

    @property
    def keys(self) -> Collection[ReviewKey]:
        """Of the events that are in it."""
        return self._written.keys()

    @property
    def there(self) -> int:
        """How many road users are labelled."""
        return len([1 for each in self._written.values() if each.event.verdict.is_there])

    @property
    def ruled_out(self) -> int:
        """How many places there are at which there is none."""
        return len(self._written) - self.there

    def add(self, event: JudgedEvent, picture: BarePicture) -> None:
        """One picture with what was judged in it.

        Raises:
            OSError: it cannot be written.
        """
        name = self._free_name(event)
        (self._folder / IMAGES / name).write_bytes(picture.data)
        self._written[event.key] = _Written(event, name, picture.width_px, picture.height_px)

    def keep_only(self, keys: Collection[ReviewKey]) -> None:
        """Take out what is of no event among these.

        Raises:
            OSError: a picture cannot be removed.
        """
        for key in [each for each in self._written if each not in keys]:
            (self._folder / IMAGES / self._written.pop(key).name).unlink()

    def finish(self) -> None:
        """Write `instances.json`; all of it is on the disk when it returns.

        Raises:
            OSError: it cannot be written.
        """
        labels = {label: number for number, label in enumerate(LABELS, 1)}
        for each in self._written.values():
            labels.setdefault(each.event.verdict.label, len(labels) + 1)
        numbered = list(enumerate(self._written.values(), 1))
        objects = [(number, each) for number, each in numbered if each.event.verdict.is_there]
        content = {
            "info": {"description": DESCRIPTION, "source": "ngatu station labels", **self._said},
            "images": [_image(number, each) for number, each in numbered],
            "annotations": [
                {"id": number, "image_id": image, "category_id": labels[each.event.verdict.label], **_box(each)}
                for number, (image, each) in enumerate(objects, 1)
            ],
            "categories": [{"id": number, "name": label} for label, number in labels.items()],
        }
        with (self._folder / FILE).open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, separators=(",", ":"))
        os.sync()  # a stick is pulled out as soon as the command ends

    def _free_name(self, event: JudgedEvent) -> str:
        taken = f"{event.taken:%Y%m%dT%H%M%S}"
        words = (event.commune, event.device, event.camera, taken, event.key[1][-_ID_DIGITS:])
        name = "_".join(words)
        while name in self._names:
            name += "-"
        self._names.add(name)
        return f"{name}.jpg"


def _image(number: int, written: _Written) -> dict[str, Any]:
    event = written.event
    verdict = event.verdict
    return {
        "id": number,
        "file_name": written.name,
        "width": written.width_px,
        "height": written.height_px,
        "camera": f"{event.commune}/{event.device}/{event.camera}",
        "taken": event.taken.isoformat(),
        "labelled": False,
        "ruled_out": [] if verdict.is_there else [{"label": verdict.label, "bbox": written.sides}],
        "mark": {
            "event": event.key[1],
            "rule_kind": event.rule_kind,
            "state": str(event.state),
            "reason": None if event.reason is None else str(event.reason),
            "seen_as": event.seen_as,
            "score": event.score,
            "model": event.model,
        },
    }


def _box(written: _Written) -> dict[str, Any]:
    sides = written.sides
    return {
        "bbox": sides,
        "area": round(sides[2] * sides[3], 2),
        "iscrowd": 0,
        "segmentation": [],
        "by": "officer",
    }
