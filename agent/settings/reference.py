"""The example, the reference and the JSON Schema of a file of settings, made out of its models.

In the example a line of prose is `# Text`. What is not set stands behind a `#` with no space or several after
it, so that an operator uses it by taking that `#` away.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from agent.settings.base import Secret
from agent.settings.introspect import (
    GROUP,
    GROUPS,
    Group,
    Setting,
    Shape,
    groups,
    inner_models,
    item_of,
    kind,
    settings_of,
)
from agent.settings.scalars import resolve

WIDTH = 100
_PLAIN_TEXT = re.compile(r"[A-Za-z/][A-Za-z0-9 ._/-]*[A-Za-z0-9_/-]|[A-Za-z]")

Examples = Mapping[str, Any]
"""Path of a setting -> a value to show for it where it has no default."""

Kind = tuple[type[BaseModel], str, str | None]
"""A group that may stand at a place: its model, the place, and the tag that chooses it among others."""


def example(model: type[BaseModel], examples: Examples, head: str) -> str:
    """The commented YAML file: every setting of `model`, equal to the defaults where there are any."""
    lines = head.splitlines()
    for setting in settings_of(model):
        lines += ["", *_setting_lines(setting, examples, setting.default)]
    return "\n".join(lines) + "\n"


def _setting_lines(setting: Setting, examples: Examples, value: Any) -> list[str]:
    """One setting: the comment above it, itself, and what else could stand there behind '#'."""
    comment = _comment(setting)
    if setting.required and value is None:
        value = _example_value(setting, examples)
    if Secret in setting.shape.models:
        return [
            *comment,
            f"{setting.name}: null",
            f"#{setting.name}: {_flow(_example_value(setting, examples))}",
        ]
    kinds = list(inner_models(setting))
    if not kinds:
        return [*comment, f"{setting.name}: {_flow(value)}"]
    if setting.shape.models:
        return [*comment, *_group_lines(setting, kinds, examples, value)]
    return [*comment, *_list_lines(setting, kinds, examples, value)]


def _group_lines(setting: Setting, kinds: list[Kind], examples: Examples, value: Any) -> list[str]:
    """A setting that is a group: open, or null with the group behind '#'; other kinds behind '#'."""
    is_open = value is not None or setting.required
    chosen = _kind_of(value, kinds) if is_open else None
    lines = [] if is_open else [f"{setting.name}: null"]
    for index, one in enumerate(kinds):
        body = _body(one, examples, value if index == chosen else None, {})
        block = [f"{setting.name}:", *_indented(body)]
        lines += block if index == chosen else _hidden(block)
    return lines


def _list_lines(setting: Setting, kinds: list[Kind], examples: Examples, value: Any) -> list[str]:
    """A list of groups: the items of its default, then one of each kind that is not among them behind '#'.

    What an earlier kind has explained is not said again, unless an item is not complete without it.
    """
    items = list(value or ([None] if setting.required else []))
    used = {_kind_of(item, kinds) for item in items}
    lines = [f"{setting.name}:" if items else f"{setting.name}: []"]
    explained: dict[str, str] = {}
    for item in items:
        one = kinds[_kind_of(item, kinds)]
        lines += _indented(_item(_body(one, examples, item, explained)))
    for index, one in enumerate(kinds):
        if index not in used:
            lines += _indented(_hidden(_item(_body(one, examples, None, explained))))
    return lines


def _body(one: Kind, examples: Examples, value: Any, explained: dict[str, str]) -> list[str]:
    """The settings of one group, the one that names its kind first; adds to what is explained, by name."""
    model, path, tag = one
    given = value if isinstance(value, dict) else {}
    lines: list[str] = []
    left_out: list[str] = []
    for setting in settings_of(model, f"{path}({tag})" if tag else path):
        explanation = f"{setting.default!r} {setting.description}"
        if tag is not None and kind(setting.shape) == tag:
            lines = [*_wrapped(f"{tag}: {summary(model)}"), f"{setting.name}: {tag}", *lines]
        elif setting.required or explained.get(setting.name) != explanation:
            lines += _setting_lines(setting, examples, given.get(setting.name, setting.default))
        else:
            left_out.append(setting.name)
        explained[setting.name] = explanation
    return [*lines, *(_wrapped(f"and as above: {', '.join(left_out)}") if left_out else [])]


def _kind_of(value: Any, kinds: list[Kind]) -> int:
    """Which of several kinds a value is; the first where it does not say."""
    given = list(value.values()) if isinstance(value, dict) else []
    return next((index for index, (_, _, tag) in enumerate(kinds) if tag is not None and tag in given), 0)


def _comment(setting: Setting) -> list[str]:
    return _wrapped(f"{setting.description} ({words(setting)})" if words(setting) else setting.description)


def words(setting: Setting) -> str:
    """Type and bounds, as far as the value beside it does not show them: 'whole number, 1..64; required'."""
    parts = [kind(setting.shape)] if kind(setting.shape) not in (GROUP, GROUPS) else []
    parts += [setting.limits] if setting.limits and setting.limits not in setting.description else []
    text = ", ".join(parts)
    if setting.required:
        text = f"{text}; required" if text else "required"
    return text


def summary(model: type[BaseModel]) -> str:
    """A group's own words about itself: its docstring in one paragraph."""
    return " ".join(inspect.cleandoc(model.__doc__ or "").split("\n\n")[0].split())


