"""What the settings' models declare, taken apart once for all who tell about it.

The messages about a wrong file, config.example.yaml and docs/reference/config.md all say what a setting is, its
bounds and its meaning from here, so that they cannot disagree with the code or with each other.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from agent.settings.base import NAME_IN_WORDS, NAME_PATTERN, Secret
from agent.translatable import joined, tr

IN_WORDS = {  # a pattern of a setting -> what it allows; others are shown as they are
    f"^{NAME_PATTERN}$": NAME_IN_WORDS,
    r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$": tr("hours and minutes such as +07:00"),
    r"^([01]\d|2[0-3]):[0-5]\d$": tr("a time of day such as 22:30"),
    r"^rtsp://[^\s]+$": tr("an address such as rtsp://host:554/path"),
    r"^/dev/(v4l/by-(id|path)/[^/]+|video[0-9]+)$": tr("a path such as /dev/v4l/by-id/…"),
}


GROUP = tr("group of settings")
GROUPS = tr("list of groups of settings")
SECRET = tr("secret")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value may be: an annotation taken apart."""

    options: tuple[Any, ...]
    """Types without None: classes, or generic aliases such as list[int] and Literal["a"]."""
    nullable: bool
    constraints: tuple[object, ...]
    discriminator: str | None

    @property
    def models(self) -> tuple[type[BaseModel], ...]:
        """The groups of settings among the options."""
        return tuple(o for o in self.options if isinstance(o, type) and issubclass(o, BaseModel))


def shape_of(annotation: Any) -> Shape:
    """Take an annotation apart: Annotated, unions, None and named types."""
    if hasattr(annotation, "__value__"):  # a `type X = …` alias
        return shape_of(annotation.__value__)
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        return _marked(shape_of(inner), marks)
    if origin in (Union, types.UnionType):
        parts = [shape_of(part) for part in get_args(annotation) if part is not type(None)]
        return Shape(
            options=tuple(option for part in parts for option in part.options),
            nullable=type(None) in get_args(annotation) or any(part.nullable for part in parts),
            constraints=tuple(mark for part in parts for mark in part.constraints),
            discriminator=next((part.discriminator for part in parts if part.discriminator), None),
        )
    return Shape((annotation,), annotation is type(None), (), None)


def shape_of_field(info: FieldInfo) -> Shape:
    """The shape of a model's field, with the constraints that its Field() gives."""
    return _marked(shape_of(info.annotation), [info])


def _marked(shape: Shape, marks: Sequence[object]) -> Shape:
    constraints = list(shape.constraints)
    discriminator = shape.discriminator
    for mark in marks:
        if isinstance(mark, FieldInfo):
            constraints += mark.metadata
            if mark.discriminator is not None:
                found = mark.discriminator
                discriminator = found if isinstance(found, str) else str(found.discriminator)
        else:
            constraints.append(mark)
    return Shape(shape.options, shape.nullable, tuple(constraints), discriminator)


def item_of(shape: Shape, index: int = 0) -> Shape | None:
    """The shape of a list's item, or of a mapping's value; None if it holds neither."""
    for option in shape.options:
        origin, args = get_origin(option), get_args(option)
        if origin is dict:
            return shape_of(args[1])
        if origin is tuple and Ellipsis not in args:
            return shape_of(args[min(index, len(args) - 1)]) if args else None
        if origin in (list, tuple, set, frozenset) and args:
            return shape_of(args[0])
    return None


def tag_of(model: type[BaseModel], discriminator: str) -> tuple[str, ...]:
    """The values of the field `discriminator` that choose this model out of its union."""
    info = model.model_fields.get(discriminator)
    return tuple(str(getattr(v, "value", v)) for v in get_args(info.annotation)) if info is not None else ()


def kind(shape: Shape) -> str:
    """The type in an operator's words: 'whole number', 'list of text', 'one of a, b'."""
    words = dict.fromkeys(
        _kind(option, shape.discriminator) for option in shape.options if option is not type(None)
    )
    return joined(tr(" or "), words) if words else "null"


def _kind(option: Any, discriminator: str | None) -> str:  # noqa: PLR0911 (a table would hide the generics)
    origin, args = get_origin(option), get_args(option)
    if origin is Literal:
        return _one_of([str(getattr(arg, "value", arg)) for arg in args])
    if origin is dict:
        return tr("mapping of {key} to {value}", key=kind(shape_of(args[0])), value=kind(shape_of(args[1])))
    if origin is tuple and Ellipsis not in args:
        return joined("", ("[", joined(", ", (kind(shape_of(arg)) for arg in args)), "]"))
    if origin in (list, tuple, set, frozenset):
        item = kind(shape_of(args[0]))
        return GROUPS if item == GROUP else tr("list of {item}", item=item)
    if isinstance(option, type):
        if issubclass(option, Enum):
            return _one_of([str(member.value) for member in option])
        if issubclass(option, Secret):
            return SECRET
        if issubclass(option, BaseModel):
            return GROUP
        for base, words in _BASES:
            if issubclass(option, base):
                return words
    return getattr(option, "__name__", str(option)).lower()


