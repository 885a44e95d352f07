"""Messages that can be told in another language: marked where they stand, translated where they are shown.

    raise CameraLost(tr("camera {name}: no picture for {seconds:.0f} s", name=name, seconds=late_s))

What `tr` gives is the English text, and stays so in log lines and on the wire, which are for programs. It also
carries what it was made of, so that whoever shows it to a person can say it otherwise: `language.translated`.
A text made of it by an f-string, `+`, `str.join` or `str.replace` is plain English; `tr`, `joined`, `filtered`,
`printable` and `redacted` keep what it was made of.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final


class Translatable(str):
    """An English text, with the literal and the values that it was made of."""

    __slots__ = ("by", "msgid", "values")
    msgid: str
    """As it stands in the catalogue, with placeholders."""
    values: Mapping[str, Any]
    by: Callable[[str], str]
    """What the text goes through after its values are in, in any language."""

    def __new__(cls, msgid: str, values: Mapping[str, Any], by: Callable[[str], str] = str) -> Translatable:
        """The English text of it. `tr`, `joined` and `filtered` are what to call."""
        kept = {
            name: str(value) if isinstance(value, BaseException) else value for name, value in values.items()
        }
        self = super().__new__(cls, by(msgid.format(**kept)))
        self.msgid, self.values, self.by = msgid, kept, by
        return self

    def __str__(self) -> str:
        """Itself: the text of an exception that was made of it is translatable, too."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msgid, self.values, self.by)


def tr(msgid: str, /, **values: Any) -> Translatable:
    """Mark a message: `msgid` is one literal with named placeholders, each of them among `values`.

    A value may itself be translatable, or an error whose text is. A brace that is meant is doubled, as in an
    f-string. `make docs` brings what is new into the catalogue; a test holds that everything is translated.
    """
    return Translatable(msgid, values)


def joined(between: str, parts: Iterable[str]) -> Translatable:
    """As `between.join(parts)`, with all of them still translatable."""
    values = {f"part{index}": part for index, part in enumerate(parts)}
    return Translatable("{between}".join(f"{{{name}}}" for name in values), {**values, "between": between})


def filtered(text: str, by: Callable[[str], str]) -> Translatable:
    """As `by(text)`; what `by` takes out is taken out of every translation, too. `by` can be pickled."""
    return Translatable("{text}", {"text": text}, by)


_HARMLESS: Final = re.compile(r"(?:[^{}]|\{\{|\}\}|\{[a-z_0-9]+(?::[,.0-9]{0,2}[a-zA-Z]?)?\})*")
"""Names with short formats: what else can stand in braces is not for another process to ask of us."""
_LONGEST: Final = 1000
_DEEPEST: Final = 4


def plain(text: str) -> str | list[Any]:
    """As JSON can carry it to another process: `restored` makes the same of it there."""
    if not isinstance(text, Translatable) or text.by is not str:
        return text
    kept = {
        name: each if isinstance(each, int | float) else plain(str(each)) for name, each in text.values.items()
    }
    return [text.msgid, kept]


def restored(words: Any, deepest: int = _DEEPEST) -> str:
    """What `plain` made, from a process that may have been taken over.

    Raises:
        ValueError: it is not of that form, or would have us do more than put values into a text.
    """
    match words:
        case str():
            return words
        case [str(msgid), dict(values)] if deepest and len(msgid) <= _LONGEST and _HARMLESS.fullmatch(msgid):
            kept = {
                str(name): each if isinstance(each, int | float) else restored(each, deepest - 1)
                for name, each in values.items()
            }
            try:
                return Translatable(msgid, kept)
            except (KeyError, IndexError) as error:
                raise ValueError(str(error)) from None
    raise ValueError("no message")
