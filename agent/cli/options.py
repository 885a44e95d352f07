"""Options that become settings: what is wrong with one is told as in a file, under the option's own name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from agent.errors import WireError
from agent.language import translated
from agent.settings.base import NAME_IN_WORDS, NAME_PATTERN
from agent.settings.refusals import mistakes_of
from agent.settings.yaml import Node
from agent.translatable import joined, tr
from agent.wire.topics import STATION, Topics

M = TypeVar("M", bound=BaseModel)


def settings_of(model: type[M], options: Mapping[str, str], **values: Any) -> M:
    """The settings with these values; `options` says by which option each came.

    Raises:
        typer.BadParameter: a value is wrong.
    """
    try:
        return model(**values)
    except ValidationError as error:
        first = mistakes_of(error, Node({}, 1), model)[0]
        what = joined("; ", filter(None, (first.what, first.hint)))
        raise typer.BadParameter(translated(what), param_hint=options.get(str(first.path[0]))) from None


def topic_name(name: str) -> str:
    """For a callback: the name of a commune or a box. Raises BadParameter: it cannot stand in a topic."""
    if not re.fullmatch(NAME_PATTERN, name) or name == STATION:
        what = tr(
            "{name} is not {allowed}: as in its topics and its certificate",
            name=repr(name),
            allowed=NAME_IN_WORDS,
        )
        raise typer.BadParameter(translated(what))
    return name


def topic_root(root: str) -> str:
    """For a callback: the root, if topics may begin with it. Raises BadParameter: they may not."""
    try:
        return Topics("commune", "device", root).root
    except WireError as error:
        raise typer.BadParameter(translated(joined("; ", (error.what, error.hint)))) from None


def pair_without_authority(ca: Path | None, cert: Path | None, key: Path | None, option: str = "--ca") -> None:
    """Raises BadParameter if a pair is given for a connection that would be in the clear."""
    given = "--cert" if cert is not None else "--key" if key is not None else ""
    if ca is None and given:
        what = tr("goes only with {option}: without it nothing is encrypted", option=option)
        raise typer.BadParameter(translated(what), param_hint=given)
