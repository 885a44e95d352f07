"""What officers have judged in a picture before anybody labels it (`ngatu station labels`).

Where they said that a road user is, a box is drawn already, and no proposal doubles it. Where they said that
there is none, none is proposed again; and once the picture is done, it is written with that place, so that
training knows that silence means something there. Whoever labels has the last word: a box that is drawn there
takes the officers' word away.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Final

import numpy as np

from agent.core.geometry import iou
from models.dataset.types import AnnotatedImage, Annotation
from models.label.sheet import DrawnBox, ProposedBox
from models.label.store import LabelStore

SAME_IOU: Final = 0.5
"""From this overlap on two boxes are of one thing, as they are where models are judged."""
_FACT: Final = "ruled out"


def note_ruled_out(store: LabelStore, images: Mapping[str, AnnotatedImage]) -> None:
    """Keep the places of these pictures, by name, at which there is no road user."""
    places = {
        name: [asdict(each) for each in image.ruled_out] for name, image in images.items() if image.ruled_out
    }
    store.note(_FACT, json.dumps(places, ensure_ascii=False, separators=(",", ":")))


def ruled_out_in(store: LabelStore) -> dict[str, tuple[Annotation, ...]]:
    """These places, by the name of their picture."""
    noted = json.loads(store.fact(_FACT) or "{}")
    return {name: tuple(Annotation(**each) for each in places) for name, places in noted.items()}


def uncontradicted(places: Iterable[Annotation], drawn: Sequence[DrawnBox]) -> tuple[Annotation, ...]:
    """Those of the places at which nobody has drawn what is said not to be there."""
    return tuple(
        each for each in places if not _overlaps(each, [one for one in drawn if one.label == each.label])
    )


def not_yet_judged(
    proposals: Iterable[ProposedBox], drawn: Sequence[DrawnBox], ruled_out: Sequence[Annotation]
) -> tuple[ProposedBox, ...]:
    """Those of the proposals that double no drawn box, and that nobody has said are not there."""
    return tuple(
        each
        for each in proposals
        if not _overlaps(each, drawn)
        and not _overlaps(each, [one for one in ruled_out if one.label == each.label])
    )


def _overlaps(one: DrawnBox | Annotation, others: Sequence[DrawnBox | Annotation]) -> bool:
    if not others:
        return False
    theirs = np.array([[each.left, each.top, each.right, each.bottom] for each in others])
    mine = np.array([[one.left, one.top, one.right, one.bottom]])
    return bool((iou(mine, theirs) >= SAME_IOU).any())
