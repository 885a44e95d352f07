"""What is wrong in a file of settings, each mistake with its line, its setting and a hint.

    north.yaml:14: cameras[0].motion.treshold: no such setting; did you mean threshold?
    north.yaml:15: cameras[0].motion.threshold: 300 is outside 1..255

Values are quoted so that they cannot break a line or a terminal, and never where a secret may have been typed.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.errors import ConfigError
from agent.settings.base import Secret
from agent.settings.introspect import Shape, bounds, groups, item_of, kind, shape_of, shape_of_field, tag_of
from agent.settings.yaml import MAX_BYTES, Node, UnreadableYaml, read, shown
from agent.translatable import Translatable, filtered, joined, tr

MAX_TOLD = 50
"""Nobody reads more, and suggestions for a hostile file with thousands of unknown keys would take seconds."""
MAX_NAMES = 12
"""Settings named in a hint; a longer list is better read in the example."""

Path = tuple[str | int, ...]
Finding = tuple[Path, str, str]
"""Where, what, hint: a mistake that a check across several settings has found."""
Checks = Callable[[Any], Iterable[Finding]]
"""Given the file as dicts and lists of any content, tells what does not fit together in it."""

Another = Callable[[dict[str, Any]], tuple[str, str] | None]
"""Given the file, what and hint if it is a file of another kind: of a station where a box's is wanted."""

M = TypeVar("M", bound=BaseModel)

_URL = re.compile(r"://[^\s\"']*")
_SECRETIVE = re.compile(r"pass|secret|token|credential|private|pin$|auth|key$", re.IGNORECASE)
_COMMA = re.compile(r"[-+]?\d+,\d+")
_UNITS = {"_s": tr(" seconds"), "_ms": tr(" milliseconds"), "_px": tr(" pixels"), "_mb": tr(" MB")}
"""Ends of names -> what is meant."""
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


