"""A file that is there whole or not at all, whatever ends the program."""

from __future__ import annotations

import os
from pathlib import Path

from agent.errors import ModelError
from agent.translatable import tr


def write_whole(path: Path, text: str) -> None:
    """Write it beside its place, and bring it there once it is on the disk; what is the same is left alone.

    Raises:
        ModelError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_bytes() == text.encode("utf-8"):
            return
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise ModelError(
            tr("{path}: cannot be written: {error}", path=path, error=error.strerror or error),
            tr("Make room, or give yourself the right to write there."),
        ) from error
