"""The last good configuration: what a box starts with when its file has become wrong.

A file that started the agent is kept beside the outbox. When the file in place cannot be read, or the agent
cannot start with it, the kept one is used and that is told: a box that watches by old rules is better than one
that does not watch. Only a service does so; at a terminal the mistakes are the answer that is wanted.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.config.schema import Config, parse, read
from agent.errors import ConfigError, NgatuError

NAME: Final = "config.last-good.yaml"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A configuration and where it came from."""

    config: Config
    data: bytes
    path: Path
    refused: str | None = None
    """Why the file in place is not used."""


def folder() -> Path | None:
    """Where a service keeps its state, as systemd says (StateDirectory=); None at a terminal."""
    directory = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(directory) if directory else None


def choose(path: Path) -> Chosen:
    """The configuration in place, or else the last good one.

    Raises:
        ConfigError: the one in place is wrong, and there is no other.
    """
    try:
        data = read(path)
        return Chosen(parse(data, str(path)), data, path)
    except ConfigError as error:
        kept = last_good(path, error, b"")
        if kept is None:
            raise
        return kept


def last_good(path: Path, why: NgatuError, tried: bytes) -> Chosen | None:
    """The last good one after `tried` would not do; None if there is none, or it is the same."""
    where = folder()
    if where is None:
        return None
    try:
        data = read(where / NAME)
        config = parse(data, str(where / NAME))
    except ConfigError:
        return None
    return None if data == tried else Chosen(config, data, path, why.what)


def keep(chosen: Chosen) -> None:
    """The agent has started with this: keep it, unless it is the kept one already."""
    where = folder()
    if where is None or chosen.refused is not None:
        return
    with suppress(OSError):
        kept = where / NAME
        if kept.exists() and kept.read_bytes() == chosen.data:
            return
        fresh = where / f"{NAME}.new"
        fresh.touch(0o600)
        with fresh.open("wb") as file:
            file.write(chosen.data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(kept)
