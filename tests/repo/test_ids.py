"""One rule for every id that somebody gives: agent.settings.base.Name, wherever else it is asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from agent.config.schema import Config
from agent.settings.base import NAME_IN_WORDS, NAME_PATTERN, Name
from agent.settings.introspect import groups
from station.config import StationConfig

ROOT = Path(__file__).resolve().parents[2]
NAMED = {"id", "name", "commune", "zone"}
"""Settings that name a thing of ours."""
CLASS = re.compile(r"\[a-z0-9-\]\{\d+,\d+\}")


def test_every_setting_that_names_a_thing_obeys_it() -> None:
    found = {
        (model.__name__, name): field
        for config in (Config, StationConfig)
        for model in (group.model for group in groups(config))
        for name, field in model.model_fields.items()
        if name in NAMED
    }
    patterns = {where: str(field.metadata) + str(field.annotation) for where, field in found.items()}

    assert len(found) > 10
    assert [where for where, text in patterns.items() if f"^{NAME_PATTERN}$" not in text] == []
    assert f"^{NAME_PATTERN}$" in str(Name)


def test_playbooks_and_roles_ask_for_the_same() -> None:
    asked = {
        (path.name, found)
        for path in (ROOT / "deploy").rglob("*")
        if path.suffix in (".yml", ".j2")
        for found in CLASS.findall(path.read_text(encoding="utf-8"))
    }

    assert {name for name, _ in asked} >= {"new-box.yml", "preflight.yml"}
    assert {found for _, found in asked} == {NAME_PATTERN}


def test_the_schemas_of_the_wire_ask_for_the_same() -> None:
    asked = {
        found
        for path in (ROOT / "agent/wire/schema").glob("*.json")
        for pattern in _patterns(json.loads(path.read_text(encoding="utf-8")))
        for found in CLASS.findall(pattern)
    }

    assert asked == {NAME_PATTERN}


def test_no_page_tells_another_length() -> None:
    lengths = {
        (path.name, found)
        for folder in ("docs", "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".md", ".yml")
        for found in re.findall(r"(\d+ to \d+ of a-z, 0-9 and '-')", path.read_text(encoding="utf-8"))
    }

    assert {found for _, found in lengths} == {NAME_IN_WORDS}


def _patterns(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
        return own + [each for value in node.values() for each in _patterns(value)]
    return [each for value in node for each in _patterns(value)] if isinstance(node, list) else []
