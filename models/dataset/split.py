"""A set of pictures in two: what is learned from, and what judges. Never by picture.

Neighbours in time are the same picture: a detector that learned one of them knows the other. So whole cameras
are held back; where there is only one camera, its latest or its earliest time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from agent.errors import ModelError
from agent.translatable import tr
from models.dataset.types import AnnotatedImage, Dataset

_GAP = 0.02
"""Share of a camera's pictures that go to neither side, between what is learned and what judges."""


HELD_BACK = 0.2
"""Share of the pictures, where no camera is named."""


def parted(sets: Sequence[Dataset], hold_back: Sequence[str], seed: int) -> list[tuple[Dataset, Dataset]]:
    """Each set in what is learned from and what is held back; where cameras are named, just these.

    Raises:
        ModelError: there is no such camera, none is left to learn from, or there are too few pictures.
    """
    if not hold_back:
        return [split(one, HELD_BACK, seed) for one in sets]
    known = {camera for one in sets for camera in one.cameras}
    unknown = [camera for camera in hold_back if camera not in known]
    if unknown or known <= set(hold_back):
        raise ModelError(
            tr("--hold-back: there is no camera {camera}", camera=unknown[0])
            if unknown
            else tr("--hold-back: no camera is left to learn from"),
            tr("the cameras are {cameras}.", cameras=", ".join(sorted(known))),
        )
    names = set(hold_back)
    return [(one.of_cameras(set(one.cameras) - names), one.of_cameras(names)) for one in sets]


def split(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """What is learned from, and about this share (0..1) of the pictures, held back.

    The same seed gives the same split, whatever the order of the cameras.

    Raises:
        ModelError: there are fewer than three pictures.
    """
    if len(dataset.images) < 3:
        raise ModelError(
            tr(
                "{name}: too few pictures to hold some back: {count}",
                name=dataset.name,
                count=len(dataset.images),
            ),
            tr("label more pictures, best of several cameras."),
        )
    if len(dataset.cameras) > 1:
        held = _cameras(dataset, share * len(dataset.images), random.Random(seed))  # noqa: S311  no secret
        return dataset.of_cameras(set(dataset.cameras) - held), dataset.of_cameras(held)
    return _by_time(dataset, share, seed)


def _cameras(dataset: Dataset, wanted: float, chance: random.Random) -> set[str]:
    """Cameras by chance, as many as come nearest to so many pictures; at least one, and never all."""
    counts = dict.fromkeys(sorted(dataset.cameras), 0)
    for image in dataset.images:
        counts[image.camera] += 1
    held: set[str] = set()
    have = 0
    for name in chance.sample(list(counts), len(counts)):
        if len(held) < len(counts) - 1 and abs(have + counts[name] - wanted) < abs(have - wanted):
            held.add(name)
            have += counts[name]
    return held or {min(counts, key=lambda name: (counts[name], name))}


def _by_time(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    images = sorted(dataset.images, key=_moment) if all(one.taken for one in dataset.images) else dataset.images
    count = min(max(1, round(share * len(images))), len(images) - 2)
    gap = min(max(1, round(_GAP * len(images))), len(images) - count - 1)
    rest, late = images[: len(images) - count - gap], images[len(images) - count :]
    if seed % 2:
        rest, late = images[count + gap :], images[:count]
    return replace(dataset, images=tuple(rest)), replace(dataset, images=tuple(late))


def _moment(image: AnnotatedImage) -> datetime:
    assert image.taken is not None
    # Some tools write no zone: compared as if all clocks stood in one.
    return image.taken.replace(tzinfo=None)
