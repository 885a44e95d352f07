"""Messages of ours that came as plain English, from a box or a file, known again, to be translated.

What a box answers is English on the wire, whatever it is about. A text that is just what one of our messages
makes of some values is that message again; any other text stays as it is. Boxes write what they like, so the
time that it takes grows with the length of a text and no faster: nothing is tried twice.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from agent.language import LANGUAGES, catalogued
from agent.translatable import Translatable, tr

LEAST: Final = 8
"""Letters of its own that a message must have: "{a}: {b}" would be any text."""
LONGEST: Final = 2_000
_DEEPEST: Final = 3
OF_BOXES: Final = (
    tr("the footage cannot be read now: {why}", why=""),
    tr("the footage is being looked through after a start: ask again in a minute"),
    tr("camera {camera} is not recorded; recorded are: {others}", camera="", others=""),
    tr("camera {camera} is not recorded, nor is any other of this box", camera=""),
    tr("it begins in the future: here it is {time}", time=""),
    tr("there is no footage of camera {camera} yet", camera=""),
    tr(
        "nothing of it is there: of camera {camera} there is footage from {first} to {last}",
        camera="",
        first="",
        last="",
    ),
    tr("there is no request {id}", id=""),
)
"""What boxes answer to a request for footage in words that they do not mark: here the catalogue gets them."""
_NUMBERS: Final = re.compile(r",?\.?\d*[dfg%]?")


@dataclass(frozen=True, slots=True)
class _Form:
    msgid: str
    literals: tuple[str, ...]
    """Those between the values, one more than there are values."""
    names: tuple[str, ...]
    numbers: frozenset[str]
    """Names of values that are written by a format."""

    def values(self, text: str) -> Mapping[str, str] | None:
        """What stands in place of each name; None: the text is another one."""
        first, *rest = self.literals
        if not text.startswith(first) or not text.endswith(self.literals[-1]):
            return None
        if not rest:
            return {} if text == first else None
        found, at = dict[str, str](), len(first)
        for name, literal in zip(self.names, rest[:-1], strict=False):
            end = text.find(literal, at + 1)
            if end < 0:
                return None
            found[name], at = text[at:end], end + len(literal)
        found[self.names[-1]] = text[at : len(text) - len(rest[-1])]
        return found if all(found.values()) else None


@lru_cache(maxsize=1024)
def recognised(text: str, deepest: int = _DEEPEST) -> str:
    """The message that makes this text, marked for translation; of several that with most words of its own."""
    if isinstance(text, Translatable) or not deepest or len(text) > LONGEST:
        return text
    for form in _forms():
        values = form.values(text)
        if values is None:
            continue
        try:
            made = Translatable(form.msgid, _read(form, values, deepest))
        except (ValueError, KeyError, IndexError, OverflowError):
            continue
        if str.__eq__(made, text):
            return made
    return text


def _read(form: _Form, values: Mapping[str, str], deepest: int) -> dict[str, Any]:
    return {
        name: float(value.replace(",", "")) if name in form.numbers else recognised(value, deepest - 1)
        for name, value in values.items()
    }


@cache
def _forms() -> Sequence[_Form]:
    """Of every message that has enough words of its own; those with most of them first."""
    found = [form for msgid in catalogued(LANGUAGES[-1]) if (form := _form(msgid)) is not None]
    return sorted(found, key=lambda form: -sum(map(len, form.literals)))


def _form(msgid: str) -> _Form | None:
    literals, names, numbers = [""], list[str](), set[str]()
    try:
        for literal, name, spec, conversion in string.Formatter().parse(msgid):
            literals[-1] += literal
            if name is None:
                continue
            if conversion or not name.isidentifier() or name in names or not _NUMBERS.fullmatch(spec or ""):
                return None
            names.append(name)
            literals.append("")
            numbers |= {name} if spec else set()
    except ValueError:
        return None
    own = sum(len(each.strip()) for each in literals)
    apart = all(literals[1:-1])  # of two values side by side nobody knows where one ends
    return _Form(msgid, tuple(literals), tuple(names), frozenset(numbers)) if own >= LEAST and apart else None
