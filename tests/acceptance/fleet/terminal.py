"""A terminal of a plain user on a test host: a login shell over SSH, typed into as a person does.

    with Terminal(host) as terminal:
        came = terminal.type("ls", within_s=5)

The shell stays, so that `cd` and what was activated hold, and a program that does not end keeps the terminal.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.acceptance.fleet.hosts import Host
from tests.acceptance.fleet.printed import screen

COLUMNS, ROWS = 160, 50
"""Of a window that is neither small nor large."""
_READY = re.compile(r"<<ready (\d+)>>")
_SETTINGS = (
    f"stty sane -echo cols {COLUMNS} rows {ROWS}; bind 'set enable-bracketed-paste off'; PS2=; "
    "PS1='<<ready $?>>'"
)
_LOOK_S = 0.1
_ENDS_S = 3.0
"""A program that has printed enough and does not end within this stays."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came after something was typed."""

    lines: list[str]
    code: int | None
    """Its exit code; None: it still runs."""


class Terminal:
    """Opened by `with`, or by `open`; closed, all that runs in it is hung up."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._bytes = b""
        self._from = 0
        self.busy = False
        """A program runs in it."""
        self._ssh = subprocess.Popen(
            ["ssh", "-tt", "-F", str(host.fleet.ssh_config), host.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        self._send(f" {_SETTINGS}\n")
        self._await(lambda came: came.code is not None, 30)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._ssh.kill()
        self._ssh.wait(10)

    def type(self, command: str, within_s: float, enough: Callable[[list[str]], bool] | None = None) -> Came:
        """Type a line; back when its program has ended, or runs on and `enough` of its lines are there.

        Raises:
            AssertionError: neither within the time.
        """
        assert not self.busy, f"{command}: a program still runs in this terminal"
        self._from = len(self._bytes)
        self._send(command + "\n")
        return self._await(lambda came: came.code is not None or _enough(enough, came), within_s)

    def look(self, within_s: float, enough: Callable[[list[str]], bool]) -> Came:
        """What the program that runs here has printed, once it is enough."""
        return self._await(lambda came: _enough(enough, came), within_s)

    def interrupt(self, within_s: float) -> Came:
        """Press Ctrl-C; back when the program has ended, with what it printed since."""
        assert self.busy, "^C: no program runs in this terminal"
        self._from = len(self._bytes)
        self._send("\x03")
        return self._await(lambda came: came.code is not None, within_s)

    def _send(self, text: str) -> None:
        assert self._ssh.stdin is not None
        self._ssh.stdin.write(text.encode())

    def _listen(self) -> None:
        assert self._ssh.stdout is not None
        while chunk := self._ssh.stdout.read(65536):
            self._bytes += chunk

    def _came(self) -> Came:
        text = self._bytes[self._from :].decode("utf-8", "ignore")
        ready = _READY.search(text)
        return Came(screen(text[: ready.start()] if ready else text), int(ready[1]) if ready else None)

    def _await(self, done: Callable[[Came], bool], within_s: float) -> Came:
        deadline = time.monotonic() + within_s
        stays: tuple[Came, float] | None = None
        while True:
            came, now = self._came(), time.monotonic()
            self.busy = came.code is None
            if came.code is not None:
                return came
            if stays is None and done(came):
                stays = came, now + _ENDS_S
            if stays is not None and now > stays[1]:
                return stays[0]
            if now > deadline or self._ssh.poll() is not None:
                printed = "\n".join(came.lines[-30:])
                raise AssertionError(f"nothing more within {within_s:g} s; printed was:\n{printed}")
            time.sleep(_LOOK_S)


def _enough(enough: Callable[[list[str]], bool] | None, came: Came) -> bool:
    return enough is not None and enough(came.lines)
