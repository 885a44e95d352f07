"""What boxes, cameras, zones and rules are called, as a box's item takes it up to the province. Pure.

It is what the station shows of its boxes: in one line, with the id where two look alike. Whoever reads it
trusts none of it, and gives it the form of a birth message: so every console reads titles in one way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from agent.errors import WireError
from agent.settings.base import LONGEST_PLACE
from agent.wire.payloads import MOST_CAMERAS, MOST_PLACES
from station.lookup.places import CameraPlace, camera_places
from station.store.columns import storable
from station.store.events import LONGEST_WORD
from station.store.titles import told_title
from station.uplink.envelope import compact

MOST_BYTES: Final = 32 * 1024
"""Of a box, as JSON: several hundred titles. What is beyond goes by its id."""
_LONGEST: Final = LONGEST_PLACE + LONGEST_WORD + 8
"""Of a place, or of a title with its id in brackets."""
_AROUND: Final = 48
"""Bytes that stand around a title and its id, at most."""


def titles_said(info: str) -> dict[str, Any]:
    """What a birth message calls the box's place, its cameras, their zones and rules, by their ids.

    Where that is more than MOST_BYTES, cameras come before zones and rules, and the first before the last.
    """
    place = told_title(info)
    said: dict[str, Any] = {"place": place} if place else {}
    left = MOST_BYTES - len(compact(said)) - _AROUND
    cameras = list({each.name: each for each in reversed(camera_places(info))}.values())[::-1]
    listed: dict[str, dict[str, Any]] = {}
    for camera, part, name, title in (*_of_cameras(cameras), *_of_places(cameras)):
        left -= len(compact([camera, name, title])) + _AROUND
        if left < 0:
            break
        if part == "title":
            listed.setdefault(camera, {})[part] = title
        elif len(name) <= LONGEST_WORD:
            listed.setdefault(camera, {}).setdefault(part, {}).setdefault(name, title)
    return said | ({"cameras": listed} if listed else {})


_Named = tuple[str, str, str, str]
"""Camera, what of it, its id, its title."""


def _of_cameras(cameras: Iterable[CameraPlace]) -> Iterator[_Named]:
    return ((each.name, "title", each.name, each.title) for each in cameras if each.title != each.name)


def _of_places(cameras: Iterable[CameraPlace]) -> Iterator[_Named]:
    for camera in cameras:
        for zone, title in zip(camera.zones, camera.zone_titles, strict=True):
            if title:
                yield camera.name, "zones", zone, title
        for rule in camera.rules:
            if rule.title:
                yield camera.name, "rules", rule.id, rule.title


def read_titles(said: object) -> dict[str, Any]:
    """The same in another form: `location`, and `cameras` by their names, each as a birth message has it.

    Raises:
        WireError: it is nothing that `titles_said` gives, or beyond a limit.
    """
    if not isinstance(said, dict) or _size(said) > MOST_BYTES:
        raise WireError("no titles of a box, or more than a box may have")
    cameras = _group(said.get("cameras", {}), MOST_CAMERAS)
    found: dict[str, Any] = {}
    if cameras:
        found["cameras"] = {_word(name): {"id": _word(name), **_camera(each)} for name, each in cameras.items()}
    if "place" in said:
        found["location"] = {"description": _title(said["place"])}
    return found


def _size(said: dict[str, Any]) -> int:
    """Bytes of it as JSON, also where halves of characters are in it."""
    return len(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def _camera(said: object) -> dict[str, Any]:
    parts = _group(said, MOST_PLACES)
    found: dict[str, Any] = {"name": _title(parts["title"])} if "title" in parts else {}
    for part in ("zones", "rules"):
        named = _group(parts.get(part, {}), MOST_PLACES)
        if named:
            found[part] = [{"id": _word(name), "name": _title(title)} for name, title in named.items()]
    return found


def _group(said: object, most: int) -> Mapping[str, Any]:
    if not isinstance(said, dict) or len(said) > most:
        raise WireError("titles are no group, or more than a box may have")
    return said


def _word(name: str) -> str:
    if len(name) > LONGEST_WORD:
        raise WireError(f"no id: {name[:40]}")
    return storable(name)


def _title(said: object) -> str:
    if not isinstance(said, str) or len(said) > _LONGEST:
        raise WireError(f"no title: {str(said)[:40]}")
    return storable(said)
