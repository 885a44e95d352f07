"""Frozen values to JSON and back, by their types alone: what is signed is read where nothing else is installed.

The verifier runs on a court's computer, with Python and `cryptography` only; so this is no pydantic.
A moment is written in UTC to the millisecond. Names that a value does not have are ignored: newer boxes may say
more.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from math import isfinite
from typing import Any, Final, TypeVar

from agent.errors import WireError
from agent.printable import printable
from agent.translatable import tr
from agent.wire.signature import LARGEST

T = TypeVar("T")
_WHOLE_DIGITS: Final = 21
"""From so many on it writes a whole number with an exponent, too."""
_YEARS: Final = range(1970, 3000)
"""Of moments: what is added to them and taken from them stays a moment."""


def to_json(value: Any) -> Any:
    """Of a dataclass, and of all that it holds: dicts, lists, and what JSON has."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple | list):
        return [to_json(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): to_json(each) for name, each in value.items()}
    return value


def rfc3339(moment: datetime) -> str:
    """In UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_json(kind: type[T], value: Any, where: str = "") -> T:
    """The dataclass that such a JSON value is.

    Raises:
        WireError: something is not there, or is of another type; it names the place.
    """
    if not isinstance(value, dict):
        raise _unlike(where or kind.__name__, kind.__name__)
    members: dict[str, Any] = {}
    kinds = _types(kind)  # type: ignore[arg-type] # a class can be hashed, whatever mypy says of type[T]
    for field in fields(kind):  # type: ignore[arg-type]
        place = f"{where}.{field.name}" if where else field.name
        if field.name in value:
            members[field.name] = _read(kinds[field.name], value[field.name], place)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise WireError(tr("{place}: is not there", place=place))
    return kind(**members)


@cache
def _types(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, value: Any, where: str) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        (kind,) = (each for each in inner if each is not type(None))
        return _read(kind, value, where)
    if origin is tuple:
        return _read_tuple(inner, value, where)
    if origin in (dict, Mapping):
        return _read_mapping(inner[1], value, where)
    if origin is typing.Literal:
        if value not in inner:
            raise _unlike(where, " | ".join(map(str, inner)))
        return value
    return _read_scalar(kind, value, where)


def _read_tuple(inner: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _unlike(where, "list")
    kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
    if len(kinds) != len(value):
        raise _unlike(where, f"list of {len(kinds)}")
    return tuple(
        _read(kind, each, f"{where}[{index}]")
        for index, (kind, each) in enumerate(zip(kinds, value, strict=True))
    )


def _read_mapping(kind: Any, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unlike(where, "object")
    return {name: _read(kind, each, f"{where}.{name}") for name, each in value.items()}


def _read_scalar(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind):
        return from_json(typing.cast(type[Any], kind), value, where)
    if kind is datetime:
        return _read_moment(value, where)
    if issubclass(kind, StrEnum):
        if value not in [str(each) for each in kind]:
            raise _unlike(where, " | ".join(map(str, kind)))
        return kind(value)
    if kind is float and type(value) is int:  # as canonical JSON writes a float that is whole
        value = float(value) if abs(value) < 10**_WHOLE_DIGITS else None
    if (
        type(value) is not kind
        or (kind is int and abs(value) > LARGEST)
        or (kind is float and not isfinite(value))
    ):
        raise _unlike(where, kind.__name__)
    return value


def _read_moment(value: Any, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.astimezone(UTC) if moment.tzinfo is not None else moment
    except (TypeError, ValueError, OverflowError):
        raise _unlike(where, "RFC 3339") from None
    if moment.tzinfo is None or moment.year not in _YEARS:
        raise _unlike(where, "RFC 3339")
    return moment


def _unlike(where: str, kind: str) -> WireError:
    return WireError(tr("{where}: is no {kind}", where=printable(where), kind=kind))
