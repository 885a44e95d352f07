"""What pydantic refuses, in our words: what is wrong with a setting, in which line, and what to do."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from agent.settings.base import Secret
from agent.settings.introspect import GROUP, Shape, bounds, groups, kind, tag_of
from agent.settings.location import SettingPlace, located
from agent.settings.misread import corners_only, decimal_comma, form_of, meant, other_quotes, too_few_corners
from agent.settings.quoting import Path, dotted, most_similar, nearest, quoted, redacted, without_secret
from agent.settings.scalars import shown
from agent.settings.yaml import Node
from agent.translatable import filtered, joined, tr

MAX_TOLD = 50
"""Nobody reads more, and suggestions for a hostile file with thousands of unknown keys would take seconds."""
MAX_NAMES = 12
"""Settings named in a hint; a longer list is better read in the example."""

_COMMA = re.compile(r"[-+]?\d+,\d+")
_UNITS = {"_s": tr(" seconds"), "_ms": tr(" milliseconds"), "_px": tr(" pixels"), "_mb": tr(" MB")}
"""Ends of names -> what is meant."""
_OTHER_WORDS = {
    "name": "id", "id": "name", "points": "polygon", "corners": "polygon", "area": "polygon",
    "mask": "privacy_masks", "masks": "privacy_masks",
}  # fmt: skip
"""A word that people use -> what a setting of that meaning may be called here."""
_YAML_1_1_BOOLEANS = frozenset({"yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to correct."""

    line: int
    path: Path
    what: str
    hint: str = ""

    def line_of(self, file: str) -> str:
        """`file:line: path: what; hint`, in one line, without a password that stands in a URL."""
        where = f"{file}:{self.line}: " + (f"{dotted(self.path)}: " if self.path else "")
        return redacted(joined("", (where, joined("; ", filter(None, (self.what, self.hint))))))


def mistakes_of(error: ValidationError, root: Node, model: type[BaseModel]) -> list[Mistake]:
    """What pydantic refuses, in our words; nothing about values that were refused already."""
    found: list[Mistake] = []
    said: set[Path] = set()
    meant_so: set[Path] = set()
    absent: set[Path] = set()
    for detail in error.errors(include_url=False)[: 2 * MAX_TOLD]:
        place = located(detail["loc"], root, model)
        if place.refused or (place.either and place.path in said):
            continue
        said.add(place.path)
        mistake = _mistake(dict(detail), place, model)
        if mistake is not None:
            found.append(mistake)
        if detail["type"] == "missing":
            absent.add(place.path)
        elif detail["type"] == "extra_forbidden":
            meant_so |= {(*place.path[:-1], name) for name in _other_word(place) or _misspelt(place)}
    meant_so &= absent  # what stands there by another name is there
    return [each for each in found if each.path not in meant_so]


def _mistake(detail: dict[str, Any], place: SettingPlace, model: type[BaseModel]) -> Mistake | None:
    code, value, context = detail["type"], detail["input"], detail.get("ctx") or {}
    shape = place.shape
    what, hint = "", ""
    if code == "cross_check":  # the model's own view of what read_settings tells with lines
        return None
    if code == "missing":
        return _missing(place)
    if code == "extra_forbidden":
        return Mistake(place.line, place.path, tr("no such setting"), _suggestion(place, model))
    if code in ("union_tag_invalid", "union_tag_not_found"):
        return _wrong_tag(code, context, place)
    if shape is not None and (code.endswith("_type") or code in ("int_from_float", "literal_error", "enum")):
        line, what, hint = meant(value, place.node, shape, place.name) or (
            None,
            *_wrong_type(value, place, shape),
        )
        place.line = line or place.line
    elif (
        code in ("greater_than_equal", "greater_than", "less_than_equal", "less_than", "multiple_of") and shape
    ):
        limits = bounds(shape)
        given = quoted(value, place.path)
        what = (
            tr("{value} is outside {limits}{unit}", value=given, limits=limits, unit=_unit(place))
            if ".." in limits
            else tr("{value} is not {limits}{unit}", value=given, limits=limits, unit=_unit(place))
        )
    elif code in ("too_short", "too_long") and shape is not None:
        count = context.get("actual_length", 0)
        if code == "too_short" and isinstance(value, list) and len(value) > count:
            return None  # pydantic did not count the items that are wrong themselves
        what, hint = _wrong_length(value, count, shape)
    elif code.startswith("string_") and shape is not None:
        what = tr(
            "{value} is not {limits}", value=quoted(value, place.path), limits=bounds(shape) or kind(shape)
        )
    elif code in ("value_error", "assertion_error"):
        what = _own_words(str(context.get("error", detail["msg"])))
    else:
        what = detail["msg"][:1].lower() + detail["msg"][1:]
    hint = hint or other_quotes(value)
    return Mistake(place.line, place.path, without_secret(what, value, place.path), hint)


def _wrong_length(value: Any, count: int, shape: Shape) -> tuple[str, str]:
    if corners_only(shape) and count < 3:
        return too_few_corners(count)
    what = tr("{value}, not {expected}", value=_items(count), expected=bounds(shape) or kind(shape))
    return what, decimal_comma(value, shape)


def _unit(place: SettingPlace) -> str:
    """Of a limit, where the name of the setting says it."""
    return next((unit for end, unit in _UNITS.items() if place.name.endswith(end)), "")