_BASES: tuple[tuple[type, str], ...] = (
    (bool, tr("true or false")),  # before int, which it is a kind of
    (int, tr("whole number")),
    (float, tr("number")),
    (Path, tr("path")),
    (str, tr("text")),
)


def _one_of(values: list[str]) -> str:
    return values[0] if len(values) == 1 else tr("one of {values}", values=", ".join(values))


def bounds(shape: Shape) -> str:
    """The limits in words: '1..255', 'above 0', 'at most 3 items'; empty without limits."""
    found: dict[str, Any] = {}
    for mark in shape.constraints:
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "multiple_of"):
            value = getattr(mark, name, None)
            if value is not None:
                found[name] = value
    return joined(", ", filter(None, (_range(found), _length(found, shape), _pattern(found))))


def _range(found: dict[str, Any]) -> str:
    low, high = found.get("ge"), found.get("le")
    if low is not None and high is not None:
        return f"{_number(low)}..{_number(high)}"
    parts = [word(_number(found[name])) for name, word in _LIMITS if name in found]
    if "multiple_of" in found:
        parts.append(tr("a multiple of {number}", number=_number(found["multiple_of"])))
    return joined(tr(" and "), parts)


_LIMITS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("ge", lambda number: tr("at least {number}", number=number)),
    ("gt", lambda number: tr("above {number}", number=number)),
    ("le", lambda number: tr("at most {number}", number=number)),
    ("lt", lambda number: tr("below {number}", number=number)),
)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"


def _length(found: dict[str, Any], shape: Shape) -> str:
    low, high = found.get("min_length"), found.get("max_length")
    if low is not None and high is not None:
        return _counted(f"{low}..{high}" if low != high else str(low), shape)
    if low:
        return tr("at least {number}", number=_counted(str(low), shape))
    return tr("at most {number}", number=_counted(str(high), shape)) if high is not None else ""


def _counted(number: str, shape: Shape) -> str:
    if str in shape.options:
        return tr("1 character") if number == "1" else tr("{number} characters", number=number)
    return tr("1 item") if number == "1" else tr("{number} items", number=number)


def _pattern(found: dict[str, Any]) -> str:
    pattern = found.get("pattern")
    if pattern is None:
        return ""
    text = str(getattr(pattern, "pattern", pattern))
    return IN_WORDS.get(text) or tr("matching {pattern}", pattern=text)


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of one group, as an operator sees it."""

    name: str
    path: str
    """From the top, such as cameras[].motion.threshold."""
    shape: Shape
    required: bool
    default: Any
    """As JSON would have it; None if required."""
    description: str
    examples: tuple[Any, ...]

    @property
    def limits(self) -> str:
        """The bounds of the value, or of each item of a list of plain values."""
        own = bounds(self.shape)
        item = item_of(self.shape)
        of_items = bounds(item) if item is not None else ""
        return joined(", ", filter(None, (own, tr("each {limits}", limits=of_items) if of_items else "")))


def settings_of(model: type[BaseModel], path: str = "") -> list[Setting]:
    """The fields of one group in the order in which they are declared."""
    return [
        _setting(name, info, f"{path}.{name}" if path else name) for name, info in model.model_fields.items()
    ]


def _setting(name: str, info: FieldInfo, path: str) -> Setting:
    default = info.get_default(call_default_factory=True, validated_data={})
    required = default is PydanticUndefined
    return Setting(
        name=name,
        path=path,
        shape=shape_of_field(info),
        required=required,
        default=None if required else as_json(default),
        description=" ".join((info.description or "").split())
        or ("Says which kind this is." if info.default else ""),
        examples=tuple(info.examples or ()),
    )


def as_json(value: Any) -> Any:
    """A default as a file would say it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(as_json(key)): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(as_json(item) for item in value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


@dataclass(frozen=True, slots=True)
class Group:
    """One model at one place of the file."""

    path: str
    """Such as broker or cameras[].rules[]; empty for the top."""
    model: type[BaseModel]
    tag: str | None
    """The value of the discriminator for one of several kinds."""
    settings: tuple[Setting, ...]


def groups(model: type[BaseModel], path: str = "", tag: str | None = None) -> Iterator[Group]:
    """Every group of settings below `model`, each before those inside it."""
    settings = tuple(settings_of(model, path))
    yield Group(path, model, tag, settings)
    for setting in settings:
        for inner, where, inner_tag in inner_models(setting):
            yield from groups(inner, where, inner_tag)


def inner_models(setting: Setting) -> Iterator[tuple[type[BaseModel], str, str | None]]:
    """The models that a setting holds itself or in its items, with the place and the tag of each."""
    for shape, path in ((setting.shape, setting.path), (item_of(setting.shape), f"{setting.path}[]")):
        for model in shape.models if shape is not None else ():
            tags = tag_of(model, shape.discriminator) if shape is not None and shape.discriminator else ()
            yield model, path, tags[0] if tags else None