def _wrapped(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH - 10, break_long_words=False)]


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _hidden(lines: list[str]) -> list[str]:
    """Behind '#'; prose gets two more spaces, so that one '#' and one space always mean prose."""
    return [f"#{line}" if not line.startswith("# ") else f"#  {line}" for line in lines]


def _item(lines: list[str]) -> list[str]:
    """As an item of a list: the dash before the first setting, its comment above the dash."""
    first = next(index for index, line in enumerate(lines) if not line.startswith("#"))
    head = lines[:first]
    return [*head, f"- {lines[first]}", *_indented(lines[first + 1 :])]


def _example_value(setting: Setting, examples: Examples) -> Any:
    plain = re.sub(r"\([^)]*\)", "", setting.path)
    for path in (setting.path, plain):
        if path in examples:
            return examples[path]
    if setting.examples:
        return setting.examples[0]
    if Secret in setting.shape.models:
        return {"env": f"NGATU_{setting.name.upper()}"}
    if setting.shape.models or (item_of(setting.shape) or Shape((), False, (), None)).models:
        return None  # the group's own settings say it
    raise LookupError(f"{setting.path} is required: give its Field() examples=[…]")


def _flow(value: Any) -> str:
    """A value in one line, the same to YAML 1.1 and 1.2 readers."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if (
        isinstance(value, str)
        and _PLAIN_TEXT.fullmatch(value)
        and yaml.safe_load(value) == value == resolve(value)[0]
    ):
        return value
    return json.dumps(value, ensure_ascii=False)


def page(model: type[BaseModel], head: str) -> str:
    """The page of a reference: a table for each group."""
    tables = {(group.path, group.model): group for group in groups(model) if group.model is not Secret}
    return "\n".join([head, *("\n".join(_table(group)) for group in tables.values())])


def _table(group: Group) -> Iterator[str]:
    title = f"`{group.path}`" if group.path else "The file"
    yield f"## {title}{f', kind `{group.tag}`' if group.tag else ''}\n"
    yield f"{summary(group.model)}\n"
    yield "| setting | type | default | meaning |"
    yield "|---|---|---|---|"
    for setting in group.settings:
        bounds = f", {setting.limits}" if setting.limits else ""
        cells = (
            f"`{setting.name}`",
            f"{kind(setting.shape)}{bounds}",
            _default(setting, group),
            setting.description,
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _default(setting: Setting, group: Group) -> str:
    if setting.required or (group.tag is not None and setting.default == group.tag):
        return "**required**"
    if any(not issubclass(model, Secret) for model in setting.shape.models) and setting.default is not None:
        return "as below"
    return f"`{_flow(setting.default)}`"


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema (2020-12) that editors understand."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}


def write(wanted: Mapping[Path, str], arguments: list[str]) -> int:
    """Write the files that differ, or with --check only tell which do; the exit code."""
    stale = [p for p, text in wanted.items() if not p.is_file() or p.read_text(encoding="utf-8") != text]
    for path in stale:
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        sys.stdout.write(f"{path} {'is not what the code says' if '--check' in arguments else 'written'}\n")
    return 1 if stale and "--check" in arguments else 0
