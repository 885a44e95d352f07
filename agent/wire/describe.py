"""Writes what tells others of the wire: JSON Schema, AsyncAPI, tables of the reference, the broker's rules.

`python -m agent.wire.describe` writes them into the checkout; a test fails while they differ.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.wire import asyncapi, payloads
from agent.wire.channels import CHANNELS, Format, models
from agent.wire.payloads import Payload
from agent.wire.topics import STATION, permissions, retained, subscriptions

SCHEMAS = Path("agent/wire/schema")
ASYNCAPI = Path("docs/reference/asyncapi.yaml")
REFERENCE = Path("docs/reference/wire.md")
ACCESS = Path("deploy/ansible/roles/ngatu_broker/vars/main.yml")
_MARKED = re.compile(r"(<!-- fields: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_TOPICS = re.compile(r"(<!-- topics -->\n).*?(<!-- end -->)", re.DOTALL)


def slug(model: type[Payload]) -> str:
    """The name of a payload's schema file: camera_status for CameraStatusPayload."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__.removesuffix("Payload")).lower()


def schema(model: type[Payload]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what a reader of this version accepts."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:ngatu:wire:{payloads.SCHEMA_VERSION}:{slug(model)}",
        **model.model_json_schema(mode="validation"),
    }


def files(root: Path) -> dict[Path, str]:
    """Every generated file with its text; the prose of the reference is taken from the one that is there."""
    described = {
        root / SCHEMAS / f"{slug(model)}.json": json.dumps(schema(model), indent=1, ensure_ascii=False) + "\n"
        for model in models()
    }
    described[root / ASYNCAPI] = (
        "# Generated from agent/wire/payloads/ by `python -m agent.wire.describe`.\n" + asyncapi.document()
    )
    described[root / ACCESS] = access()
    prose = (root / REFERENCE).read_text(encoding="utf-8")
    prose = _TOPICS.sub(lambda found: found[1] + topics_table() + found[2], prose)
    described[root / REFERENCE] = _MARKED.sub(
        lambda found: found[1] + fields_table(getattr(payloads, found[2])) + found[3], prose
    )
    return described


def topics_table() -> str:
    """All topics as a Markdown table."""
    rows = ["| topic | from | retained | receipt | payload | what |", "|---|---|---|---|---|---|"]
    for channel in CHANNELS:
        rows.append(
            f"| `{channel.suffix}` | {channel.sender} | {_yes(channel.retained)} | {_yes(channel.kept)} "
            f"| {_payload(channel.payload)} | {channel.what} |"
        )
    return "\n".join(rows) + "\n"


def access() -> str:
    """The lists of topics from which the broker's access rules are made, as the variables of its role."""
    own = [f"{STATION}/{channel.topic}" for channel in CHANNELS if channel.below == "station"]
    lists = {
        "ngatu_broker_box_writes": (
            "What a box publishes below its own device; {camera} is each of its cameras, and `box`",
            permissions("box"),
        ),
        "ngatu_broker_box_reads": ("What a box hears below its own device", subscriptions("station")),
        "ngatu_broker_station_writes": (
            "What a station publishes below every device of its commune",
            permissions("station"),
        ),
        "ngatu_broker_station_own": ("What a station publishes below its commune, and its boxes hear", own),
        "ngatu_broker_kept": (
            "What may be kept (retained), below the root",
            (*retained("box"), *retained("station")),
        ),
    }
    text = "---\n# Generated from agent/wire/channels.py by `python -m agent.wire.describe`.\n"
    for name, (what, topics) in lists.items():
        items = "".join(f"  - {each if each.isalpha() else json.dumps(each)}\n" for each in topics)
        text += f"\n# {what}.\n{name}:\n{items}"
    return text


def _payload(payload: type[Payload] | Format) -> str:
    if isinstance(payload, Format):
        return {Format.JPEG: "JPEG", Format.BYTES: "bytes"}[payload]
    return f"[{slug(payload)}](#{slug(payload).replace('_', '-')})"


def fields_table(model: type[BaseModel]) -> str:
    """The fields of a payload as a Markdown table; those of inner objects are named with dots."""
    rows = ["| field | type | meaning |", "|---|---|---|"]
    whole = model.model_json_schema(mode="validation")
    rows += _rows(whole, whole.get("$defs", {}), "")
    return "\n".join(rows) + "\n"


def _rows(part: dict[str, Any], defs: dict[str, Any], prefix: str) -> list[str]:
    rows = []
    for name, field in part["properties"].items():
        wanted = "" if name in part.get("required", ()) else ", optional"
        rows.append(f"| `{prefix}{name}` | {_type(field, defs)}{wanted} | {_meaning(field, defs)} |")
        for inner, mark in _inner(field, defs):
            rows += _rows(inner, defs, f"{prefix}{name}{mark}.")
    return rows


def _inner(field: dict[str, Any], defs: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The objects inside a field, and how a path says so: nothing, [] for a list, {} for a map."""
    if "$ref" in field:
        found = defs[field["$ref"].rsplit("/", 1)[1]]
        return [(found, "")] if "properties" in found else []
    inside = [
        (inner, mark + below)
        for key, mark in (("items", "[]"), ("additionalProperties", "{}"))
        if isinstance(field.get(key), dict)
        for inner, below in _inner(field[key], defs)
    ]
    return inside + [one for choice in field.get("anyOf", ()) for one in _inner(choice, defs)]


def _type(field: dict[str, Any], defs: dict[str, Any]) -> str:
    """A type in words: 'time', 'integer or null', one of some words."""
    if "$ref" in field:
        return _type(defs[field["$ref"].rsplit("/", 1)[1]], defs)
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(choice, defs) for choice in field["anyOf"]))
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    kind = str(field.get("type", "any"))
    if kind == "array":
        return f"list of {_type(field['items'], defs)}" if "items" in field else "list"
    if field.get("format") == "date-time":
        return "time"
    return kind


def _meaning(field: dict[str, Any], defs: dict[str, Any]) -> str:
    """Its description; where it says the same as that of its type, pydantic leaves it to the type."""
    own = field.get("description") or defs.get(field.get("$ref", "").rsplit("/", 1)[-1], {}).get("description")
    return str(own or "")


def _yes(value: bool) -> str:
    return "yes" if value else ""


def main(root: Path = Path()) -> None:
    """Write every generated file below the checkout."""
    for path, text in files(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
