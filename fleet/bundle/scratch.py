"""A folder for the copies that are made on the way to a bundle; nothing of it stays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent.errors import NgatuError

ELSEWHERE: Final = "is there room? name a folder on another disk: TMPDIR=FOLDER ngatu bundle build …"


@contextmanager
def scratch() -> Iterator[Path]:
    """The folder, with `own` and `wheels` in it.

    Raises:
        NgatuError: its disk does not take what is put into it, or what is copied there cannot be read.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("own", "wheels"):
                Path(folder, name).mkdir()
            yield Path(folder)
    except OSError as error:
        raise NgatuError(
            f"{error.filename or tempfile.gettempdir()}: {error.strerror or error}", ELSEWHERE
        ) from None
