"""`ngatu` as this process calls it: its parser is built once, which takes a tenth of a second."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import typer

from agent.cli.main import gathered


@cache
def parser() -> Any:
    """Of every package's commands."""
    return typer.main.get_command(gathered())


def exit_code(words: Sequence[str]) -> int:
    """With which these words end; what they say goes to the standard output and error of this process."""
    try:
        parser().main(list(words), prog_name="ngatu")
    except SystemExit as ended:
        return int(ended.code or 0)
    raise AssertionError("it did not end")