def read_bounded(path: FilePath, hint: Translatable) -> bytes:
    """The bytes of a file of settings, not judged yet; never much more than may be in one.

    Raises:
        ConfigError: the file cannot be read; `hint` says what to do.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        what = tr("{path}: cannot be read: {reason}", path=path, reason=error.strerror or type(error).__name__)
        raise ConfigError(what, hint) from None


def read_settings(
    data: bytes, file: str, model: type[M], checks: Checks | None = None, another: Another | None = None
) -> M:
    """The settings in a YAML text; of a file of another kind no mistakes are told, only that it is one.

    Raises:
        ConfigError: with every mistake, one in a line, in the order of the lines.
    """
    settings, mistakes = judged(data, model, checks, another)
    if mistakes or settings is None:
        raise _config_error(mistakes, file)
    return settings


def judged(
    data: bytes, model: type[M], checks: Checks | None = None, another: Another | None = None
) -> tuple[M | None, list[Mistake]]:
    """The settings in a YAML text, and every mistake in it; settings with a mistake are not to be used."""
    try:
        root, faults = read(data)
    except UnreadableYaml as error:
        return None, [Mistake(f.line, f.path, f.what, f.hint) for f in error.faults]
    mistakes = [Mistake(f.line, f.path, f.what, f.hint) for f in faults]
    plain = root.plain()
    findings = list((checks or _no_checks)(plain))
    settings: M | None = None
    if another is not None and isinstance(plain, dict) and (kind_of_file := another(plain)):
        return None, [Mistake(1, (), *kind_of_file)]
    if root.value is None and not root.refused:
        hint = tr("start from `{command}`", command=_example_command(model))
        mistakes.append(Mistake(1, (), tr("the file has no settings"), hint))
    else:
        try:
            # JSON mode: texts become paths and enums, lists become tuples; strict: "no" never becomes False.
            settings = model.model_validate_json(json.dumps(plain), strict=True)
        except ValidationError as error:
            mistakes += [
                each for each in mistakes_of(error, root, model) if not _said_of_the_whole(each.path, findings)
            ]
        mistakes += [Mistake(_line(root, path), path, what, hint) for path, what, hint in findings]
    return settings, mistakes


def _said_of_the_whole(path: Path, findings: Sequence[Finding]) -> bool:
    """Whether a check has said what is wrong with all of a list or group that this is a part of."""
    return any(len(path) > len(whole) and path[: len(whole)] == whole for whole, _what, _hint in findings)


def _example_command(model: type[BaseModel]) -> str:
    """What prints every setting: a station's file is not a box's."""
    return str(getattr(model, "example_command", "ngatu config example"))


def _no_checks(_plain: Any) -> Iterable[Finding]:
    return ()


def _config_error(mistakes: list[Mistake], file: str) -> ConfigError:
    lines: dict[str, None] = {}
    for mistake in sorted(mistakes, key=lambda m: m.line):
        if len(lines) > MAX_TOLD:
            break
        lines[mistake.line_of(shown(file, 200))] = None
    if len(lines) > MAX_TOLD:
        return ConfigError(joined("\n", [*list(lines)[:MAX_TOLD], tr("… and more; correct these first")]))
    return ConfigError(joined("\n", lines))


def mistakes_of(error: ValidationError, root: Node, model: type[BaseModel]) -> list[Mistake]:
    """What pydantic refuses, in our words; nothing about values that were refused already."""
    found: list[Mistake] = []
    said: set[Path] = set()
    for detail in error.errors(include_url=False)[: 2 * MAX_TOLD]:
        place = _locate(detail["loc"], root, model)
        if place.refused or (place.either and place.path in said):
            continue
        said.add(place.path)
        mistake = _mistake(dict(detail), place, model)
        if mistake is not None:
            found.append(mistake)
    return found


@dataclass(slots=True)
class _Place:
    """Where in the file, and what the models say about that place."""

    path: Path
    line: int
    shape: Shape | None
    owner: type[BaseModel] | None = None
    """The group that has, or has not, the last part of the path."""
    refused: bool = False
    either: bool = False
    """The value may be of several types, each of which pydantic refuses by itself: one message is enough."""


def _locate(loc: Sequence[str | int], root: Node, model: type[BaseModel]) -> _Place:
    """Follow pydantic's location, which has extra parts where a type had to be chosen."""
    place = _Place((), root.line, shape_of(model), refused=root.refused)
    node: Node | None = root
    for index, part in enumerate(loc):
        shape = place.shape
        if part == "[key]":
            continue
        if shape is not None and len(shape.options) > 1:
            if index == len(loc) - 1:
                place.either = True
            else:
                place.shape = _chosen(shape, str(part))
            continue
        node = _child(node, part)
        place.path = (*place.path, part)
        place.line = node.line if node is not None else place.line
        place.refused = place.refused or (node is not None and node.refused)
        models = shape.models if shape is not None else ()
        place.owner = models[0] if models else None
        place.shape = _field_shape(models[0], str(part)) if models else _item_shape(shape, part)
    return place


def _child(node: Node | None, part: str | int) -> Node | None:
    value = node.value if node is not None else None
    if isinstance(value, dict) and isinstance(part, str):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _line(root: Node, path: Path) -> int:
    """The line of the deepest part of `path` that exists."""
    node: Node | None = root
    line = root.line
    for part in path:
        node = _child(node, part)
        line = node.line if node is not None else line
    return line


def _chosen(shape: Shape, label: str) -> Shape:
    for model in shape.models:
        tags = tag_of(model, shape.discriminator) if shape.discriminator else (model.__name__,)
        if label in tags:
            return shape_of(model)
    others = tuple(option for option in shape.options if option not in shape.models)
    return Shape(others[:1] or shape.options[:1], False, shape.constraints, None)


def _field_shape(model: type[BaseModel], name: str) -> Shape | None:
    info = model.model_fields.get(name)
    return shape_of_field(info) if info is not None else None


def _item_shape(shape: Shape | None, part: str | int) -> Shape | None:
    return item_of(shape, part if isinstance(part, int) else 0) if shape is not None else None


