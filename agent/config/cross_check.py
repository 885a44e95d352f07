"""What does not fit together in a box's file: names given twice, zones that are not there.

What is judged may hold anything: other mistakes of the file are told beside these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.config import corners, recording
from agent.core.rules.registry import BLIND_KINDS
from agent.errors import WireError
from agent.settings.diagnostics import Finding
from agent.settings.quoting import dotted, most_similar, nearest, quoted
from agent.translatable import joined, tr
from agent.wire.topics import ROOT, STATION, Topics

RESERVED = "box"
"""Stands for the camera in events that are about the box itself."""


def cross_check(plain: Any) -> Iterator[Finding]:
    """What does not fit together: names given twice, zones that are not there, masks whose edges cross.

    `plain` may hold anything: other mistakes of the file are told beside these, not instead of them.
    """
    yield from _topics(plain)
    cameras = list(_groups(plain, "cameras"))
    yield from _unsampled(plain)
    yield from _repeated([(("cameras", i, "name"), camera.get("name")) for i, camera in cameras])
    yield from _repeated([(("cameras", i, "title"), _title(camera)) for i, camera in cameras])
    for i, camera in cameras:
        if camera.get("name") == RESERVED:
            what = tr(
                "{reserved} is reserved: it stands for the box itself in events", reserved=quoted(RESERVED)
            )
            yield ("cameras", i, "name"), what, tr("choose another")
    for i, camera in cameras:
        at: tuple[str | int, ...] = ("cameras", i)
        zones = [((*at, "zones", k, "id"), zone.get("id")) for k, zone in _groups(camera, "zones")]
        yield from _repeated(zones)
        rules = list(_groups(camera, "rules"))
        yield from _repeated([((*at, "rules", k, "id"), rule.get("id")) for k, rule in rules])
        for kind in ("zones", "rules"):
            yield from _repeated([((*at, kind, k, "title"), _title(it)) for k, it in _groups(camera, kind)])
        yield from _zoneless(camera, at)
        yield from _sightless(camera, at)
        yield from _unblurred(plain, camera, at)
        yield from recording.unrecorded(camera, at, plain)
        yield from corners.misplaced(camera, at)


def _topics(plain: Any) -> Iterator[Finding]:
    """What may be a name by itself but cannot stand in a topic."""
    for path, place in ((("device", "commune"), 0), (("device", "id"), 1), (("broker", "root"), 2)):
        group = plain.get(path[0]) if isinstance(plain, dict) else None
        name = group.get(path[1]) if isinstance(group, dict) else None
        levels = ["commune", "device", ROOT]
        if isinstance(name, str) and (place == 2 or name == STATION):
            levels[place] = name
            try:
                Topics(*levels)
            except WireError as error:
                yield path, error.what, error.hint


def _groups(parent: Any, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    items = parent.get(name) if isinstance(parent, dict) else None
    for index, item in enumerate(items if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield index, item


def _names(parent: Any, name: str, called: str) -> list[str] | None:
    """What the items of a list call themselves; None: another message says what is wrong with the list.

    So nobody reads that something is not there who wrote it, but not as it is written here.
    """
    if not isinstance(parent, dict):
        return None
    if any(isinstance(key, str) and key != name and most_similar(key, (name,)) for key in parent):
        return None  # `zone:` stands for `zones:`
    items = parent.get(name, [])
    if not isinstance(items, list):
        return None
    known = [item[called] for item in items if isinstance(item, dict) and isinstance(item.get(called), str)]
    return known if len(known) == len(items) else None


def _zoneless(camera: dict[str, Any], at: tuple[str | int, ...]) -> Iterator[Finding]:
    """Rules about zones that are not there."""
    known = _names(camera, "zones", "id")
    if known is None:
        return
    there: str = (
        tr("zones of this camera: {known}", known=", ".join(known[:64]))
        if known
        else tr("this camera has no zones")
    )
    for k, rule in _groups(camera, "rules"):
        zone = rule.get("zone")
        if isinstance(zone, str) and zone not in known:
            what = tr("there is no zone {zone}", zone=quoted(zone))
            yield (*at, "rules", k, "zone"), what, nearest(zone, known) or there


def _title(group: dict[str, Any]) -> str | None:
    """What officers would read; who cannot tell two apart looks at the wrong street."""
    title = group.get("title")
    return title.strip() or None if isinstance(title, str) else None


def _repeated(names: list[tuple[tuple[str | int, ...], Any]]) -> Iterator[Finding]:
    first: dict[str, tuple[str | int, ...]] = {}
    for path, name in names:
        if isinstance(name, str) and name in first:
            yield (
                path,
                tr("{name} is the name of {first} already", name=quoted(name), first=dotted(first[name][:-1])),
                tr("choose another"),
            )
        elif isinstance(name, str):
            first[name] = path


def _sightless(camera: dict[str, Any], at: tuple[str | int, ...]) -> Iterator[Finding]:
    """Rules about road users, where none is ever found."""
    attention = camera.get("attention")
    if not isinstance(attention, dict) or attention.get("enabled") is not False:
        return
    for k, rule in _groups(camera, "rules"):
        if isinstance(rule.get("kind"), str) and rule["kind"] not in BLIND_KINDS:
            what = tr(
                "a rule of kind {rule} needs the detector, which is off for this camera",
                rule=quoted(rule["kind"]),
            )
            yield (
                (*at, "rules", k, "kind"),
                what,
                tr(
                    "set attention.enabled to true, or use rules of kind {blind_kinds}",
                    blind_kinds=joined(tr(" or "), sorted(BLIND_KINDS)),
                ),
            )


def _unsampled(plain: Any) -> Iterator[Finding]:
    """Cameras of which frames are to be kept, and that are not there."""
    known = _names(plain, "cameras", "name")
    if known is None:
        return
    samples = plain.get("samples") if isinstance(plain, dict) else None
    names = samples.get("cameras") if isinstance(samples, dict) else None
    for k, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str) and name not in known:
            yield (
                ("samples", "cameras", k),
                tr("there is no camera {name} in the configuration", name=quoted(name)),
                nearest(name, known) or tr("there are: {known}", known=", ".join(known[:64])),
            )


def _unblurred(plain: Any, camera: dict[str, Any], at: tuple[str | int, ...]) -> Iterator[Finding]:
    """Heads that are to be taken out, where nobody looks for people."""
    thumbnail, attention = plain.get("thumbnail"), camera.get("attention")
    if not (isinstance(thumbnail, dict) and isinstance(attention, dict)):
        return
    blur = thumbnail.get("blur", "none")
    if blur in ("heads", "heads_and_plates") and attention.get("enabled") is False:
        what = tr("thumbnail.blur is {blur}, and needs the detector to find people", blur=quoted(blur))
        yield (
            (*at, "attention", "enabled"),
            what,
            tr("set attention.enabled to true, or hide with privacy masks and set thumbnail.blur to none"),
        )
