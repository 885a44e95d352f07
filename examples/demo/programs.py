"""The demo's programs, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agent.transport.client import connect
from agent.transport.settings import EndpointSettings
from examples.demo.screen import Door, opened

OUT = Path("demo")
"""Where everything of the demo lies."""
NGATU = (sys.executable, "-m", "agent")
OPENS_S = 60.0
"""So long the screen may take until it is there."""


class Station:
    """The demo's station, which serves the screen, from here to the end of the block."""

    def __init__(self, file: Path, say: Callable[[str], object]) -> None:
        """`say` tells the visitor where the screen is, as soon as it is there."""
        self.door: Door | None = None
        """What is typed into a browser, once the screen is there."""
        self._file, self._say = file, say
        self._stack = ExitStack()
        self._porter = threading.Thread(target=self._open, daemon=True)

    def __enter__(self) -> Station:
        log = self._stack.enter_context((OUT / "station.log").open("w", encoding="utf-8"))
        words = [*NGATU, "station", "-c", str(self._file)]
        self.process = subprocess.Popen(words, stdout=log, stderr=log, text=True)
        self._stack.callback(ended, self.process)
        self._porter.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def lives(self) -> bool:
        """Whether it is at work."""
        return self.process.poll() is None

    def wait(self) -> None:
        """Until its screen is there, or will not be."""
        self._porter.join(OPENS_S)

    def _open(self) -> None:
        self.door = opened(self._file, self.lives, OPENS_S)
        if self.door is not None:
            self._say(f"  the duty room's screen: {self.door}")


@contextmanager
def box_goes_on(config: Path, broker: EndpointSettings, device: str) -> Iterator[subprocess.Popen[str]]:
    """So that orders are answered, and events go on coming, while somebody looks.

    The demo's small broker does not tell a session that goes on what it retains, so the box would never hear
    that the station is there, and hold its pictures back: its session is begun anew before.
    """
    client = connect(broker, device)
    client.disconnect()
    client.loop(0.1)
    with (OUT / "box.log").open("a", encoding="utf-8") as log:
        box = subprocess.Popen([*NGATU, "run", "-c", str(config)], stdout=log, stderr=log, text=True)
        try:
            yield box
        finally:
            ended(box)


def finished(words: list[str]) -> None:
    """Call `ngatu` and wait until it has ended well."""
    subprocess.run([*NGATU, *words], check=True, stdout=subprocess.DEVNULL, timeout=120)


def ended(process: subprocess.Popen[str]) -> None:
    """Let it end in order, and wait until it has."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