def _mistake(detail: dict[str, Any], place: _Place, model: type[BaseModel]) -> Mistake | None:
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
        what, hint = _wrong_type(value, place, shape)
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
        if code == "too_short" and isinstance(value, list) and len(value) > context.get("actual_length", 0):
            return None  # pydantic did not count the items that are wrong themselves
        what = tr(
            "{value}, not {expected}",
            value=_items(context.get("actual_length", 0)),
            expected=bounds(shape) or kind(shape),
        )
    elif code.startswith("string_") and shape is not None:
        what = tr(
            "{value} is not {limits}", value=quoted(value, place.path), limits=bounds(shape) or kind(shape)
        )
    elif code in ("value_error", "assertion_error"):
        what = _own_words(str(context.get("error", detail["msg"])))
    else:
        what = detail["msg"][:1].lower() + detail["msg"][1:]
    return Mistake(place.line, place.path, _without_secret(what, value, place.path), hint)


def _unit(place: _Place) -> str:
    """Of a limit, where the name of the setting says it."""
    name = str(place.path[-1]) if place.path else ""
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")


def _missing(place: _Place) -> Mistake:
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
        if kind(shape) != "group":
            words = joined(": ", filter(None, (joined(", ", filter(None, (kind(shape), limits))), about)))
    return Mistake(place.line, place.path, tr("required, but missing"), words)


def _wrong_tag(code: str, context: dict[str, Any], place: _Place) -> Mistake:
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


def _wrong_type(value: Any, place: _Place, shape: Shape) -> tuple[str, str]:
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
    elif limits:
        hint = limits
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
    words = tr("group of settings") if words == "group" else words
    return words if words.startswith(("true", "one of", "[", "null")) else tr("a {words}", words=words)


def _items(count: int) -> str:
    return tr("1 item") if count == 1 else tr("{number} items", number=count)


def _own_words(text: str) -> str:
    return filtered(text, _one_line)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _suggestion(place: _Place, model: type[BaseModel]) -> str:
    name = str(place.path[-1])
    known = list(place.owner.model_fields) if place.owner is not None else []
    if near := nearest(name, known):
        return near
    if elsewhere := _homes(model).get(name, []):
        places = [tr("in {path}", path=path) if path else tr("at the top") for path in elsewhere[:3]]
        return tr("{name} belongs {places}", name=shown(name), places=joined(tr(" or "), places))
    if len(known) > MAX_NAMES:
        return tr("`{command}` shows all there are", command=_example_command(model))
    return tr("known here: {known}", known=", ".join(known)) if known else ""


@functools.cache
def _homes(model: type[BaseModel]) -> dict[str, list[str]]:
    """Name of a setting -> the groups that have one of this name."""
    homes: dict[str, list[str]] = {}
    for path, names in {group.path: group.model.model_fields for group in groups(model)}.items():
        for name in names:
            homes.setdefault(name, []).append(path)
    return homes


def nearest(name: str, known: Sequence[str]) -> str:
    """'did you mean …?' with the most similar of the known names; empty if none is similar."""
    if len(name) > 40:  # nobody misspells that long a name, and the comparison is quadratic
        return ""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return tr("did you mean {close}?", close=close[0]) if close else ""


def dotted(path: Path) -> str:
    """`cameras[0].motion.threshold`, with odd keys made harmless."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in path)
    return text.removeprefix(".")


def quoted(value: Any, path: Path = ()) -> str:
    """A value for a message: short, in one line, and never a secret."""
    if _secretive(path) and isinstance(value, (str, int, float)):
        return tr("what is written here")
    for known, words in ((dict, tr("a group of settings")), (list, tr("a list"))):
        if isinstance(value, known):
            return words
    return shown(redacted(json.dumps(value, ensure_ascii=False, default=str)), 60)


def redacted(text: str) -> str:
    """`text` without the user and password of any URL in it."""
    return filtered(text, _redacted) if isinstance(text, Translatable) else _redacted(text)


def _redacted(text: str) -> str:
    return _URL.sub(lambda url: f"://…{url[0][url[0].rindex('@') :]}" if "@" in url[0] else url[0], text)


def _secretive(path: Path) -> bool:
    return any(isinstance(part, str) and _SECRETIVE.search(part) for part in path)


def _without_secret(what: str, value: Any, path: Path) -> str:
    """A validator may have quoted the value: not where a secret is meant."""
    if not (_secretive(path) and str(value)):
        return what
    return filtered(what, functools.partial(_without, value=str(value)))


def _without(text: str, value: str) -> str:
    return text.replace(value, "…")