def _missing(place: SettingPlace) -> Mistake:
    shape = place.shape
    if place.path and isinstance(place.path[-1], int):
        return Mistake(
            place.line,
            place.path[:-1],
            tr("too few items"),
            tr("item {number} is missing", number=place.path[-1] + 1),
        )
    words = ""
    if place.owner is not None and shape is not None:
        info = place.owner.model_fields.get(str(place.path[-1]))
        limits = bounds(shape)
        about = _own_words(info.description or "") if info is not None else ""
        words = about
        if kind(shape) != GROUP:
            words = joined(": ", filter(None, (joined(", ", filter(None, (kind(shape), limits))), about)))
    return Mistake(place.line, place.path, tr("required, but missing"), words)


def _wrong_tag(code: str, context: dict[str, Any], place: SettingPlace) -> Mistake:
    name = str(context.get("discriminator", "kind")).strip("'")
    tags = [tag for model in (place.shape.models if place.shape else ()) for tag in tag_of(model, name)]
    path = (*place.path, name)
    if code == "union_tag_not_found":
        return Mistake(place.line, path, tr("required, but missing"), tr("one of {tags}", tags=", ".join(tags)))
    given = str(context.get("tag"))
    return Mistake(
        place.line,
        path,
        tr("{given} is not one of {tags}", given=quoted(given, path), tags=", ".join(tags)),
        nearest(given, tags),
    )


def _wrong_type(value: Any, place: SettingPlace, shape: Shape) -> tuple[str, str]:
    expected = kind(shape)
    limits = bounds(shape)
    if isinstance(value, str) and "one of" in expected:
        what = tr("{value} is not {limits}", value=quoted(value, place.path), limits=expected)
        return what, nearest(value, expected[7:].split(", "))
    hint = ""
    if Secret in shape.options:
        hint = tr(
            "name where it lies, such as {{env: NAME}} or {{file: /etc/ngatu/secret}}; never "
            "write a secret here"
        )
    elif expected == "text" and isinstance(value, (int, float)):
        hint = tr("quote it; {limits}", limits=limits) if limits else tr("quote it")
    elif expected in ("number", "whole number") and isinstance(value, str) and _COMMA.fullmatch(value):
        hint = tr("write {number}, with a point", number=value.replace(",", "."))
    elif expected == "true or false" and str(value).lower() in _YAML_1_1_BOOLEANS:
        hint = tr("write true or false, as in YAML 1.2")
    else:
        hint = form_of(value, shape) or limits
    return _given(value, place.path, _expected(expected)), hint


def _given(value: Any, path: Path, expected: str) -> str:
    if value is None:
        return tr("empty, not {expected}", expected=expected)
    if isinstance(value, (dict, list)):
        return tr("{value}, not {expected}", value=quoted(value, path), expected=expected)
    if isinstance(value, str):
        return tr("{value} is a text, not {expected}", value=quoted(value, path), expected=expected)
    return tr("{value} is not {expected}", value=quoted(value, path), expected=expected)


def _expected(words: str) -> str:
    return words if words.startswith(("true", "one of", "[", "null")) else tr("a {words}", words=words)


def _items(count: int) -> str:
    return tr("1 item") if count == 1 else tr("{number} items", number=count)


def _own_words(text: str) -> str:
    return filtered(text, _one_line)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _suggestion(place: SettingPlace, model: type[BaseModel]) -> str:
    name = str(place.path[-1])
    known = list(place.owner.model_fields) if place.owner is not None else []
    if name.strip() != name:  # as a page of the web or a messenger gives it
        return tr("a blank before it is none for YAML: remove it, and type ordinary ones")
    if called := _other_word(place):
        of_line = tr("a line is written as start: [x, y] and end: [x, y]")
        return of_line if len(called) > 1 else tr("here it is called {name}", name=called[0])
    if near := nearest(name, known):
        return near
    if elsewhere := _homes(model).get(name, []):
        places = [tr("in {path}", path=path) if path else tr("at the top") for path in elsewhere[:3]]
        return tr("{name} belongs {places}", name=shown(name), places=joined(tr(" or "), places))
    if len(known) > MAX_NAMES:
        return tr("`{command}` shows all there are", command=example_command(model))
    return tr("known here: {known}", known=", ".join(known)) if known else ""


def _other_word(place: SettingPlace) -> tuple[str, ...]:
    """What a setting is called here that others call otherwise, or we in another group; both ends of a line."""
    known = set(place.owner.model_fields) if place.owner is not None else set[str]()
    if place.name in ("line", "points") and known >= {"start", "end"}:
        return "start", "end"
    here = _OTHER_WORDS.get(place.name, "")
    return (here,) if here in known else ()


def _misspelt(place: SettingPlace) -> tuple[str, ...]:
    """The setting that was meant by a name that is none; if it is required, it is not missing, too."""
    known = place.owner.model_fields if place.owner is not None else {}
    return (most_similar(place.name, list(known)),)


@functools.cache
def _homes(model: type[BaseModel]) -> dict[str, list[str]]:
    """Name of a setting -> the groups that have one of this name."""
    homes: dict[str, list[str]] = {}
    for path, names in {group.path: group.model.model_fields for group in groups(model)}.items():
        for name in names:
            homes.setdefault(name, []).append(path)
    return homes


def example_command(model: type[BaseModel]) -> str:
    """What prints every setting: a station's file is not a box's."""
    return str(getattr(model, "example_command", "ngatu config example"))
