"""Words and values for a message: short, in one line, harmless to a terminal, and never a secret."""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Sequence
from typing import Any

from agent.settings.scalars import shown
from agent.translatable import Translatable, filtered, tr

Path = tuple[str | int, ...]
"""Of a setting: names of groups, and numbers in lists."""

_URL = re.compile(r"://[^\s\"']*")
_SECRETIVE = re.compile(r"pass|secret|token|credential|private|pin$|auth|key$", re.IGNORECASE)


def nearest(name: str, known: Sequence[str]) -> str:
    """'did you mean …?' with the most similar of the known names; empty if none is similar."""
    close = most_similar(name, known)
    return tr("did you mean {close}?", close=close) if close else ""


def most_similar(name: str, known: Sequence[str]) -> str:
    """The known name of which this is a misspelling; empty if it is of none."""
    if len(name) > 40:  # nobody misspells that long a name, and the comparison is quadratic
        return ""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), "")


def dotted(path: Path) -> str:
    """`cameras[0].motion.threshold`, with odd keys made harmless."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in path)
    return text.removeprefix(".")


def quoted(value: Any, path: Path = ()) -> str:
    """A value for a message: short, in one line, and never a secret."""
    if secretive(path) and isinstance(value, (str, int, float)):
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


def secretive(path: Path) -> bool:
    """Whether the name of a setting says that a secret may have been typed there."""
    return any(isinstance(part, str) and _SECRETIVE.search(part) for part in path)


def without_secret(what: str, value: Any, path: Path) -> str:
    """A validator may have quoted the value: not where a secret is meant."""
    if not (secretive(path) and str(value)):
        return what
    return filtered(what, functools.partial(_without, value=str(value)))


def _without(text: str, value: str) -> str:
    return text.replace(value, "…")
