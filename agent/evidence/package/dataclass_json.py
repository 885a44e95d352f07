"""Frozen values to JSON and back, by their types alone: what is signed is read where nothing else is installed.

The verifier runs on a court's computer, with Python and `cryptography` only; so this is no pydantic.
A moment is written in UTC to the millisecond. Names that a value does not have are ignored: newer boxes may say
more.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
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
    if isinstance(value, str):  # as most of it is
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {name: to_json(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, tuple | list):
        return [to_json(each) for each in value]
    if isinstance(value, Mapping):
        return {str(name): to_json(each) for name, each in value.items()}
    return value


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def rfc3339(moment: datetime) -> str:
    """In UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_json(kind: type[T], value: Any, where: str = "") -> T:
    """The dataclass that such a JSON value is.

    Raises:
        WireError: something is not there, or is of another type; it names the place.
    """
    # A class can be hashed, whatever mypy says of type[T].
    read: T = _object(kind)(value, (None, where))  # type: ignore[arg-type]
    return read


_Place = tuple[Any, str]
"""The place of what holds it, and how it is told behind that: only who refuses something puts them together."""
_Reader = Callable[[Any, _Place], Any]


@cache
def _object(kind: type[Any]) -> _Reader:
    """Reads this dataclass: of a manifest there are hundreds, and what its fields are is looked up once."""
    kinds = typing.get_type_hints(kind)
    known = [(each.name, f".{each.name}", _reader(kinds[each.name]), _is_needed(each)) for each in fields(kind)]

    def read(value: Any, where: _Place) -> Any:
        if not isinstance(value, dict):
            raise _unlike(_told(where) or kind.__name__, kind.__name__)
        members: dict[str, Any] = {}
        for name, step, reader, is_needed in known:
            if name in value:
                members[name] = reader(value[name], (where, step))
            elif is_needed:
                raise WireError(tr("{place}: is not there", place=_told((where, step))))
        return kind(**members)

    return read


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _told(place: _Place | None) -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(step)
    return "".join(reversed(steps)).removeprefix(".")


@cache
def _reader(kind: Any) -> _Reader:
    """What reads a value of such a type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        (other,) = (each for each in inner if each is not type(None))
        reader = _reader(other)
        if type(None) not in inner:
            return reader
        return lambda value, where: None if value is None else reader(value, where)
    if origin is tuple:
        return _tuple(inner)
    if origin in (dict, Mapping):
        return _mapping(_reader(inner[1]))
    return _one_of(inner, lambda value: value) if origin is typing.Literal else _reader_of_one(kind)


def _reader_of_one(kind: Any) -> _Reader:
    if is_dataclass(kind):
        return _object(typing.cast(type[Any], kind))  # type: ignore[arg-type] # as in `from_json`
    if kind is datetime:
        return _moment
    if issubclass(kind, StrEnum):
        return _one_of(tuple(str(each) for each in kind), kind)
    return _scalar(kind)


def _tuple(inner: tuple[Any, ...]) -> _Reader:
    readers = [_reader(each) for each in inner if each is not Ellipsis]

    def read(value: Any, where: _Place) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _unlike(_told(where), "list")
        each_its = readers * len(value) if inner[-1] is Ellipsis else readers
        if len(each_its) != len(value):
            raise _unlike(_told(where), f"list of {len(each_its)}")
        return tuple(
            [
                reader(each, (where, f"[{index}]"))
                for index, (reader, each) in enumerate(zip(each_its, value, strict=True))
            ]
        )

    return read


def _mapping(reader: _Reader) -> _Reader:
    def read(value: Any, where: _Place) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _unlike(_told(where), "object")
        return {name: reader(each, (where, f".{name}")) for name, each in value.items()}

    return read


def _one_of(words: tuple[Any, ...], kind: Callable[[Any], Any]) -> _Reader:
    def read(value: Any, where: _Place) -> Any:
        if value not in words:
            raise _unlike(_told(where), " | ".join(map(str, words)))
        return kind(value)

    return read


def _scalar(kind: type[Any]) -> _Reader:
    def read(value: Any, where: _Place) -> Any:
        if kind is float and type(value) is int:  # as canonical JSON writes a float that is whole
            value = float(value) if abs(value) < 10**_WHOLE_DIGITS else None
        if (
            type(value) is not kind
            or (kind is int and abs(value) > LARGEST)
            or (kind is float and not isfinite(value))
        ):
            raise _unlike(_told(where), kind.__name__)
        return value

    return read


def _moment(value: Any, where: _Place) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.astimezone(UTC) if moment.tzinfo is not None else moment
    except (TypeError, ValueError, OverflowError):
        raise _unlike(_told(where), "RFC 3339") from None
    if moment.tzinfo is None or moment.year not in _YEARS:
        raise _unlike(_told(where), "RFC 3339")
    return moment


def _unlike(where: str, kind: str) -> WireError:
    return WireError(tr("{where}: is no {kind}", where=printable(where), kind=kind))
