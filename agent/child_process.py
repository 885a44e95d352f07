"""Processes that the agent starts beside itself, for what may hang, die or be taken over.

Each runs a module of ours by our own interpreter. It inherits no secret and no open file that it was not given,
and hears the number of the process to which it belongs, so that it can end with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

REAP_S: Final = 2.0
ENVIRONMENT: Final = ("PATH", "LANG", "TZ", "LD_LIBRARY_PATH")
"""What every child inherits; everything else may hold a secret."""
Given = ParamSpec("Given")
Said = TypeVar("Said")


def spawn(
    module: str, fd: int, inherits: Callable[[str], bool] = lambda _: False, talks: bool = False
) -> subprocess.Popen[bytes]:
    """Start the child that runs this module, in a group of its own.

    Args:
        module: Run as a program; its arguments are `fd` and our number.
        fd: The one descriptor that it is given.
        inherits: Which variables it inherits beside `ENVIRONMENT`.
        talks: Whether its input and output are pipes to us; else they are nothing.

    Raises:
        OSError: the machine has no room for another process.
    """
    kept = {name: value for name, value in os.environ.items() if name in ENVIRONMENT or inherits(name)}
    kept["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)  # it finds what we find
    ends = subprocess.PIPE if talks else subprocess.DEVNULL
    # Without -P it looks into the current folder first: what is called `agent` there would be run in our place.
    return subprocess.Popen(  # noqa: S603 – our own interpreter, our own module
        [sys.executable, "-P", "-m", module, str(fd), str(os.getpid())],
        stdin=ends,
        stdout=ends,
        pass_fds=(fd,),
        env=kept,
        process_group=0,  # Ctrl-C on a terminal goes to the parent alone
    )


def kill(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and reap it, within two seconds.

    A hung driver, or a busy machine, may hold it longer. Then a thread waits for its end: nobody else would,
    and a dead process that is not waited for stays as long as the agent.
    """
    child.kill()
    try:
        child.wait(REAP_S)
    except subprocess.TimeoutExpired:
        threading.Thread(target=child.wait, name=f"reaper of {child.pid}", daemon=True).start()


def received(receive: Callable[Given, Said], *given: Given.args, **named: Given.kwargs) -> Said:
    """What a child said on its socket of messages, by a call that reads one; also if it has hung up by now.

    If it left something of ours unread, Linux says once that the connection was reset, and only then what the
    child had said before (`unix_release_sock`, `sock_error` in Linux 6.12): its last words, perhaps.

    Raises:
        OSError: as `receive` does.
    """
    try:
        return receive(*given, **named)
    except ConnectionResetError:
        return receive(*given, **named)
