"""Places on the picture, as they stand in the file: corners in pixels, and masks whose edges cross.

What is judged may hold anything: other mistakes of the file are told beside these.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from agent.core.geometry import crosses
from agent.settings.diagnostics import Finding
from agent.translatable import joined, tr

MAX_CORNERS = 64
PERCENT_UP_TO = 100
"""Up to so much all corners may as well have been meant in percent: no picture is so small."""
PIXELS_FROM = 2
"""From so much on a corner was meant in pixels; 1.02 is a fraction that went over the edge."""
COMMON = ((1280, 720), (1920, 1080), (2560, 1440), (3840, 2160), (7680, 4320))
"""Sizes of pictures, to show a division with: what a network camera sends is not known before it is asked."""

Path = tuple[str | int, ...]


def misplaced(camera: dict[str, Any], at: Path) -> Iterator[Finding]:
    """What is wrong with the places of one camera, which stands at `at` in the file."""
    yield from _in_pixels(camera, at)
    yield from _crossed_masks(camera, at)


def _in_pixels(camera: dict[str, Any], at: Path) -> Iterator[Finding]:
    """Places whose corners were read off a picture in pixels: the most natural slip there is."""
    for path, corners in _places(camera):
        if not isinstance(corners, list) or not corners or not all(_is_corner(each) for each in corners):
            continue
        largest = max(value for corner in corners for value in corner)
        if largest > PERCENT_UP_TO:
            what = tr("in pixels, but corners are fractions of the picture")
            yield (*at, *path), what, _divided(camera, corners)
        elif largest >= PIXELS_FROM:
            what = tr("in percent or in pixels, but corners are fractions of the picture")
            x, y = _shown_one(corners)
            words = tr("of percent write a hundredth, such as [{x}, {y}]", x=f"{x / 100:g}", y=f"{y / 100:g}")
            yield (*at, *path), what, joined("; ", (words, _divided(camera, corners)))


def _places(camera: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every list of corners, with its path below the camera."""
    for k, mask in _items(camera, "privacy_masks"):
        yield ("privacy_masks", k), mask
    for k, zone in _items(camera, "zones"):
        if isinstance(zone, dict):
            yield ("zones", k, "polygon"), zone.get("polygon")
    for k, rule in _items(camera, "rules"):
        if isinstance(rule, dict):
            yield from ((("rules", k, name), [rule.get(name)]) for name in ("start", "end"))


def _divided(camera: dict[str, Any], corners: list[list[float]]) -> str:
    """The first corner that is not at the edge, divided: by the picture's size where that is known."""
    source = camera.get("source")
    known = source if isinstance(source, dict) and source.get("kind") in ("usb", "csi") else {}
    width, height = known.get("width_px", COMMON[0][0]), known.get("height_px", COMMON[0][1])
    if not known or not all(isinstance(side, int) and side > 0 for side in (width, height)):
        right, bottom = (max(corner[axis] for corner in corners) for axis in (0, 1))
        width, height = next((each for each in COMMON if each[0] >= right and each[1] >= bottom), COMMON[-1])
    x, y = _shown_one(corners)
    of = "" if known else tr("in one of {width}×{height} pixels, ", width=width, height=height)
    # Written as the file wants them: with a point, also where people write a comma.
    return tr(
        "divide x by its width and y by its height: {of}{x}/{width} = {left} and {y}/{height} = {top}",
        of=of,
        x=f"{x:g}",
        width=width,
        left=f"{x / width:.3f}",
        y=f"{y:g}",
        height=height,
        top=f"{y / height:.3f}",
    )


def _shown_one(corners: list[list[float]]) -> list[float]:
    """The first corner that is not at the edge."""
    return next((corner for corner in corners if all(value >= PIXELS_FROM for value in corner)), corners[0])


def _crossed_masks(camera: dict[str, Any], at: Path) -> Iterator[Finding]:
    """A mask whose edges cross hides another area than the one that was meant."""
    for k, mask in _items(camera, "privacy_masks"):
        if not isinstance(mask, list) or len(mask) > MAX_CORNERS or not all(_is_corner(c) for c in mask):
            continue
        edges = list(pairwise([*mask, mask[0]])) if mask else []
        for i, first in enumerate(edges):
            for j in range(i + 2, len(edges)):
                if (i, j) != (0, len(edges) - 1) and crosses(*first, *edges[j]):
                    what = tr("edges {i} and {j} of the mask cross", i=i + 1, j=j + 1)
                    yield (*at, "privacy_masks", k), what, tr("list its corners in order around it")
                    return


def _items(parent: dict[str, Any], name: str) -> list[tuple[int, Any]]:
    items = parent.get(name)
    return list(enumerate(items)) if isinstance(items, list) else []


def _is_corner(corner: Any) -> bool:
    return (
        isinstance(corner, list)
        and len(corner) == 2
        and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in corner)
    )
