"""`python dying.py COUNT LOG PROGRAM WORDS…`: run a program until it is about to change something for the
COUNTth time, then end it as kill -9 would. What it was about to do is written to LOG; nothing is, if it came
through. With COUNT 0 it comes through, and LOG says how often it changed something.

Python tells of each change of the file system and of each program that is started, before it happens (PEP 578).
So every state that a kill can leave on the disk is reached by one count or another, and the program needs no
places made for it.
"""

from __future__ import annotations

import atexit
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any

CHANGES = (
    "os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.chown",
    "subprocess.Popen",
)  # fmt: skip


def main() -> None:
    """Run it."""
    count, log, program = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    sys.argv = sys.argv[3:]
    left, dying = count, False

    def heard(event: str, words: tuple[Any, ...]) -> None:
        nonlocal left, dying
        if dying or not (event in CHANGES or (event == "open" and writes(words))):
            return
        left -= 1
        if left == 0:
            dying = True
            Path(log).write_text(f"{event} {words[0]!s} {words[1] if event == 'os.rename' else ''}", "utf-8")
            if os.environ.get("DYING_WAITS"):  # for whoever ends the whole host at this point
                os.kill(os.getpid(), signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(heard)
    if count == 0:
        atexit.register(lambda: Path(log).write_text(f"{-left}", "utf-8"))
    sys.path.insert(0, program)
    runpy.run_path(program, run_name="__main__")


def writes(words: tuple[Any, ...]) -> bool:
    """Whether a file is opened to be changed."""
    flags = words[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


if __name__ == "__main__":
    main()
