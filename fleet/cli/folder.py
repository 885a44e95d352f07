"""A folder as a command is given it: named, and not by an empty word."""

from __future__ import annotations

from pathlib import Path

import typer


def named_folder(word: str | Path) -> Path:
    """For `parser`: the folder. An empty word, as a variable without value makes it, would else be this one.

    Raises:
        typer.BadParameter: no folder is named.
    """
    if not str(word).strip():
        raise typer.BadParameter("it is empty, and names no folder; for this one write .")
    return Path(word)
