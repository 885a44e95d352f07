"""Boxes and cameras by the names that people gave them, with their zones and rules, as each box told last."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from agent.printable import printable
from agent.wire.payloads import MOST_CAMERAS, MOST_PLACES
from station.store.schema import box
from station.store.titles import bare_title, seen_title, sharing, shown_title, told_title

BOX_ITSELF = "box"
"""The camera's name in what a box tells of itself; no camera is called so."""
_SHORT = 2048
"""Letters of what a province knows of a box with a title for everything; a box itself says ten times that."""


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule as its box has it configured."""

    id: str
    kind: str
    title: str = ""
    """For people, with its id where another one is called so; empty: by its id."""


@dataclass(frozen=True, slots=True)
class CameraPlace:
    """A camera as its box has it configured."""

    name: str
    """As in the topic."""
    title: str
    """For people."""
    zones: tuple[str, ...] = ()
    rules: tuple[PlacedRule, ...] = ()
    zone_titles: tuple[str, ...] = ()
    """For people, of each zone; empty: by its id."""


@dataclass(frozen=True, slots=True)
class BoxPlace:
    """A box and its cameras."""

    id: int
    device: str
    title: str
    """Where it hangs, for people, with its device where another box says the same; its device name where nobody
    has said."""
    last_seen_ms: int
    cameras: tuple[CameraPlace, ...]
    called: str = ""
    """Where it says that it hangs, as somebody speaks of it; empty: nothing."""

    def camera_title(self, name: str) -> str:
        """For people; of a camera that is configured no longer its name."""
        return next((each.title for each in self.cameras if each.name == name), name)

    def rule_title(self, camera: str, rule: str) -> str:
        """For people; of a rule that has no title, or is configured no longer, its id."""
        found = (each.title for each in self._at(camera).rules if each.id == rule)
        return next(found, "") or printable(rule)

    def zone_titles(self, camera: str) -> Mapping[str, str]:
        """For people, by id; empty of a zone without. Of all at once, for an event may name many."""
        at = self._at(camera)
        return dict(zip(at.zones, at.zone_titles, strict=False))

    def _at(self, camera: str) -> CameraPlace:
        """The first of this name: a box may claim hundreds of it."""
        return next((each for each in self.cameras if each.name == camera), CameraPlace(camera, camera))


def read_places(connection: Connection, box_ids: Iterable[int] | None = None) -> Mapping[int, BoxPlace]:
    """By the box's id, in the order of their titles; of these boxes, or of all."""
    query = select(box.c.id, box.c.device, box.c.last_seen_ms, box.c.info)
    if box_ids is not None:
        query = query.where(box.c.id.in_(sorted(set(box_ids))))
    shared, found = sharing(connection), []
    for row in connection.execute(query):
        called = told_title(row.info)
        title = shown_title(called, row.device, is_shared=row.id in shared)
        cameras = camera_places(row.info or "")
        found.append(BoxPlace(row.id, row.device, title, row.last_seen_ms, cameras, called))
    return {each.id: each for each in sorted(found, key=lambda it: (it.title.casefold(), it.device))}


def camera_places(info: str) -> tuple[CameraPlace, ...]:
    """What a birth message says of cameras; it was read by the contract when it came, or by an older one."""
    return _of_short(info) if len(info) <= _SHORT else _of_long(info)


@functools.lru_cache(maxsize=16_384)
def _of_short(info: str) -> tuple[CameraPlace, ...]:
    """Of those of a province, whose console reads all of them for each look-up."""
    return _of_long.__wrapped__(info)


@functools.lru_cache(maxsize=1024)
def _of_long(info: str) -> tuple[CameraPlace, ...]:
    try:
        said = json.loads(info) if info else {}
    except ValueError:
        return ()
    cameras = _objects(said, "cameras")[:MOST_CAMERAS]  # an older contract had no bound
    return tuple(_camera(*each) for each in zip(cameras, _titles(cameras), strict=True))


def _camera(said: Mapping[str, Any], title: str) -> CameraPlace:
    name = _text(said.get("id"))
    zones, rules = (_objects(said, key)[:MOST_PLACES] for key in ("zones", "rules"))
    placed = tuple(
        PlacedRule(_text(rule.get("id")), _text(rule.get("kind")), called)
        for rule, called in zip(rules, _titles(rules), strict=True)
    )
    return CameraPlace(
        name, title or name, tuple(_text(zone.get("id")) for zone in zones), placed, _titles(zones)
    )


def _titles(said: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What each is called, with its id where that looks like another's title or id; empty: nothing was said."""
    pairs = [(_text(each.get("id")), seen_title(_text(each.get("name")))) for each in said]
    if not any(title for _, title in pairs):
        return ("",) * len(pairs)
    times = Counter(look for pair in pairs for look in {bare_title(word) for word in pair if word})
    return tuple(
        f"{title} ({name})" if title and times[bare_title(title)] > 1 else title for name, title in pairs
    )


def _objects(said: Any, key: str) -> list[Mapping[str, Any]]:
    found = said.get(key) if isinstance(said, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(said: Any) -> str:
    return printable(said).strip() if isinstance(said, str) else ""
