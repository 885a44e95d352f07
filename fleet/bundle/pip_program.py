"""pip, run for the wheels of a bundle; what it says when it fails is put into words of ours.

It is given nothing that was not looked at before: whose slip it is could not be told from its words.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from typing import Final

from agent.errors import NgatuError
from fleet.bundle.scratch import ELSEWHERE

EPOCH_S: Final = "315532800"
"""1980-01-01, the earliest that a zip archive can say: the same source makes the same wheel."""
_OTHER_FILE: Final = re.compile(r"^ +([^ =]+==[^ ]+) from .*\n +Expected sha256", re.MULTILINE)
_NO_WHEEL: Final = re.compile(r"No matching distribution found for (\S+)")
_AWAY: Final = ("connection broken by", "Could not fetch URL", "Max retries exceeded", "ReadTimeoutError")
_FULL: Final = "No space left on device"


def run(*words: str, board: str = "") -> None:
    """Run pip with these words; `board` says for whom wheels are fetched, empty: for this computer.

    Raises:
        NgatuError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pip", "--quiet", "--disable-pip-version-check", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH_S},
        check=False,
    )
    if done.returncode:
        raise explained(words[0], done.stderr, board)


def explained(verb: str, said: str, board: str) -> NgatuError:
    """What pip has said on standard error, as one clear error."""
    if "No module named pip" in said:
        return NgatuError(f"{sys.executable}: this Python has no pip", f"{sys.executable} -m ensurepip")
    if other := _OTHER_FILE.findall(said):
        return NgatuError(
            f"{', '.join(other)}: the registry gave another file than the lock names by its hash",
            "somebody has changed it, there or on the way: take it from elsewhere, or look at what it is",
        )
    if _FULL in said:
        return NgatuError(f"{tempfile.gettempdir()}: {_FULL}", ELSEWHERE)
    if any(each in said for each in _AWAY):
        hint = "is there a network? `pip config list` shows which registry is asked"
        return NgatuError("the package registry cannot be reached, or breaks off", hint)
    if found := _NO_WHEEL.search(said):
        return NgatuError(
            f"the package registry has no wheel of {found[1]} for {board or 'this computer'}",
            "are --arch, --python and --glibc the board's? `pip config list` shows which registry is asked",
        )
    lines = [line for line in said.splitlines() if "ERROR" in line] or said.splitlines()
    return NgatuError(
        f"pip {verb} failed: {' '.join(lines[-2:])[:400]}",
        "is the package registry reachable, and is there a wheel for this board and this Python?",
    )
