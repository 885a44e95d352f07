"""Who starts the agent again when the station orders it: systemd, or, where it was started by hand, itself.

Under systemd the agent ends with a code that asks for it. By hand nobody reads that code, and the box would be
off until somebody climbs the pole; so the process replaces its program by the same one, with the same words.
Its number, its terminal and what started it stay as they are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import structlog

from agent.errors import NgatuError

log = structlog.get_logger(__name__)


def is_service(environment: Mapping[str, str] = os.environ, pid: int | None = None) -> bool:
    """Whether systemd keeps this process, and so starts it again as its unit says.

    A program in a terminal inherits much of its desktop's environment: INVOCATION_ID there proves nothing, and
    SYSTEMD_EXEC_PID (systemd 248 and newer) only with our own number.
    """
    if environment.get("NOTIFY_SOCKET") or environment.get("STATE_DIRECTORY"):
        return True
    return environment.get("SYSTEMD_EXEC_PID") == str(os.getpid() if pid is None else pid)


def arguments(given: Sequence[str], left_s: float | None = None) -> list[str]:
    """The words with which this program was started, with `--for` what is left of its time where it had one.

    The last `--for` counts; one that an earlier restart has put there goes.
    """
    words = list(given)
    if left_s is None:
        return words
    if words[-2:-1] == ["--for"]:
        words = words[:-2]
    return [*words, "--for", f"{left_s:.1f}"]


def check() -> None:
    """Whether this program could be started anew as it was.

    Raises:
        NgatuError: it could not, and why; then whoever ordered it is told, and nothing is stopped.
    """
    program, *words = _words()
    script = words[0] if words and not words[0].startswith("-") else None
    for file, needed in ((program, os.X_OK), (script, os.R_OK)):
        if file is not None and not (Path(file).is_file() and os.access(file, needed)):
            raise NgatuError(
                f"the program {file} is not there any more, so the box would not come back by itself",
                "install it again, and start the box by hand",
            )


def again(left_s: float | None) -> NoReturn:
    """Replace this process's program by itself, begun anew; every descriptor of ours is closed by that.

    Raises:
        NgatuError: the system does not let us.
    """
    program, *words = _words()
    words = arguments(words, left_s)
    log.info("starts_anew", program=program, arguments=words)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(program, [program, *words])  # noqa: S606 – our own interpreter, and the words that it was given
    except OSError as error:
        raise NgatuError(
            f"{program} cannot be started anew: {error.strerror}", "start it again by hand"
        ) from error


def _words() -> list[str]:
    # The interpreter by its full path: the first word may be a bare name that the shell had looked up.
    return [sys.executable, *sys.orig_argv[1:]]
