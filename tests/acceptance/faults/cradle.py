"""Where the further lives of a program begin: in a process that has imported all that it needs, and forks.

A trial that kills a box sixty times would else spend a second of the processor for each life on the same
imports. From its `main` on a life is as any other: in a process of its own, which may be killed, with its own
output, and with an end as that of any program.

    python -m tests.acceptance.faults.cradle FD MODULE [PRELOADED…]

FD is a socket. Each message, the arguments of a life as JSON, brings descriptors of its output, of its errors,
and of a pipe that hears its process id and, after its end, its exit code. What lives when the socket ends is
killed.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

MAX_BYTES = 64 * 1024


class Life:
    """One life, as `subprocess.Popen` would show it."""

    def __init__(self, stdout: IO[str], hears: IO[str]) -> None:
        self.stdout, self._hears = stdout, hears
        self.pid = int(hears.readline())
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Its exit code once it has ended; as a signal's number below zero if that ended it."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code.

        Raises:
            TimeoutExpired: it lives on.
        """
        with self._lock:
            if self.returncode is None:
                if not select.select([self._hears], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
                self.returncode = int(self._hears.readline() or -signal.SIGKILL)
                self._hears.close()
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Cradle:
    """A process out of which lives of one module's `main` begin."""

    def __init__(self, module: str, *preloaded: str) -> None:
        """`preloaded`: what its lives import later on, too."""
        self._sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [sys.executable, "-m", "tests.acceptance.faults.cradle", str(theirs.fileno()), module]
        with theirs:
            self._process = subprocess.Popen(
                [*words, *preloaded], pass_fds=[theirs.fileno()], stdout=subprocess.DEVNULL
            )

    def begin(self, words: Sequence[str], log: IO[bytes]) -> Life:
        """A life with these arguments; what it says as errors goes to `log`."""
        said, says = os.pipe()
        hears, heard = os.pipe()
        socket.send_fds(self._sock, [json.dumps(words).encode()], [says, log.fileno(), heard])
        os.close(says)
        os.close(heard)
        return Life(os.fdopen(said), os.fdopen(hears))

    def end(self) -> None:
        """No more of it, and of what it began; from then on what it used is counted as ours."""
        self._sock.close()
        self._process.wait()


_THERE: dict[str, Cradle] = {}
_LOCK = threading.Lock()


def begun(module: str, preloaded: Sequence[str], words: Sequence[str], log: IO[bytes]) -> Life:
    """One more life of the module's `main`, out of this process's cradle for it."""
    with _LOCK:
        if module not in _THERE:
            _THERE[module] = Cradle(module, *preloaded)
        return _THERE[module].begin(words, log)


def end_all() -> None:
    """End every cradle of this process: a trial leaves nothing to the next one."""
    with _LOCK:
        while _THERE:
            _THERE.popitem()[1].end()


# ------------------------------------------------------------------------------------------ the process itself


def main() -> None:
    """Begin lives until the socket ends; in each of them go on as the module."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    life = importlib.import_module(sys.argv[2]).main
    for name in sys.argv[3:]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # what is imported is the same in each life: nobody needs to look at it again
    assert threading.active_count() == 1, "a fork takes one thread along"
    if (words := _attended(sock)) is not None:
        sys.argv[1:] = words
        life()


def _attended(sock: socket.socket) -> list[str] | None:
    """In a life its arguments; in the cradle None, at the end."""
    alive: dict[int, tuple[int, int]] = {}
    selector = selectors.DefaultSelector()
    selector.register(sock, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fd in alive:
                selector.unregister(key.fd)
                _reaped(key.fd, *alive.pop(key.fd))
                continue
            data, fds, _, _ = socket.recv_fds(sock, MAX_BYTES, 3, socket.MSG_CMSG_CLOEXEC)
            if not data:
                for pidfd, (pid, heard) in alive.items():
                    os.kill(pid, signal.SIGKILL)
                    _reaped(pidfd, pid, heard)
                return None
            says, log, heard = fds
            pid = os.fork()
            if pid == 0:
                others = [fd for pidfd, (_, its) in alive.items() for fd in (pidfd, its)]
                _alone(says, log, sock, selector, [heard, *others])
                return list(json.loads(data))
            os.close(says)
            os.close(log)
            os.write(heard, b"%d\n" % pid)
            pidfd = os.pidfd_open(pid)
            alive[pidfd] = pid, heard
            selector.register(pidfd, selectors.EVENT_READ)


def _alone(
    says: int, log: int, sock: socket.socket, selector: selectors.BaseSelector, others: list[int]
) -> None:
    """Hold what a program holds that was just started, and nothing else."""
    os.dup2(says, 1)
    os.dup2(log, 2)
    selector.close()
    sock.close()
    for fd in (says, log, *others):
        os.close(fd)


def _reaped(pidfd: int, pid: int, heard: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(BrokenPipeError):
        os.write(heard, b"%d\n" % code)
    os.close(heard)
    os.close(pidfd)


if __name__ == "__main__":
    main()
