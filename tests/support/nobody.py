"""What another user meets, who may not read everything as root may."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter: pytest's own is closed again by each session that starts."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def as_nobody(folder: Path, task: Callable[[], None]) -> None:
    """Do it as a user who owns the folder and all in it, and whose rights are asked for; skips without root."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    for each in (folder, *folder.rglob("*")):
        os.chown(each, 65534, 65534)
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        try:
            task()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
