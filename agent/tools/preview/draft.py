"""Zones, lines, masks and rules as they are drawn: judged by the configuration's reader, written as its YAML.

What is judged is the text that is shown: the file's own settings with the drawn places in it. So what the page
calls right is right for `ngatu check`, and what is wrong is told in the same words.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.config.cross_check import cross_check
from agent.config.schema import CameraConfig, Config, parse, read
from agent.core.rules.registry import KINDS
from agent.settings.diagnostics import judged
from agent.settings.dump import dumped, in_one_line
from agent.settings.introspect import Setting, settings_of
from agent.settings.refusals import MAX_TOLD, Mistake
from agent.settings.yaml import read as read_yaml

PARTS = ("privacy_masks", "zones", "rules")
"""The settings of a camera that are drawn, in the order in which the file shows them."""
INDENT = " " * 4
"""Of a camera's settings in the file: `cameras:`, two spaces and a hyphen."""

Places = Mapping[str, list[Any]]
"""For each of PARTS what stands there, as the file has it; of a drawing it may be anything."""


@dataclass(frozen=True, slots=True)
class CameraSheet:
    """What the file says, with the places of one camera apart."""

    box: Mapping[str, Any]
    """The file without its cameras."""
    camera: Mapping[str, Any]
    """The camera without its places."""
    places: Places


@dataclass(frozen=True, slots=True)
class DraftJudgement:
    """What the configuration's reader makes of a drawing."""

    yaml: str
    """To be pasted below the camera's other settings."""
    mistakes: tuple[Mistake, ...]
    """Their paths begin with one of PARTS."""
    config: Config | None
    """The box with this one camera, if nothing is wrong."""

    @property
    def camera(self) -> CameraConfig | None:
        """The camera with the drawn places."""
        return self.config.cameras[0] if self.config is not None else None


def read_sheet(file: Path, name: str) -> CameraSheet:
    """The file as it is now.

    Raises:
        ConfigError: it cannot be read, is wrong, or has no such camera.
    """
    data = read(file)
    config = parse(data, str(file))
    number = config.cameras.index(config.camera(name))
    box = dict(read_yaml(data)[0].plain())
    camera = dict(box.pop("cameras")[number])
    places = {part: list(camera.pop(part, ())) for part in PARTS}
    if not places["rules"] and "rules" not in config.cameras[number].model_fields_set:
        places["rules"] = [_as_written(rule) for rule in config.cameras[number].rules]
    return CameraSheet(box, camera, places)


def _as_written(rule: Any) -> dict[str, Any]:
    return {"kind": rule.kind_name(), **rule.model_dump(mode="json", exclude_defaults=True)}


def judge(sheet: CameraSheet, places: Places) -> DraftJudgement:
    """The drawing as YAML, and what is wrong with it."""
    text = snippet(places)
    camera = textwrap.indent(dumped([dict(sheet.camera)]), INDENT[2:])
    whole = f"{dumped(dict(sheet.box))}cameras:\n{camera}{text}"
    config, mistakes = judged(whole.encode("utf-8", "replace"), Config, cross_check)
    found = tuple(
        Mistake(each.line, each.path[2:], each.what, each.hint)
        for each in sorted(mistakes, key=lambda mistake: mistake.line)[:MAX_TOLD]
    )
    return DraftJudgement(text, found, None if found else config)


def snippet(places: Places) -> str:
    """The places as they stand below a camera, each in a line of its own."""
    lines = []
    for part in PARTS:
        if items := places.get(part):
            lines += [f"{INDENT}{part}:", *(f"{INDENT}  - {in_one_line(item)}" for item in items)]
        elif part == "rules":  # without a word a camera tells of motion
            lines.append(f"{INDENT}rules: []")
    return "\n".join(lines) + "\n"


def kinds() -> list[dict[str, Any]]:
    """What a page must know of each kind of rule: where it lies, and what else must be said."""
    found = []
    for kind in KINDS:
        fields = {each.name: each for each in settings_of(kind.rule)}
        zone = fields.get("zone")
        found.append(
            {
                "kind": kind.name,
                "meaning": kind.rule.meaning,
                "line": {"start", "end"} <= set(fields),
                "zone": "none" if zone is None else "needed" if zone.required else "possible",
                "severity": fields["severity"].default,
                "asks": [
                    _asked(each)
                    for name, each in fields.items()
                    if each.required and name not in ("id", "kind", "zone", "start", "end")
                ],
            }
        )
    return found


def _asked(setting: Setting) -> dict[str, Any]:
    """A number that a rule cannot do without."""
    limits = {"least": 0.0, "most": 1e9}
    for mark in setting.shape.constraints:
        for name, end in (("ge", "least"), ("gt", "least"), ("le", "most"), ("lt", "most")):
            value = getattr(mark, name, None)
            if value is not None:
                limits[end] = float(value)
    return {"name": setting.name, "meaning": setting.description, **limits}
